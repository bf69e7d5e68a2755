"""`shipworthy flags`: what there is, what the file says, and what is owed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipworthy.cli.options import HOME

if TYPE_CHECKING:
    from shipworthy.contract.manifest import Flag
    from shipworthy.kernel.flags.file import FlagSet


@click.command("flags")
@HOME
@click.option("--check", is_flag=True, help="Exit with 1 where a flag has no owner or should be gone, or the file names one that is not.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(home: Path | None, check: bool, as_json: bool) -> None:
    """List the app's feature flags: what flags.json says of each, who owns it, until when.

    The running app reads the file again within a second; one it does not understand changes nothing.

    \b
    Example:  shipworthy flags
              shipworthy flags --check
    """
    import json

    from shipworthy.cli.project import load_project
    from shipworthy.contract.flag_debt import flag_debts
    from shipworthy.contract.verdict import ExitCode
    from shipworthy.kernel.context import utc_now
    from shipworthy.kernel.edge.switches import EDGE_FLAGS
    from shipworthy.kernel.flags.file import FLAGS_FILE, FlagSet, read_flags

    project = load_project(home)
    declared = [*EDGE_FLAGS, *(flag for room in project.rooms for flag in room.flags)]
    file = project.home / FLAGS_FILE
    said = read_flags(file.read_text(encoding="utf-8")) if file.exists() else FlagSet()
    problems = [
        f"{debt.flag} {debt.why}. {debt.fix}" for debt in flag_debts(declared, today=utc_now().date())
    ]
    problems += _unknown(said, declared)
    rows = [_row(flag, said) for flag in declared]
    if as_json:
        click.echo(json.dumps({"flags": rows, "problems": problems}, indent=2))
    else:
        for row in rows:
            click.echo(f"{row['name']:32} {row['now']:12} default {'on' if row['default'] else 'off':4} {row['owner']}, until {row['expires']}  {row['title']}")  # fmt: skip
        for problem in problems:
            click.echo(click.style(problem, fg="red"), err=True)
    if check and problems:
        sys.exit(ExitCode.FAIL)


def _row(flag: Flag, said: FlagSet) -> dict[str, Any]:
    state = said.flags.get(flag.name)
    if state is None or state.is_killed:
        now = "default" if state is None else "switched off"
    else:
        now = "targeted" if state.targeting is not None else str(state.default_variant)
    return {"name": flag.name, "title": flag.title, "now": now, "default": flag.default, "owner": flag.owner, "expires": flag.expires}  # fmt: skip


def _unknown(said: FlagSet, declared: list[Flag]) -> list[str]:
    from difflib import get_close_matches

    names = [flag.name for flag in declared]
    problems = []
    for name in said.flags:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            problems.append(f"flags.json: no room declares {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))  # fmt: skip
    return problems

"""`shipworthy upgrade`: this version's scaffold, merged into an app that was edited."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipworthy.builder.upgrade import Change


@click.command("upgrade")
@click.option("--dry-run", is_flag=True, help="Show what would change and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(dry_run: bool, yes: bool) -> None:
    """Bring the files that `new` wrote up to this version; your edits stay.

    Shows every change first and asks. Where you and the new version changed the same lines, both stand there between
    markers, and the places are named. Exit code 1 says that there are such places.

    \b
    Example:  shipworthy upgrade --dry-run
    """
    from shipworthy import __version__
    from shipworthy.builder.upgrade import plan_upgrade, undo_unfinished, write_upgrade
    from shipworthy.cli.project import folder_of_app, known_rooms

    home = folder_of_app()
    if undo_unfinished(home):
        click.echo(
            "An upgrade before this was stopped half-way. Its files are as they were before it.", err=True
        )
    upgrade = plan_upgrade(home, known_rooms=known_rooms())
    if not upgrade.changes:
        click.echo(f"Everything is as version {__version__} writes it.")
        return
    for change in upgrade.changes:
        click.echo(_diff(change))
    for path in upgrade.kept:
        click.echo(f"{path}: version {__version__} has it no longer; you changed it, so it stays")
    for place in upgrade.conflicts:
        click.echo(
            click.style(f"{place}: you and the new version changed the same lines", fg="yellow"), err=True
        )
    if dry_run:
        click.echo("nothing was written (--dry-run)")
    else:
        if not yes:
            if not sys.stdin.isatty():
                raise click.UsageError("nobody can be asked here. Look at it with --dry-run, then give --yes")
            click.confirm(f"Write these {len(upgrade.changes)} changes?", abort=True)
        write_upgrade(upgrade, home)
        click.echo(
            f"From {upgrade.from_version} to {__version__}: {len(upgrade.changes)} files. Now: shipworthy gauntlet --quick"
        )
    if upgrade.conflicts:
        raise click.exceptions.Exit(1)


def _diff(change: Change) -> str:
    before, after = (change.before or "").splitlines(), (change.text or "").splitlines()
    old = "/dev/null" if change.before is None else change.path
    new = "/dev/null" if change.text is None else change.path
    colours = {"+": "green", "-": "red", "@": "cyan"}
    lines = difflib.unified_diff(before, after, old, new, lineterm="")
    return "\n".join(click.style(line, fg=colours.get(line[:1])) for line in lines) + "\n"

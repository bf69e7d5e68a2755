"""`shipworthy fault`: break something of an app that runs here, for a while, and heal it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipworthy.cli.options import seconds

if TYPE_CHECKING:
    from shipworthy.gauntlet.faults.catalogue import Fault


@click.group("fault")
def command() -> None:
    """Break something of a running app for a while, and heal it.

    \b
    Example:  shipworthy up --handle /tmp/app.json
              shipworthy fault inflict process.stop --on database --for 20s --handle /tmp/app.json
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_faults(as_json: bool) -> None:
    """List the faults there are and what each may be inflicted on."""
    from shipworthy.gauntlet.faults.catalogue import FAULTS

    if as_json:
        facts = [{"name": f.name, "title": f.title, "on": f.on} for f in FAULTS.values()]
        click.echo(json.dumps(facts, indent=2))
        return
    for fault in FAULTS.values():
        click.echo(f"  {fault.name:<18} {fault.title:<34} {fault.on}".rstrip())
    click.echo("\n  The ways of network.* lie in the gauntlet's proxies: its drills inflict those.")


@command.command("inflict")
@click.argument("name")
@click.option("--on", default="", help="The process, way or table, as `fault list` says.")
@click.option("--for", "for_s", default="30s", show_default=True, callback=seconds, help="How long: 30s, 2m.")
@click.option(
    "--handle",
    "handle_file",
    type=click.Path(path_type=Path),
    required=True,
    help="The file that `shipworthy up --handle FILE` wrote.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line when it is broken, one when it is healed.")  # fmt: skip
def inflict(name: str, on: str, for_s: float, handle_file: Path, as_json: bool) -> None:
    """Inflict one fault on the app of a handle. It heals after --for, with Ctrl-C, and when we are killed.

    \b
    Example:  shipworthy fault inflict disk.full --on web --for 1m --handle /tmp/app.json
    """
    import asyncio

    from shipworthy.cli.handles import Running
    from shipworthy.contract.target import Target
    from shipworthy.contract.verdict import ExitCode
    from shipworthy.gauntlet.capabilities import fault_refused
    from shipworthy.gauntlet.check import Undecided
    from shipworthy.gauntlet.exam import Exam
    from shipworthy.gauntlet.faults.catalogue import FAULTS

    fault = FAULTS.get(name)
    if fault is None:
        raise click.UsageError(f"there is no fault {name!r}{_nearest(name, FAULTS)}")
    if bool(on) != bool(fault.on):
        raise click.UsageError(f"{name} needs --on: {fault.on}" if fault.on else f"{name} takes no --on")
    instance = Running(handle_file)
    target = Target(name="app", kind="url", manifest=_manifest(), url=instance.handle.base_url, allow_faults=True)  # fmt: skip
    if why := fault_refused(target, name):
        raise click.UsageError(why)
    try:
        failed = asyncio.run(_inflict(Exam(target, instance), fault, on, for_s, as_json))
    except (Undecided, ValueError) as refused:
        raise click.UsageError(f"{refused}") from refused
    if failed:
        raise click.exceptions.Exit(ExitCode.FAIL)


async def _inflict(exam: Any, fault: Fault, on: str, for_s: float, as_json: bool) -> list[str]:
    """Break, wait, heal; return what could not be healed."""
    import asyncio
    import contextlib
    import signal

    enough = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, enough.set)
    try:
        what = await fault.inflict(exam, on, for_s)
        _say(as_json, f"{what}; heals in {for_s:g} s, or with Ctrl-C", event="inflicted", fault=fault.name,
             on=on, what=what, for_s=for_s)  # fmt: skip
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(enough.wait(), for_s)
    finally:
        failed: list[str] = await exam.heal()
        await exam.close()
    _say(as_json, "; ".join(failed) or "healed", event="healed", fault=fault.name, failed=failed)
    return failed


def _say(as_json: bool, sentence: str, **facts: object) -> None:
    click.echo(json.dumps(facts) if as_json else sentence)


def _nearest(name: str, known: dict[str, Fault]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else "; see: shipworthy fault list"


def _manifest() -> Any:
    from shipworthy.contract.manifest import Manifest

    return Manifest(app="app")

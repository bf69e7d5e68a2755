"""`shipworthy gauntlet`: the trials and the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipworthy.cli import accept, compare
from shipworthy.cli.options import HOME, TARGET

if TYPE_CHECKING:
    from rich.console import Console

    from shipworthy.contract.finding import RunResult
    from shipworthy.contract.target import Target
    from shipworthy.gauntlet.history.record import Record
    from shipworthy.gauntlet.plan import PlannedCheck


@click.group("gauntlet", invoke_without_command=True)
@click.option(
    "--quick",
    "mode",
    flag_value="quick",
    default="quick",
    help="About three minutes; not for release (default).",
)
@click.option("--full", "mode", flag_value="full", help="A release verdict: longer load, every trial.")
@TARGET
@click.option("--stage", "stages", multiple=True, help="Only this stage; may be repeated.")
@click.option(
    "--only",
    default=None,
    help="Only this finding (its id stands in the report), e.g. plans.index_used:QUERY.",
)
@click.option("--plan", "show_plan", is_flag=True, help="Print what would be asked, in order, and stop.")
@click.option(
    "--report",
    "report_dir",
    type=click.Path(path_type=Path),
    default=Path("report"),
    show_default=True,
    help="Where the report goes.",
)
@HOME
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of the summary.")
@click.option("--no-history", is_flag=True, help="Do not keep this run in the app's repository.")
@click.pass_context
def command(
    ctx: click.Context, mode: str, target: Path | None, stages: tuple[str, ...], only: str | None, show_plan: bool, report_dir: Path, home: Path | None, as_json: bool, no_history: bool
) -> None:  # fmt: skip
    """Put an app through its trials and give a verdict people can believe.

    In an app's folder it examines that app on a database of its own; any other web app by the gauntlet.toml in its
    folder, or the one of --target.
    Exit codes: 0 pass, 1 fail, 2 usage, 3 inconclusive, 4 invalid run.

    \b
    Example:  shipworthy gauntlet --quick
              shipworthy gauntlet --target examples/notes/gauntlet.toml
              shipworthy gauntlet --only 'plans.index_used:invoicing.invoice_list_by_status'
    """
    if ctx.invoked_subcommand is not None:
        return
    import asyncio

    from rich.console import Console

    from shipworthy.gauntlet.plan import UnknownName, plan
    from shipworthy.gauntlet.report.document import document_of, exit_code_of
    from shipworthy.gauntlet.report.summary import print_summary
    from shipworthy.gauntlet.report.terminal import LiveView
    from shipworthy.gauntlet.run import run
    from shipworthy.gauntlet.stages import ALL_CHECKS

    found = target_of(target, home)
    console = Console(stderr=as_json)
    try:
        planned = plan(found, ALL_CHECKS, mode=mode, only=only, stages=stages)  # type: ignore[arg-type]
    except UnknownName as unknown:
        raise click.UsageError(str(unknown)) from None
    if show_plan:
        _print_plan(planned, console)
        return
    _must_be_allowed(found)
    thresholds_ms = {
        j.name: s.threshold_ms
        for j in found.manifest.journeys
        for s in found.manifest.slos
        if s.name == j.slo
    }
    with LiveView(
        target=found.name,
        label="quick" if mode == "quick" else "",
        thresholds_ms=thresholds_ms,
        console=console,
    ) as view:
        result = asyncio.run(
            run(found, ALL_CHECKS, mode=mode, only=only, stages=stages, view=view, folder=report_dir)  # type: ignore[arg-type]
        )
    kept, history = _kept(result, Path(found.folder), wanted=not no_history)
    paths = _write(result, report_dir, kept)
    if as_json:
        import json

        click.echo(json.dumps(document_of(result)))
    else:
        print_summary(result, console, paths)
        if history:
            console.print(f" History   {history}", highlight=False, soft_wrap=True)
    raise SystemExit(exit_code_of(result))


def target_of(file: Path | None, home: Path | None) -> Target:
    """Return the target of a file, or of the app in a folder: by its app.toml, else by its gauntlet.toml.

    Errors:  UsageError.
    """
    import asyncio

    from shipworthy.gauntlet.adapters.instance import StartFailed
    from shipworthy.gauntlet.adapters.shipworthy import describe
    from shipworthy.gauntlet.targetfile import TARGET_FILE, load_target_file

    if file is not None:
        if not file.is_file():
            raise click.UsageError(f"there is no file {file}. Give the path of a gauntlet.toml")
        return load_target_file(file)
    folder = (home or Path.cwd()).resolve()
    if not (folder / "app.toml").is_file():
        if (
            described := folder / TARGET_FILE
        ).is_file():  # what `shipworthy init` leaves in a stranger's folder
            return load_target_file(described)
        raise click.UsageError(
            f"there is no app.toml and no {TARGET_FILE} in {folder}. Go into an app's folder, or give --target FILE"
        )
    try:
        return asyncio.run(describe(folder))
    except StartFailed as unreadable:
        raise click.UsageError(str(unreadable)) from None


def _must_be_allowed(target: Target) -> None:
    """Refuse another machine that does not prove its owner's wish, in full: the line to serve stands in the refusal."""
    import asyncio

    from shipworthy.gauntlet.ownership import NotProven, reach

    if target.url is None:
        return
    try:
        asyncio.run(reach(target.url, address=target.address))
    except NotProven as refused:
        raise click.UsageError(str(refused)) from None


def _print_plan(planned: tuple[PlannedCheck, ...], console: Console) -> None:
    for item in planned:
        note = f"  not measured: {item.obstacle}" if item.obstacle else ""
        faults = f"  inflicts {', '.join(item.check.faults)}" if item.check.faults else ""
        console.print(
            f"{item.check.stage:10} {item.check.name:32} {item.check.title}{faults}{note}",
            highlight=False,
            soft_wrap=True,
        )


def _kept(result: RunResult, folder: Path, *, wanted: bool) -> tuple[tuple[Record, ...], str]:
    """Keep the run; return all that are kept, and what is to be said of it. A run is worth as much without."""
    from shipworthy.gauntlet.history.git import NoHistory
    from shipworthy.gauntlet.history.kept import keep, past

    if not wanted or result.mode == "partial":
        return (), ""
    try:
        keep(result, folder)
        found = past(folder, result.target)
    except NoHistory as why:
        return (), f"This run was not kept: {why}."
    runs = f"{len(found.runs)} run{'' if len(found.runs) == 1 else 's'}"
    return found.runs, f"{runs} kept in this repository: shipworthy history"


def _write(result: RunResult, folder: Path, kept: tuple[Record, ...]) -> list[Path]:
    from shipworthy.gauntlet.report.document import write_json
    from shipworthy.gauntlet.report.html import write_html

    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / "report.html", folder / "report.json"]
        write_html(result, paths[0], kept)
        write_json(result, paths[1])
    except OSError as failed:
        raise click.ClickException(
            f"the report could not be written to {folder} ({failed.strerror}); give --report a folder that is yours"
        ) from failed
    return paths


command.add_command(accept.command)
command.add_command(compare.command)

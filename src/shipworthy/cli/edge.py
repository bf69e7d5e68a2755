"""`shipworthy edge`: what the edge turned away, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipworthy.kernel.edge.reading import Told

_STATE = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The state directory (default: .shipworthy in the app's folder).",
)


@click.group("edge")
def command() -> None:
    """Look at what the edge refused or took note of, and what it looks for.

    \b
    Example:  shipworthy edge events
              shipworthy edge explain 4bf92f35
    """


@command.command("explain")
@click.argument("request_id")
@_STATE
def explain(request_id: str, state: Path | None) -> None:
    """Say why the request REQUEST_ID was turned away, and what to do if that was wrong.

    The id stands in the answer's trace-id header and on its page; its first six digits are enough.
    """
    from shipworthy.kernel.edge.reading import about
    from shipworthy.kernel.telemetry.reading import ID_CHARS_MIN

    wanted = request_id.strip().lower()
    if len(wanted) < ID_CHARS_MIN:
        raise click.UsageError(f"at least {ID_CHARS_MIN} digits of the id are needed, not {request_id!r}")
    found = about(_file(state), wanted)
    if not found:
        raise click.UsageError(
            f"the edge knows of no single request that begins with {wanted}; it turned none away, or long ago"
        )
    for told in found:
        _show(told)


@command.command("events")
@click.option("--most", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@_STATE
def events(most: int, state: Path | None) -> None:
    """List the newest requests that were turned away or noted."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    from shipworthy.kernel.edge.reading import newest

    table = Table("request", "at (UTC)", Column("rule", no_wrap=True), "", "what", "from")
    for told in newest(_file(state), most=most):
        outcome = "[red]refused[/red]" if told.is_refused else "noted"
        at = f"{told.at:%Y-%m-%d %H:%M:%S}"
        table.add_row(told.request_id[:12], at, told.rule, outcome, escape(told.request), told.network)
    Console().print(table)


@command.command("rules")
def rules() -> None:
    """List what the edge looks for, by name, and say whether the Core Rule Set of this app is in use."""
    from shipworthy.cli.project import load_project
    from shipworthy.kernel.edge.attacks import ENOUGH, RULES
    from shipworthy.kernel.edge.crs import CrsMissing, open_crs
    from shipworthy.kernel.edge.guard import SAYS

    for name, says in SAYS.items():
        click.echo(f"{name:22} always   {says}")
    for rule in RULES:
        click.echo(f"{rule.name:22} {'alone   ' if rule.score >= ENOUGH else 'a hint  '} {rule.says}")
    crs = open_crs(load_project().settings.edge.crs_dir)
    said = f"not in use: {crs.why}" if isinstance(crs, CrsMissing) else f"in use, {crs.files} files"
    click.echo(f"Core Rule Set: {said}")


def _file(state: Path | None) -> Path:
    from shipworthy.cli.project import STATE_FOLDER, load_project
    from shipworthy.kernel.edge.events import EDGE_FILE

    folder = state or load_project().home / STATE_FOLDER
    file = folder / EDGE_FILE
    if not file.exists():
        raise click.UsageError(
            f"nothing was turned away yet in {folder}. Let the app run (shipworthy up), or name its --state; "
            "where telemetry.otlp_url is set, the collector has the events"
        )
    return file


def _show(told: Told) -> None:
    outcome = click.style("refused", fg="red") if told.is_refused else "noted, and let through"
    click.echo(f"{click.style(told.rule, bold=True)}  {outcome}")
    click.echo(f"  {told.says}")
    for label, value in (
        ("request", told.request),
        ("where", told.part),
        ("seen", told.excerpt),
        ("from", told.network),
        ("at", f"{told.at:%Y-%m-%d %H:%M:%S} UTC"),
        ("id", told.request_id),
    ):
        if value:
            click.echo(f"  {label:8} {value}")
    click.echo(f"  {told.remedy}")

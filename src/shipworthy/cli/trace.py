"""`shipworthy trace`: what one request did, with the jobs, the PDF and the mail it caused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipworthy.kernel.telemetry.reading import Summary
    from shipworthy.kernel.telemetry.spans import Span

_BAR_CELLS = 40


@click.command("trace")
@click.argument("trace_id", required=False)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The state directory (default: .shipworthy in the app's folder).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the spans as JSON lines.")
def command(trace_id: str | None, state: Path | None, as_json: bool) -> None:
    """Show the trace TRACE_ID as a waterfall, or list the newest ones.

    The id stands in the error page, in each line of the log, in the job and in the mail; its first
    six digits are enough. A share of the requests is kept (telemetry.sample_percent), and each failure.

    \b
    Example:  shipworthy trace
              shipworthy trace 4bf92f35
    """
    from shipworthy.cli.project import STATE_FOLDER, load_project
    from shipworthy.kernel.telemetry.export import TRACES_FILE
    from shipworthy.kernel.telemetry.reading import ID_CHARS_MIN, read_trace, recent

    folder = state or load_project().home / STATE_FOLDER
    file = folder / TRACES_FILE
    if not file.exists():
        raise click.UsageError(
            f"no trace is kept in {folder}. Let the app run (shipworthy up), or name its --state; where "
            "telemetry.otlp_url is set, the collector has them"
        )
    if trace_id is None:
        _list(recent(file, most=20))
        return
    wanted = trace_id.strip().lower()
    if len(wanted) < ID_CHARS_MIN:
        raise click.UsageError(f"at least {ID_CHARS_MIN} digits of the id are needed, not {trace_id!r}")
    spans = read_trace(file, wanted)
    if not spans:
        raise click.UsageError(
            f"no single trace begins with {wanted}. It may not have been sampled: raise telemetry.sample_percent"
        )
    if as_json:
        import msgspec

        for span in spans:
            click.echo(msgspec.json.encode(span).decode())
        return
    _show(spans)


def _list(traces: list[Summary]) -> None:
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("trace", "at (UTC)", "what", "ms", "spans", "")
    for one in traces:
        at = datetime.fromtimestamp(one.started_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")
        failed = "[red]failed[/red]" if one.is_error else ""
        table.add_row(one.trace_id[:12], at, escape(one.name), f"{one.took_ms:.1f}", str(one.spans), failed)
    Console().print(table)


def _show(spans: list[Span]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from shipworthy.kernel.telemetry.reading import waterfall

    bars = waterfall(spans)
    table = Table("what", "where", "ms", "", title=f"trace {spans[0].trace_id}", title_justify="left")
    for bar in bars:
        start = round(bar.left * _BAR_CELLS)
        length = max(1, round(bar.width * _BAR_CELLS))
        style = "red" if bar.span.is_error else "cyan"
        drawn = f"{' ' * min(start, _BAR_CELLS - 1)}[{style}]{'━' * min(length, _BAR_CELLS - start or 1)}[/{style}]"
        table.add_row(
            f"{'  ' * bar.depth}{escape(bar.span.name)}", bar.span.service, f"{bar.took_ms:.1f}", drawn
        )
    console = Console()
    console.print(table)
    for bar in bars:
        for event in bar.span.events:
            facts = event.attributes
            console.print(
                f"{bar.span.name}: {facts.get('exception.type')}: {facts.get('exception.message', '')}",
                style="red",
                markup=False,
            )

"""`shipworthy explain`: one finding of a report, or all of them for an agent, a code host or a CI server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipworthy.cli.options import REPORT

if TYPE_CHECKING:
    from shipworthy.contract.finding import Finding, RunResult

SHOWN_MAX = 12


@click.command("explain")
@click.argument("finding", required=False)
@REPORT
@click.option(
    "--format",
    "view",
    type=click.Choice(["agent", "markdown", "sarif", "junit"]),
    default=None,
    help="The whole report: as tasks for a coding agent, for a pull request, for a code host, for a CI server.",
)
def command(finding: str | None, report: Path, view: str | None) -> None:
    """Say everything about a FINDING of the last report, by its id or a part of it.

    Without one, list what failed and what was undecided, most urgent first.

    \b
    Example:  shipworthy explain
              shipworthy explain invoice_list
              shipworthy explain --format agent > tasks.md
              shipworthy explain --format sarif > gauntlet.sarif
    """
    from shipworthy.gauntlet.report.views import VIEWS
    from shipworthy.gauntlet.report.views.told import told

    if finding and view:
        raise click.UsageError("give either a FINDING or --format: a format shows the whole report")
    result = read_report(report)
    if view:
        click.echo(VIEWS[view](result), nl=False)
    elif finding:
        click.echo(told(_one(result, finding)), nl=False)
    else:
        _list(result)


def read_report(report: Path) -> RunResult:
    """Return the run of a report's folder, or of its report.json. Errors: ClickException."""
    from shipworthy.gauntlet.report.document import read_json

    path = report / "report.json" if report.is_dir() or not report.suffix else report
    try:
        return read_json(path)
    except FileNotFoundError:
        raise click.ClickException(
            f"there is no {path}. Run shipworthy gauntlet first, or give --report"
        ) from None
    except (OSError, ValueError) as unreadable:
        raise click.ClickException(f"{path} cannot be read: {unreadable}") from unreadable


def _one(result: RunResult, wanted: str) -> Finding:
    import difflib

    from shipworthy.contract.finding import most_urgent_first

    found = most_urgent_first(result.findings)
    exact = [one for one in found if one.id == wanted]
    partly = exact or [one for one in found if wanted in one.id]
    if not partly:
        near = difflib.get_close_matches(wanted, [one.id for one in found], n=3, cutoff=0.4)
        hint = f" Did you mean {', '.join(near)}?" if near else " Without an id, what is open is listed."
        raise click.UsageError(f"the report has no finding {wanted!r}.{hint}")
    urgent = [one for one in partly if one.verdict is partly[0].verdict]
    if len(urgent) > 1:  # of one that failed and ten that held, the one is meant
        shown = "\n".join(f"  {one.verdict:13} {one.id}" for one in urgent[:SHOWN_MAX])
        more = f"\n  and {len(urgent) - SHOWN_MAX} more" if len(urgent) > SHOWN_MAX else ""
        raise click.UsageError(f"{len(urgent)} findings are called so:\n{shown}{more}")
    return urgent[0]


def _list(result: RunResult) -> None:
    from shipworthy.contract.finding import most_urgent_first
    from shipworthy.contract.verdict import Verdict
    from shipworthy.gauntlet.report.words import in_line, verdict_sentence

    click.echo(f"{verdict_sentence(result)}\n")
    for one in most_urgent_first(result.findings):
        if one.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
            click.echo(
                f"{one.severity:9} {in_line(one.title, 160)}\n{'':10}shipworthy explain '{in_line(one.id, 200)}'\n"
            )

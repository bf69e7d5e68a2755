"""What the runs before this one show: their verdicts, and the measures that are worth following.

Shared by the page and the terminal. Nothing here is a verdict: stored numbers of other hours are no gate.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.history.kept import Past
from shipworthy.gauntlet.history.record import BETWEEN, Record
from shipworthy.gauntlet.history.trends import Trend, trends
from shipworthy.gauntlet.report import charts
from shipworthy.gauntlet.report.ink import STYLE, sign
from shipworthy.gauntlet.report.markup import Html, tag
from shipworthy.gauntlet.report.parts import TONE, cell, row, section, table
from shipworthy.gauntlet.report.words import (
    amount,
    duration,
    in_line,
    percent,
    plural,
    whole_percent,
)

RUNS_MIN = 3  # with two there is no trend
RUNS_SHOWN = 20
RUNS_DRAWN = 120  # of a series on the page: about as many as there are pixels for
TRENDS_SHOWN = 24
SPARK_CHARS = 24
_LEVELS = "▁▂▃▄▅▆▇█"


def over_time_section(runs: Sequence[Record]) -> Html | None:
    """Return the page's section, or nothing where too few runs were kept."""
    if len(runs) < RUNS_MIN:
        return None
    found = trends(runs)
    heads = [("", "Measure"), ("spark", "Runs"), ("number", "Now"), ("number", "Bound"), ("", "Changed")]
    rows = [_trend_row(trend) for trend in found[:TRENDS_SHOWN]]
    lead = (
        f"The last {plural(len(runs), 'run')}, {_span(runs)}. A change is what chance alone makes "
        "less than once in twenty such reports; it is no verdict, and its run is where to look."
    )
    body = table(heads, rows) if found else tag("p", "No measure was taken in these runs.", class_="soft")
    return section(
        "Over time", charts.verdicts([_tone(r) for r in runs[-RUNS_DRAWN:]]), body, id_="over-time", lead=lead
    )


def print_history(past: Past, console: Console, *, pattern: str = "") -> None:
    """Print the runs, the newest last, and the series that fit the pattern."""
    runs = past.runs[-RUNS_SHOWN:]
    heads = ("when (UTC)", "commit", "mode", "verdict", "failed", "undecided", "covered", "took")
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in heads:
        grid.add_column(head, no_wrap=True, justify="right" if head in heads[4:] else "left")
    for record in runs:
        grid.add_row(*_run_row(record, console))
    if len(past.runs) > len(runs):
        _say(console, Text(f"The last {len(runs)} of {len(past.runs)} runs.", style="dim"))
    console.print(Padding(grid, (0, 0, 0, 1), expand=False), highlight=False)
    found = [trend for trend in trends(past.runs) if pattern in trend.name]
    if found:
        console.print()
        console.print(Padding(_trend_grid(found[:TRENDS_SHOWN]), (0, 0, 0, 1), expand=False), highlight=False)
    if len(found) > TRENDS_SHOWN:
        _say(
            console,
            Text(f"and {len(found) - TRENDS_SHOWN} more; --series PART shows those that fit", style="dim"),
        )
    if past.unreadable:
        said = f"{plural(past.unreadable, 'run')} could not be read: kept by a newer Shipworthy, or broken."
        _say(console, Text(said, style="yellow"))
    if past.is_shallow:
        said = "This clone is shallow. What others kept comes with: shipworthy history --unite origin"
        _say(console, Text(said, style="dim"))


def sparkline(values: Sequence[float], width: int = SPARK_CHARS) -> str:
    """Return the last values as a line of blocks, from the least to the most of them."""
    shown = values[-width:]
    low, high = min(shown), max(shown)
    if high == low:
        return _LEVELS[3] * len(shown)
    return "".join(_LEVELS[min(7, int((value - low) / (high - low) * 8))] for value in shown)


def changed(trend: Trend) -> str:
    """Say since when a measure is as it is, and by how much it changed."""
    if trend.change is None or trend.since is None:
        return ""
    of = in_line(trend.since.commit or trend.since.started_at[:10], 20)
    before, after = (amount(value, trend.unit) for value in (trend.change.before, trend.change.after))
    chance = f", by chance {percent(trend.change.p_value)}" if trend.change.p_value else ""
    return f"{before} to {after} since {of}{chance}"


def _trend_row(trend: Trend) -> Html:
    name, measure = _name_of(trend)
    tone = "" if trend.change is None else "v-fail" if trend.is_worse else "v-pass"
    hidden = max(0, len(trend.values) - RUNS_DRAWN)
    place = trend.change.at - hidden if trend.change and trend.change.at >= hidden else None
    return row(
        cell(tag("b", measure), " ", tag("small", name)),
        cell(charts.spark(trend.values[hidden:], bound=trend.bound, changed_at=place), class_="spark"),
        cell(amount(trend.last, trend.unit), class_="number", label="Now"),
        cell(
            amount(trend.bound, trend.unit) if trend.bound is not None else "", class_="number", label="Bound"
        ),
        cell(changed(trend), class_=tone or None, label="Changed" if trend.change else None),
    )


def _trend_grid(found: Sequence[Trend]) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in ("measure", "runs", "now", "bound", "changed"):
        grid.add_column(
            head,
            no_wrap=head != "measure",
            overflow="fold",
            justify="right" if head in ("now", "bound") else "left",
        )
    for trend in found:
        grid.add_row(
            Text(" ".join(reversed(_name_of(trend)))),
            Text(sparkline(trend.values)),
            Text(amount(trend.last, trend.unit)),
            Text(amount(trend.bound, trend.unit) if trend.bound is not None else ""),
            Text(changed(trend), style="red" if trend.is_worse else "green"),
        )
    return grid


def _run_row(record: Record, console: Console) -> tuple[Text, ...]:
    verdict = record.verdict if record.valid else Verdict.INCONCLUSIVE
    word = str(record.verdict) if record.valid else "INVALID RUN"
    counts = [record.counts.get(str(v), 0) for v in (Verdict.FAIL, Verdict.INCONCLUSIVE)]
    return (
        Text(in_line(record.started_at[:16].replace("T", " "), 20)),
        Text(in_line(record.commit, 16)),
        Text(in_line(record.mode, 8)),
        Text.assemble(sign(verdict, console), " ", (word, STYLE[verdict])),
        Text(f"{counts[0]:,}", style="red" if counts[0] else ""),
        Text(f"{counts[1]:,}"),
        Text(whole_percent(record.coverage)),
        Text(duration(record.duration_s)),
    )


def _name_of(trend: Trend) -> tuple[str, str]:
    """Return the finding and the measure."""
    finding, _, measure = trend.name.rpartition(BETWEEN)
    return in_line(finding, 90), in_line(measure, 60)


def _tone(record: Record) -> tuple[str, str]:
    word = str(record.verdict) if record.valid else "INVALID RUN"
    of = f" at {record.commit}" if record.commit else ""
    said = in_line(f"{record.started_at[:16]}{of}: {word}", 90)
    return TONE[record.verdict] if record.valid else "open", said


def _span(runs: Sequence[Record]) -> str:
    first, last = runs[0].started_at[:10], runs[-1].started_at[:10]
    return f"of {first}" if first == last else f"from {first} to {last}"


def _say(console: Console, what: Text) -> None:
    console.print(Text(" ") + what, soft_wrap=True, highlight=False)

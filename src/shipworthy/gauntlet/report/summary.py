"""The final screen: verdict, objectives, failures with what to do, and what was not measured.

Whatever the examined app said is printed as `Text`, never as markup, and without control
characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shipworthy.contract.finding import Finding, GateErrorRates, Measure, RunResult
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.ink import STYLE, interval_bar, sign
from shipworthy.gauntlet.report.reading import Gap, deciding_measure, gaps, objectives, p95_of, with_verdict
from shipworthy.gauntlet.report.words import (
    VERDICT_WORD,
    amount,
    bound,
    clip,
    coverage_sentence,
    coverage_short,
    duration,
    in_line,
    labels,
    measured,
    percent,
    plural,
    printable,
    repro_command,
    tally,
    verdict_sentence,
)

FINDINGS_MAX = 10  # more would scroll the verdict out of sight; the report has them all
WIDTH_MAX = 110  # prose wider than this is hard to read
BAR_FROM = 96  # columns a terminal must have before the objectives get their drawn interval


def print_summary(result: RunResult, console: Console, report_paths: Sequence[Path] = ()) -> None:
    """Print the run's conclusion; the paths are those of the written reports, best first."""
    for block in _blocks(result, console, report_paths):
        console.print()
        for part in block:
            if isinstance(part, Text) and part.no_wrap:
                # The terminal wraps it, not we: what is copied from it stays one line.
                console.print(Text(" ") + part, soft_wrap=True, highlight=False)
            else:
                padded = Padding(part, (0, 0, 0, 1), expand=False)
                console.print(padded, width=min(console.width, WIDTH_MAX), highlight=False)
    console.print()


Block = Sequence[RenderableType]  # what stands together, without an empty line


def _blocks(result: RunResult, console: Console, report_paths: Sequence[Path]) -> Iterator[Block]:
    yield from _verdict(result, console)
    if found := objectives(result):
        yield [_heading("Objectives"), _objectives(found, console, is_valid=result.valid)]
    for verdict, heading in ((Verdict.FAIL, "Failed"), (Verdict.INCONCLUSIVE, "Undecided")):
        yield from _findings(with_verdict(result, verdict), heading, console)
    if missing := gaps(result):
        yield _gaps(missing, console)
    yield _trust(result)
    if report_paths:
        yield _reports(report_paths)


def _verdict(result: RunResult, console: Console) -> Iterator[Block]:
    verdict = result.verdict if result.valid else Verdict.INCONCLUSIVE
    word = str(result.verdict) if result.valid else "INVALID RUN"
    head = Text.assemble(sign(verdict, console), " ", (word, f"bold {STYLE[verdict]}"))
    for label in labels(result):
        head.append(f"   {label}")
    yield [head]
    yield [Text(verdict_sentence(result), style="bold")]
    yield [_counts(result, console)]


def _counts(result: RunResult, console: Console) -> Text:
    count, line = tally(result.findings), Text()
    for verdict, word in VERDICT_WORD.items():
        if count[verdict]:
            line += Text.assemble(sign(verdict, console), f" {count[verdict]:,} {word}   ")
    line.append(f"covered: {coverage_short(result)}   {duration(result.duration_s)}", style="dim")
    return line


def _heading(text: str) -> Text:
    return Text(text, style="bold underline")


def _objectives(found: Sequence[Finding], console: Console, *, is_valid: bool) -> Table:
    has_bar = console.width >= BAR_FROM
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
    table.add_column("", width=1)
    table.add_column("journey", min_width=8, overflow="ellipsis", no_wrap=True)
    table.add_column("p95", justify="right", no_wrap=True)
    if has_bar:
        table.add_column("", width=24)
    table.add_column("too slow or failed", no_wrap=True)
    table.add_column("allowed", justify="right", no_wrap=True)
    table.add_column("requests", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for finding in found:
        cells = _objective_cells(finding, has_bar, console)
        table.add_row(*(cells if is_valid else ["", *cells[1:-1], Text("NOT COUNTED", style="dim")]))
    return table


def _objective_cells(finding: Finding, has_bar: bool, console: Console) -> list[RenderableType]:
    name = Text(in_line(finding.subject, 40))
    word = Text(str(finding.verdict), style=STYLE[finding.verdict])
    measure, p95 = deciding_measure(finding), p95_of(finding)
    if measure is None or finding.verdict is Verdict.NOT_MEASURED:
        return [sign(finding.verdict, console), name, *[""] * (4 + has_bar), word]
    bar = [interval_bar(measure, finding.verdict, width=24, console=console)] if has_bar else []
    return [
        sign(finding.verdict, console),
        name,
        amount(p95.estimate, "ms") if p95 else "",
        *bar,
        Text(measured(measure)),
        Text(amount(measure.bound, measure.unit) if measure.bound is not None else ""),
        f"{measure.samples:,}" if measure.samples is not None else "",
        word,
    ]


def _findings(found: Sequence[Finding], heading: str, console: Console) -> Iterator[Block]:
    for position, finding in enumerate(found[:FINDINGS_MAX]):
        yield [*([] if position else [_heading(heading)]), *_finding(finding, console)]
    if len(found) > FINDINGS_MAX:
        yield [Text(f"and {len(found) - FINDINGS_MAX:,} more, in the report", style="dim")]


def _finding(finding: Finding, console: Console) -> Block:
    head = Text.assemble(sign(finding.verdict, console), " ", (in_line(finding.title, 240), "bold"))
    head.append(f"  {finding.severity}", style="dim")
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style="dim", width=6)
    facts.add_column(overflow="fold")
    for name, text in _facts(finding):
        facts.add_row(name, Text(text))
    command = Text.assemble(("  $ ", "dim"), repro_command(finding), no_wrap=True)
    return [head, Padding(facts, (0, 0, 0, 2), expand=False), command]


def _facts(finding: Finding) -> Iterator[tuple[str, str]]:
    if finding.cause:
        yield "cause", in_line(finding.cause, 600)
    if finding.measures:
        yield "seen", "; ".join(_measure(m) for m in finding.measures[:4])
    if finding.source:
        yield "where", in_line(finding.source, 200)
    if finding.fix:
        yield "fix", clip(printable(finding.fix).strip(), 600)


def _measure(measure: Measure) -> str:
    name = "" if measure.name == measure.unit else f"{in_line(measure.name, 80)} "
    return f"{name}{measured(measure)}" + (f", {bound(measure)}" if measure.bound is not None else "")


def _gaps(missing: Sequence[Gap], console: Console) -> Block:
    rows: list[RenderableType] = [_gap(gap, console) for gap in missing[:FINDINGS_MAX]]
    if len(missing) > FINDINGS_MAX:
        rows.append(Text(f"and {len(missing) - FINDINGS_MAX:,} more reasons, in the report", style="dim"))
    return [_heading("Not measured"), *rows]


def _gap(gap: Gap, console: Console) -> RenderableType:
    names = [in_line(f.id, 60) for f in gap.findings]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    said = Text.assemble(f"{in_line(gap.reason, 300)} ", (in_line(gap.fix, 300), "italic"))
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(sign(Verdict.NOT_MEASURED, console), said)
    grid.add_row("", Text(f"{plural(len(names), 'check')}: {', '.join(names[:4])}{more}", style="dim"))
    return grid


def _trust(result: RunResult) -> Block:
    lines = [Text.assemble("Coverage ", (coverage_short(result), "bold"), f": {coverage_sentence(result)}")]
    if objectives(result):
        lines += [_error_rates(rates) for rates in result.error_rates[:4]]
    if result.valid:
        lines += [Text(in_line(note, 300), style="dim") for note in result.notes[:FINDINGS_MAX]]
    return [_heading("How far to trust this"), *lines]


def _error_rates(rates: GateErrorRates) -> Text:
    return Text(
        f"Gate {in_line(rates.rule, 80)}: passes what should fail {_range(rates.false_pass)}, "
        f"fails what should pass {_range(rates.false_fail)}, by the kind of noise."
    )


def _range(rates: dict[str, float]) -> str:
    if not rates:
        return "at a rate not simulated"
    low, high = min(rates.values()), max(rates.values())
    return percent(low) if low == high else f"{percent(low)} to {percent(high)} of the time"


def _reports(paths: Sequence[Path]) -> Block:
    heads = ["Report", *[""] * (len(paths) - 1)]
    return [
        Text.assemble((f"{head:<8}", "bold"), str(path), no_wrap=True)
        for head, path in zip(heads, paths, strict=True)
    ]

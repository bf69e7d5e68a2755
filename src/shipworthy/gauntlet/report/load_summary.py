"""What a load by itself prints: a line a journey, what failed, and how far the generator can be trusted."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shipworthy.contract.verdict import ExitCode, Verdict
from shipworthy.gauntlet.load.result import JourneyResult, LoadResult
from shipworthy.gauntlet.report.ink import STYLE, sign
from shipworthy.gauntlet.report.words import in_line, percent
from shipworthy.judge.exceedance import QUICK, SloJudgement, judge_slo
from shipworthy.judge.validity import is_run_valid

WIDE_FROM = 110  # columns a terminal must have for what the server did and the objective to stand beside


def judged(result: LoadResult) -> list[tuple[JourneyResult, SloJudgement]]:
    """Return each journey with what the quick rule says of it; a shard alone is not judged."""
    return [(j, judge_slo(j.blocks, quantile=j.slo.quantile, rule=QUICK)) for j in result.journeys]


def exit_code_of(result: LoadResult) -> ExitCode:
    """Return the documented exit code. A shard that was offered is a success: its merge is judged."""
    if result.aborted or not _is_valid(result):
        return ExitCode.INVALID_RUN
    if result.shard[1] > 1:
        return ExitCode.PASS
    verdicts = [judgement.verdict for _, judgement in judged(result)]
    if Verdict.FAIL in verdicts:
        return ExitCode.FAIL
    return ExitCode.INCONCLUSIVE if Verdict.INCONCLUSIVE in verdicts else ExitCode.PASS


def print_load(result: LoadResult, console: Console) -> None:
    """Print the load's conclusion."""
    is_part = result.shard[1] > 1
    _say(console, _headline(result, is_part=is_part))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    is_wide = console.width >= WIDE_FROM
    heads = ("journey", "requests", "failed", "p50", "p95", "p99", "served p95", "objective", "")
    shown = [place for place in range(len(heads)) if is_wide or place not in (6, 7)]
    for place in shown:
        table.add_column(heads[place], justify="right" if 0 < place < 7 else "left", no_wrap=True)
    for journey, judgement in judged(result):
        row = _row(journey, judgement, console, is_part=is_part)
        table.add_row(*(row[place] for place in shown))
    _say(console, table)
    for journey in result.journeys:
        for code, times in sorted({**journey.failures, **journey.observed}.items(), key=lambda c: -c[1])[:5]:
            sample = in_line(journey.samples.get(code, ""), 120)
            _say(console, Text(f"{journey.journey}: {times} times {code}  {sample}".rstrip(), style="red"))
    _say(console, Text(_trust(result), style="dim"))


def _headline(result: LoadResult, *, is_part: bool) -> Text:
    name = in_line(result.name, 60)
    if result.aborted:
        return Text(f"The load of {name} was given up: {result.aborted}", style="red")
    if not _is_valid(result):
        return Text(f"This load of {name} does not count: the generator fell behind.", style="bold yellow")
    if is_part:
        place, of = result.shard
        return Text(f"Shard {place} of {of} of the load of {name}. Merge all {of} to judge it.", style="bold")
    return Text(f"Load of {name}, from {result.started_at}", style="bold")


def _row(
    journey: JourneyResult, judgement: SloJudgement, console: Console, *, is_part: bool
) -> tuple[Text, ...]:
    failed = sum(journey.failures.values())
    slo = journey.slo
    said = Text("")
    if not is_part:
        said = Text.assemble(
            sign(judgement.verdict, console), " ", (str(judgement.verdict), STYLE[judgement.verdict])
        )
    return (
        Text(in_line(journey.journey, 30)),
        Text(f"{journey.requests:,}"),
        Text(f"{failed:,}", style="red" if failed else ""),
        *(Text(f"{journey.latency_ms(q):,.1f} ms") for q in (0.5, 0.95, 0.99)),
        Text(f"{journey.service.quantile(0.95) / 1000:,.1f} ms"),
        Text(f"{percent(slo.quantile)} within {slo.threshold_ms:g} ms"),
        said,
    )


def _trust(result: LoadResult) -> str:
    requests = sum(j.requests for j in result.journeys)
    cost = f", {result.cpu_s / requests * 1e6:,.0f} us of its CPU a request" if requests else ""
    void = sum(block.void for block in result.journeys[0].blocks) if result.journeys else 0
    return (
        f"Seed {result.seed}. {result.offered:,} arrivals, {result.dropped:,} dropped, "
        f"{result.connections_opened:,} connections. The generator sent within {result.lag_ms_p99:.2f} ms of the "
        f"intended moment (p99){cost}; {void} of {len(result.audits)} blocks are void."
    )


def _is_valid(result: LoadResult) -> bool:
    return all(is_run_valid([block.void for block in j.blocks]) for j in result.journeys)


def _say(console: Console, what: Text | Table) -> None:
    if isinstance(what, Text):
        console.print(
            Text(" ") + what, soft_wrap=True, highlight=False
        )  # copied from a terminal, it stays one line
    else:
        console.print(Padding(what, (0, 0, 0, 1), expand=False), highlight=False)

"""What `gauntlet compare` prints: a line a journey and quantile, and the sentence that all of them come to."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shipworthy.contract.verdict import ExitCode, Verdict, exit_code
from shipworthy.gauntlet.compare import Compared, Comparison
from shipworthy.gauntlet.report.ink import STYLE, sign
from shipworthy.gauntlet.report.words import amount, in_line
from shipworthy.judge.regression import RegressionJudgement


def exit_code_of_comparison(found: Comparison) -> ExitCode:
    """Return how the command ends: 0 no slower, 1 a regression, 3 undecided, 4 no valid run."""
    return exit_code(found.verdict) if found.is_valid else ExitCode.INVALID_RUN


def comparison_document(found: Comparison) -> dict[str, Any]:
    """Return the comparison as JSON data."""
    return {
        "base": found.base,
        "head": found.head,
        "verdict": str(found.verdict),
        "valid": found.is_valid,
        "exit_code": int(exit_code_of_comparison(found)),
        "left_out": list(found.left_out),
        "journeys": [
            {
                "journey": one.journey,
                "requests": one.requests,
                "failures": {"base": one.base_failed, "head": one.head_failed, "verdict": str(one.failures)},
                "quantiles": {name: _judgement(j) for name, j in one.by_quantile.items()},
            }
            for one in found.journeys
        ],
    }


def print_comparison(found: Comparison, console: Console) -> None:
    """Print the comparison."""
    _say(console, Text(sentence(found), style="bold"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for place, head in enumerate(("journey", "", "before", "after", "change", "surely within", "verdict")):
        table.add_column(head, justify="right" if place in (2, 3, 4) else "left", no_wrap=True)
    for one in found.journeys:
        for row in _rows(one, console):
            table.add_row(*row)
    console.print(Padding(table, (0, 0, 0, 1), expand=False), highlight=False)
    for one in found.journeys:
        for name, judgement in one.by_quantile.items():
            if judgement.verdict is not Verdict.PASS:
                _say(console, Text(f"{one.journey} {name}: {judgement.reason}", style="dim"))
        if one.failures is not Verdict.PASS:
            said = f"{one.journey}: {one.head_failed:,} of {one.requests:,} requests failed, {one.base_failed:,} before"
            _say(console, Text(f"{said}; most often {in_line(one.worst_failure, 80)}.", style="red"))
    if found.left_out:
        _say(
            console,
            Text(f"Only one of them declares: {', '.join(found.left_out)}. Not compared.", style="dim"),
        )


def sentence(found: Comparison) -> str:
    """Say in one sentence what came of it."""
    base, head = in_line(found.base, 60), in_line(found.head, 60)
    if not found.is_valid:
        return f"This comparison of {base} and {head} does not count: the generator fell behind."
    return {
        Verdict.PASS: f"{head} is no slower than {base}, and fails no more.",
        Verdict.FAIL: f"{head} is worse than {base}.",
        Verdict.INCONCLUSIVE: f"Whether {head} is slower than {base} could not be decided. Measure longer: --for 15m.",
    }.get(found.verdict, f"Nothing of {head} could be compared with {base}.")


def _rows(one: Compared, console: Console) -> list[tuple[Text, ...]]:
    rows: list[tuple[Text, ...]] = []
    for name, j in one.by_quantile.items():
        bounds = f"{j.low - 1:+.0%} to {j.high - 1:+.0%}" if j.low > 0 else ""
        rows.append(
            (
                Text(in_line(one.journey, 30) if not rows else ""),
                Text(name),
                Text(amount(j.base_ms, "ms")),
                Text(amount(j.head_ms, "ms")),
                Text(f"{j.ratio - 1:+.1%}" if bounds else ""),
                Text(bounds),
                Text.assemble(sign(j.verdict, console), " ", (str(j.verdict), STYLE[j.verdict])),
            )
        )
    return rows


def _judgement(j: RegressionJudgement) -> dict[str, Any]:
    is_known = j.low > 0
    return {
        "verdict": str(j.verdict),
        "reason": j.reason,
        "base_ms": j.base_ms,
        "head_ms": j.head_ms,
        "ratio": j.ratio if is_known else None,
        "low": j.low if is_known else None,
        "high": j.high if is_known else None,
        "p_value": j.p_value,
        "blocks": j.blocks,
    }


def _say(console: Console, what: Text) -> None:
    console.print(Text(" ") + what, soft_wrap=True, highlight=False)

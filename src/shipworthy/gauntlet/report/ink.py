"""The terminal's signs and colours: every verdict has both, and the sign alone is enough."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from shipworthy.contract.finding import Measure
from shipworthy.contract.verdict import Verdict

STYLE = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_MEASURED: "cyan",
}

_SIGNS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.INCONCLUSIVE: "~",
    Verdict.NOT_MEASURED: "○",
}
_ASCII_SIGNS = {
    Verdict.PASS: "+",
    Verdict.FAIL: "x",
    Verdict.INCONCLUSIVE: "~",
    Verdict.NOT_MEASURED: "o",
}


def sign(verdict: Verdict, console: Console) -> Text:
    """Return the verdict's sign in its colour, in letters the terminal's encoding has."""
    signs = _ASCII_SIGNS if console.options.ascii_only else _SIGNS
    return Text(signs[verdict], style=STYLE[verdict])


def interval_bar(measure: Measure, verdict: Verdict, *, width: int, console: Console) -> Text:
    """Return an interval on a line with the bound as a bar across it."""
    rest, part, limit = "-=|" if console.options.ascii_only else "─━┃"
    if measure.bound is None:
        return Text()
    low = measure.estimate if measure.low is None else measure.low
    high = measure.estimate if measure.high is None else measure.high
    whole = max(measure.bound * 1.6, high * 1.08, 1e-9)
    cells = [(rest, "dim")] * width
    first, last = _cell(low, whole, width), _cell(high, whole, width)
    cells[first : last + 1] = [(part, STYLE[verdict])] * (last + 1 - first)
    cells[_cell(measure.bound, whole, width)] = (limit, "bold")
    return Text.assemble(*cells)


def _cell(value: float, whole: float, width: int) -> int:
    return max(0, min(width - 1, int(value / whole * width + 1e-9)))

"""Charts as figures a template draws: where each bar stands, and what it says. Knows neither HTML nor currencies.

Units:   positions in the view box of the drawing; nothing is measured from the browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from shipworthy.kernel.money.rounding import round_minor

HEIGHT = 100
SLOT = 20  # the width a group of bars has
_BAR = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar of a chart. Positions are text, so that no template makes binary fractions of them."""

    series: str
    x: int
    y: str
    height: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """Groups of bars beside each other; `zero` is where the base line stands, below it is what is negative."""

    width: int
    zero: str
    bars: tuple[Bar, ...]


def bar_chart(groups: Sequence[Sequence[int]], *, series: Sequence[str]) -> BarChart:
    """Return a chart whose highest value reaches the top; amounts below zero hang from the base line."""
    values = [value for group in groups for value in group]
    high, low = max([0, *values]), min([0, *values])
    span = high - low
    zero = _scaled(high, span) if span else HEIGHT * 100
    bars = []
    for place, group in enumerate(groups):
        left = place * SLOT + (SLOT - _BAR * len(series)) // 2
        for n, (name, value) in enumerate(zip(series, group, strict=True)):
            height = _scaled(abs(value), span)
            top = zero if value < 0 else zero - height
            bars.append(Bar(series=name, x=left + n * _BAR, y=_text(top), height=_text(height)))
    return BarChart(width=len(groups) * SLOT, zero=_text(zero), bars=tuple(bars))


def share(value: int, *, of: int) -> str:
    """Return how far a bar of a list reaches, of 100; what is not above nothing has none."""
    return _text(_scaled(max(value, 0), of)) if of > 0 else "0"


def _scaled(value: int, span: int) -> int:
    """Return the place of a value in hundredths of the drawing's units."""
    return round_minor(Fraction(value * HEIGHT * 100, span)) if span else 0


def _text(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"

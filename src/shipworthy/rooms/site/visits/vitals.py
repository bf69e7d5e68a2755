"""What browsers felt: counts by span, the 75th percentile of them, and whether that is good. Pure.

Source:  web.dev/articles/vitals: good up to 2.5 s, 200 ms and 0.1; poor above 4 s, 500 ms and 0.25; at p75.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

# The upper ends of the spans, the two bounds of each vital among them: whether it is good is never guessed.
# The last one is for all that is more.
SPANS = {
    "lcp": (
        250,
        500,
        750,
        1_000,
        1_250,
        1_500,
        1_750,
        2_000,
        2_250,
        2_500,
        3_000,
        3_500,
        4_000,
        6_000,
        8_000,
        60_000,
    ),
    "inp": (25, 50, 75, 100, 125, 150, 200, 250, 300, 400, 500, 750, 1_000, 10_000),
    "cls": (0, 10, 25, 50, 75, 100, 150, 200, 250, 500, 1_000, 10_000),
}
GOOD = {"lcp": 2_500, "inp": 200, "cls": 100}
POOR = {"lcp": 4_000, "inp": 500, "cls": 250}
ENOUGH = 20  # visits; a percentile of fewer is chance


@dataclass(frozen=True)
class Vital:
    """One vital at its 75th percentile. Units: milliseconds; `cls` in thousandths."""

    kind: str
    p75: int
    samples: int

    @property
    def verdict(self) -> str:
        if self.p75 <= GOOD[self.kind]:
            return "good"
        return "poor" if self.p75 > POOR[self.kind] else "needs work"


def span_of(kind: str, value: int) -> int:
    """Return the upper end of the span a value lies in."""
    spans = SPANS[kind]
    return spans[min(bisect_left(spans, value), len(spans) - 1)]


def p75(kind: str, counts: Mapping[int, int]) -> Vital | None:
    """Return the span's end that three quarters do not pass; None of too few visits to say."""
    samples = sum(counts.values())
    if samples < ENOUGH:
        return None
    left = -(-3 * samples // 4)
    for end in sorted(counts):
        left -= counts[end]
        if left <= 0:
            return Vital(kind, end, samples)
    raise AssertionError("three quarters are not more than all")

"""Core Web Vitals: which, what is good, and when enough was seen. Pure: numbers in, verdicts out.

A median of five is known before the fifth visit as soon as three lie on one side of the bound: then
the others are not made. The verdict is that of all five.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipworthy.contract.finding import Measure
from shipworthy.contract.manifest import Budget, Slo
from shipworthy.gauntlet.visit import Vitals


@dataclass(frozen=True, kw_only=True)
class Vital:
    """One of them. `good` is web.dev's bound; `is_timed` says that a busy machine makes it worse."""

    name: str  # as people know it
    key: str  # of Vitals, and the kind of its budget
    unit: str
    good: float
    is_timed: bool
    fix: str


# Bounds: web.dev/articles/{lcp,cls,fcp,ttfb,tbt}, "good", as of 2026-11.
VITALS = (
    Vital(
        name="LCP",
        key="lcp_ms",
        unit="ms",
        good=2_500,
        is_timed=True,
        fix="Put what is largest into the HTML itself, without waiting for a script or a style that another one names; "
        "give its image a size, fetchpriority=high and no loading=lazy.",
    ),
    Vital(
        name="CLS",
        key="cls",
        unit="",
        good=0.1,
        is_timed=False,
        fix="Give images, frames and what comes late its width and height, and let nothing be put above what is read.",
    ),
    Vital(
        name="FCP",
        key="fcp_ms",
        unit="ms",
        good=1_800,
        is_timed=True,
        fix="Let nothing stand in the head that is fetched before the first paint but one small style sheet.",
    ),
    Vital(
        name="TTFB",
        key="ttfb_ms",
        unit="ms",
        good=800,
        is_timed=True,
        fix="Look at what the route asks of the database (budget.queries_per_route), and keep what is the same for all.",
    ),
    Vital(
        name="TBT",
        key="tbt_ms",
        unit="ms",
        good=200,
        is_timed=True,
        fix="Send less script, defer what the first view does not need, and cut tasks longer than 50 ms in pieces.",
    ),
)


def bounds_of(
    path: str, *, slo: str | None, slos: Sequence[Slo], budgets: Sequence[Budget]
) -> dict[str, float]:
    """Return the bound of each vital at a page: its own budget, else everyone's, else its objective's
    threshold for the first byte, else what web.dev calls good."""
    bounds = {vital.key: vital.good for vital in VITALS}
    for known in slos:
        if known.name == slo:
            bounds["ttfb_ms"] = known.threshold_ms
    for subject in ("", path):
        bounds |= {b.kind: b.bound for b in budgets if b.kind in bounds and b.subject == subject}
    return bounds


def is_settled(visits: Sequence[Vitals], bounds: Mapping[str, float], *, visits_max: int) -> bool:
    """Say whether further visits could still change on which side of a bound any median lies."""
    needed = visits_max // 2 + 1
    for key, bound in bounds.items():
        within = sum(getattr(seen, key) <= bound for seen in visits)
        if max(within, len(visits) - within) < needed:
            return False
    return True


def measures_of(visits: Sequence[Vitals], bounds: Mapping[str, float], *, method: str) -> tuple[Measure, ...]:
    """Return the median of each vital, between the least and the most that was seen."""
    return tuple(
        Measure(
            name=vital.name,
            unit=vital.unit,
            estimate=_rounded(statistics.median(values), vital),
            low=_rounded(min(values), vital),
            high=_rounded(max(values), vital),
            bound=bounds[vital.key],
            samples=len(values),
            method=method,
        )
        for vital in VITALS
        if (values := [float(getattr(seen, vital.key)) for seen in visits])
    )


def broken(measures: Sequence[Measure]) -> list[Vital]:
    """Return the vitals whose measure lies beyond its bound."""
    beyond = {m.name for m in measures if m.bound is not None and m.estimate > m.bound}
    return [vital for vital in VITALS if vital.name in beyond]


def _rounded(value: float, vital: Vital) -> float:
    return round(value, 4 if vital.unit == "" else 1)

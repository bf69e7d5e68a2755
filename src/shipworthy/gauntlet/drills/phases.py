"""Reading a load in phases: before the fault, while it lasts, and after it is healed. Pure.

A second is bad when a request that was due in it failed, or when half of them took longer than the
objective allows: one slow answer among many is no outage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipworthy.gauntlet.load.result import JourneyResult

# Refusals a program understands: try again later. Everything else is a crash, a hang or a cut.
TYPED = ("status_503", "status_429", "status_502")
CUT = ("refused", "closed", "truncated")  # what a process leaves behind when it dies


@dataclass(frozen=True, kw_only=True)
class Window:
    """When the fault began and when it was healed. Units: seconds of the load's measured time."""

    broken_s: float
    healed_s: float


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one journey went through. Units: counts of requests; seconds, None where it never happened."""

    journey: str
    before: int  # failed before anything was broken
    during: int
    typed: int
    untyped: dict[str, int]
    recovery_s: float | None  # from the healing to the first of only good seconds
    bad_during_s: int


def read(journey: JourneyResult, window: Window, *, may_cut: bool) -> Reading:
    """Return what a journey went through.

    The codes of failures are counted over the whole load, because before the fault there are none and
    after it each is counted as not recovered anyway.
    """
    series = journey.series
    threshold_ms = journey.slo.threshold_ms
    bad = [
        failures > 0 or (requests > 0 and p50 > threshold_ms)
        for failures, requests, p50 in zip(
            series.failures, series.requests, series.latency_ms_p50, strict=True
        )
    ]
    first, healed = int(window.broken_s), int(window.healed_s)
    allowed = TYPED + (CUT if may_cut else ())
    return Reading(
        journey=journey.journey,
        before=sum(series.failures[:first]),
        during=sum(series.failures[first : healed + 1]),
        typed=sum(n for code, n in journey.failures.items() if code in allowed),
        untyped={code: n for code, n in journey.failures.items() if code not in allowed},
        recovery_s=_recovery_s(bad, window.healed_s),
        bad_during_s=sum(bad[first : healed + 1]),
    )


def _recovery_s(bad: Sequence[bool], healed_s: float) -> float | None:
    """Return how long after the healing the last bad second ended; None when the load ended in one."""
    if bad and any(bad[-2:]):
        return None
    last = max((second for second, is_bad in enumerate(bad) if is_bad), default=-1)
    return max(0.0, last + 1 - healed_s)

"""Reading a load second by second: what was before, during and after a fault."""

from __future__ import annotations

from collections import Counter

import pytest

from shipworthy.contract.finding import Series
from shipworthy.contract.manifest import Slo
from shipworthy.gauntlet.drills.phases import Reading, Window, read
from shipworthy.gauntlet.load.record import summary
from shipworthy.gauntlet.load.result import JourneyResult
from shipworthy.judge.histogram import LogHistogram

WINDOW = Window(broken_s=4.2, healed_s=8.1)
FINE, SLOW = 20, 900  # ms; the objective below allows 150


def journey(seconds: list[tuple[int, int]], **failures: int) -> JourneyResult:
    """A journey of one second after the other: (median in ms, requests that failed)."""
    by_second = []
    for median_ms, _ in seconds:
        histogram = LogHistogram()
        for _ in range(9):
            histogram.record(median_ms * 1000)
        by_second.append(histogram)
    return summary(
        journey="page",
        slo=Slo(name="page", quantile=0.95, threshold_ms=150.0),
        by_block=[LogHistogram(threshold_us=150_000)],
        by_second=by_second,
        failures_by_second=[failed for _, failed in seconds],
        service=LogHistogram(),
        failures=Counter(failures),
        observed=Counter(),
        samples={},
        voids=[False],
        keeps_blocks=False,
    )


def reading(seconds: list[tuple[int, int]], *, may_cut: bool = False, **failures: int) -> Reading:
    return read(journey(seconds, **failures), WINDOW, may_cut=may_cut)


GOOD = [(FINE, 0)] * 4
AFTER = [(FINE, 0)] * 8


def test_a_fault_nobody_noticed_leaves_nothing_to_tell() -> None:
    found = reading(GOOD + [(FINE, 0)] * 4 + AFTER)
    assert (found.before, found.during, found.bad_during_s, found.recovery_s) == (0, 0, 0, 0.0)


def test_recovery_counts_from_the_healing_to_the_end_of_the_last_bad_second() -> None:
    broken = [(SLOW, 3)] * 4
    found = reading(GOOD + broken + [(SLOW, 0), (FINE, 1)] + AFTER, status_503=13)
    assert found.recovery_s == pytest.approx(10 - 8.1)
    assert (found.during, found.typed, found.untyped) == (12, 13, {})
    assert found.bad_during_s == 5  # the second of the healing is one of the fault


def test_a_load_that_ends_in_a_bad_second_has_not_recovered() -> None:
    for last in ([(SLOW, 0)], [(FINE, 1), (FINE, 0)]):
        assert reading(GOOD + [(SLOW, 3)] * 4 + AFTER + last).recovery_s is None


def test_what_fails_before_anything_is_broken_is_counted_apart() -> None:
    assert reading([(FINE, 2), *GOOD[1:], *[(FINE, 0)] * 4, *AFTER], status_500=2).before == 2


def test_a_crash_a_hang_and_a_cut_are_not_typed_but_a_cut_is_allowed_where_a_process_was_killed() -> None:
    codes = {"status_500": 1, "timeout": 2, "closed": 3, "status_503": 4}
    assert reading(GOOD + AFTER, **codes).untyped == {"status_500": 1, "timeout": 2, "closed": 3}
    allowed = reading(GOOD + AFTER, may_cut=True, **codes)
    assert (allowed.untyped, allowed.typed) == ({"status_500": 1, "timeout": 2}, 7)


def test_a_second_without_requests_is_not_bad() -> None:
    found = read(
        JourneyResult(
            journey="rare", slo=Slo(name="s", quantile=0.95, threshold_ms=150.0), requests=0, exceedances=0,
            blocks=(), histogram={}, service_histogram={}, failures={}, samples={},
            series=Series(journey="rare", latency_ms_p50=(0.0,) * 12, latency_ms_p95=(0.0,) * 12,
                          requests=(0,) * 12, failures=(0,) * 12),
        ),
        WINDOW,
        may_cut=False,
    )  # fmt: skip
    assert (found.recovery_s, found.bad_during_s) == (0.0, 0)

"""What a reader looks for: objectives, drills, what decided, what is missing."""

from __future__ import annotations

from shipworthy.contract.finding import Distribution, Measure
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.reading import (
    deciding_measure,
    drills,
    gaps,
    held_by_stage,
    latency_at,
    objectives,
    p95_of,
    share_within,
    with_verdict,
)
from tests.support.results import every_result, finding, run_result

RESULTS = every_result()


def test_objectives_and_drills_keep_the_apps_order_with_the_failed_in_front() -> None:
    assert [f.subject for f in objectives(RESULTS["pass"])] == ["login", "invoice_create", "page"]
    order = [f.verdict for f in drills(RESULTS["fail"])]
    assert order == [Verdict.FAIL, Verdict.PASS, Verdict.NOT_MEASURED]


def test_the_deciding_measure_is_the_one_with_bound_and_interval() -> None:
    bare = Measure(name="seen", unit="ms", estimate=1)
    bounded = Measure(name="p95", unit="ms", estimate=96, bound=200)
    interval = Measure(name="slow", unit="share", estimate=0.01, low=0.0, high=0.02, bound=0.05)
    assert deciding_measure(finding("a.b", "c", "t", measures=(bare, bounded, interval))) is interval
    assert deciding_measure(finding("a.b", "c", "t", measures=(bare, bounded))) is bounded
    assert deciding_measure(finding("a.b", "c", "t", measures=(bare,))) is bare
    assert deciding_measure(finding("a.b", "c", "t")) is None
    assert p95_of(finding("a.b", "c", "t", measures=(bare, bounded))) is bounded
    assert p95_of(finding("a.b", "c", "t", measures=(bare,))) is None


def test_what_was_not_measured_is_grouped_by_reason_the_widest_first() -> None:
    found = gaps(RESULTS["stranger"])
    assert [len(gap.findings) for gap in found] == [5, 2, 2]
    assert found[0].fix == 'Add database = "postgresql://…" to [target].'
    assert sum(len(gap.findings) for gap in found) == len(
        with_verdict(RESULTS["stranger"], Verdict.NOT_MEASURED)
    )


def test_a_gap_without_a_reason_says_that_there_is_none() -> None:
    unseen = finding("a.b", "c", "t", Verdict.NOT_MEASURED)
    assert gaps(run_result(findings=(unseen,)))[0].reason == "No reason was given."


def test_what_held_is_grouped_by_stage_in_the_order_of_the_run() -> None:
    stages = held_by_stage(RESULTS["fail"])
    assert list(stages) == ["data", "requests", "budgets", "load", "drills"]
    assert {f.verdict for held in stages.values() for f in held} == {Verdict.PASS}


def test_a_share_within_the_threshold_is_never_more_than_was_seen() -> None:
    points = ((10.0, 0.5), (190.0, 0.94), (210.0, 1.0))
    curve = Distribution(journey="login", threshold_ms=200.0, points=points)
    assert share_within(curve) == 0.94
    assert share_within(Distribution(journey="a", threshold_ms=None, points=points)) is None
    assert share_within(Distribution(journey="a", threshold_ms=5.0, points=points)) == 0.0
    assert latency_at(curve, 0.95) == 210.0
    assert latency_at(curve, 0.5) == 10.0
    assert latency_at(Distribution(journey="a", threshold_ms=1.0, points=()), 0.5) is None

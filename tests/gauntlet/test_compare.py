"""Two versions at once: a slower one is a regression, an equal one is not, one that fails more is worse."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.compare import FAILURE_SPAN_S, judge_failures, judged
from shipworthy.gauntlet.load.duet import DuetResult, offer_duet
from shipworthy.gauntlet.load.result import LoadResult
from shipworthy.judge.exceedance import Block
from shipworthy.judge.histogram import LogHistogram
from tests.gauntlet.load.servers import OK, answering, plan_of, serving

GONE = b"HTTP/1.1 500 Gone\r\nContent-Length: 0\r\n\r\n"
NAMES = ("main", "branch")


async def test_a_version_that_fails_is_worse_and_one_run_is_too_short_to_call_anything_as_fast() -> None:
    async with serving(answering(OK)) as base, serving(answering(GONE)) as head:
        plan = replace(plan_of(base.url, rate_per_s=100.0), head_url=head.url)
        duet = await offer_duet(plan)
    [one] = judged(duet, names=NAMES).journeys
    assert (one.base_failed, one.head_failed, one.worst_failure) == (0, 50, "status_500")
    assert one.failures is not Verdict.PASS
    assert judged(duet, names=NAMES).verdict is not Verdict.PASS
    assert one.by_quantile["p95"].verdict is Verdict.INCONCLUSIVE  # half a second is no measurement


async def measured(head_factor: float, *, blocks: int = 30, void: int = 0) -> DuetResult:
    """Return a duet whose latencies are drawn: 250 requests a block, the head's that much longer."""
    async with serving(answering(OK)) as base, serving(answering(OK)) as head:
        duet = await offer_duet(replace(plan_of(base.url, rate_per_s=100.0), head_url=head.url))
    luck = random.Random(7)

    def arm(result: LoadResult, factor: float) -> LoadResult:
        histograms = []
        for _ in range(blocks):
            histogram = LogHistogram()
            for _ in range(250):
                histogram.record(round(luck.lognormvariate(10, 0.3) * factor))
            histograms.append(histogram.to_json())
        judged_blocks = tuple(Block(requests=250, exceedances=0, void=n < void) for n in range(blocks))
        journey = replace(result.journeys[0], blocks=judged_blocks, block_histograms=tuple(histograms))
        return replace(result, journeys=(journey,))

    return DuetResult(base=arm(duet.base, 1.0), head=arm(duet.head, head_factor))


async def test_a_version_that_takes_longer_is_a_regression_and_its_twin_is_none() -> None:
    assert judged(await measured(1.0), names=NAMES).verdict is Verdict.PASS
    worse = judged(await measured(1.3), names=NAMES, left_out=("old",))
    assert (worse.verdict, worse.left_out) == (Verdict.FAIL, ("old",))
    assert worse.journeys[0].by_quantile["p95"].ratio == pytest.approx(1.3, abs=0.05)


async def test_a_run_in_which_the_generator_fell_behind_does_not_count() -> None:
    found = judged(await measured(1.3, void=9), names=NAMES)
    assert not found.is_valid
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("base", "head", "verdict"),
    [
        ((0,), (0,), Verdict.PASS),
        ((5,), (1,), Verdict.PASS),
        ((0,), (1,), Verdict.FAIL),
    ],
)
def test_failures_are_counted_by_spans_not_by_how_many_are_in_one(
    base: tuple[int, ...], head: tuple[int, ...], verdict: Verdict
) -> None:
    seconds = FAILURE_SPAN_S * 12
    assert judge_failures(base * seconds, head * seconds) is verdict
    burst = [0] * seconds
    burst[7] = 400
    assert judge_failures([0] * seconds, burst) is Verdict.INCONCLUSIVE

"""A result is plain data that survives JSON and is ready for the judge and the report."""

from __future__ import annotations

import json

import pytest

from shipworthy.contract.strict import decode, encode
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.load.engine import offer
from shipworthy.gauntlet.load.result import LoadResult
from shipworthy.judge.exceedance import QUICK, judge_slo
from tests.gauntlet.load.servers import OK, answer, answering, plan_of, serving


async def loaded(said: bytes) -> LoadResult:
    async with serving(answering(said)) as server:
        return await offer(plan_of(server.url, rate_per_s=400.0, blocks=24, block_s=0.05))


async def test_a_result_survives_json_unchanged() -> None:
    result = await loaded(OK)
    assert decode(LoadResult, json.loads(json.dumps(encode(result)))) == result


async def test_an_unknown_journey_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="nothing"):
        (await loaded(OK)).journey("nothing")


async def test_a_failing_journey_fails_before_the_judge() -> None:
    """PASS is not asked here: it needs a punctual machine; FAIL needs blocks that are not void."""
    found = (await loaded(answer(status="500 Oops"))).journey("visit")
    judgement = judge_slo(found.blocks, quantile=found.slo.quantile, rule=QUICK)
    assert found.exceedances == found.requests == 480
    assert judgement.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)
    assert (judgement.verdict is Verdict.FAIL) or judgement.blocks_void > 4


async def test_the_curve_for_the_report_ends_at_one_and_knows_its_threshold() -> None:
    curve = (await loaded(OK)).journey("visit").distribution()
    assert curve.threshold_ms == 500.0
    assert curve.points[-1][1] == 1.0
    assert [share for _, share in curve.points] == sorted(share for _, share in curve.points)

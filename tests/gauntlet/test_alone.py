"""A load by itself: what is wished for is what is offered."""

from __future__ import annotations

import asyncio

import pytest

from shipworthy.contract.manifest import Journey, Manifest, Slo, Step
from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.alone import Wish, offer_alone
from shipworthy.gauntlet.load.plan import PlanRefused
from shipworthy.gauntlet.load.result import LoadResult
from shipworthy.gauntlet.view import QUIET
from tests.gauntlet.load.servers import OK, answering, serving


def journey(name: str, rate_per_s: float) -> Journey:
    return Journey(
        name=name, slo="page", rate_per_s=rate_per_s, login=False, steps=(Step(method="GET", path="/"),)
    )


async def offered(url: str, wish: Wish) -> LoadResult:
    manifest = Manifest(
        app="A",
        slos=(Slo(name="page", quantile=0.95, threshold_ms=1000.0),),
        journeys=(journey("seldom", 5.0), journey("often", 20.0)),
    )
    target = Target(name="A", kind="url", manifest=manifest, url=url)
    return await offer_alone(target, StartedInstance(Handle(base_url=url), None), wish, QUIET)


async def test_the_wished_rate_is_shared_as_the_journeys_were_declared() -> None:
    async with serving(answering(OK)) as server:
        both, one = await asyncio.gather(
            offered(server.url, Wish(rate_per_s=100.0, duration_s=3.0)),
            offered(server.url, Wish(rate_per_s=40.0, duration_s=3.0, journeys=("seldom",))),
        )
    assert 400 < both.offered < 800
    assert 2.5 < both.journey("often").requests / both.journey("seldom").requests < 6
    assert [j.journey for j in one.journeys] == ["seldom"]
    assert all(j.block_histograms for j in both.journeys), "a shard must be mergeable"


async def test_an_unknown_journey_names_those_there_are() -> None:
    with pytest.raises(PlanRefused, match="no journey 'ofen'; declared: seldom, often"):
        await offered("http://127.0.0.1:1", Wish(journeys=("ofen",)))

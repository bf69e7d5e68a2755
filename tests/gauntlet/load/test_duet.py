"""Two versions under the same arrivals at once; and one load in shards. Covers: shards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipworthy.contract.strict import decode, encode
from shipworthy.gauntlet.load.duet import DuetResult, offer_duet
from shipworthy.gauntlet.load.engine import offer
from shipworthy.gauntlet.load.plan import PlanRefused, mixed
from shipworthy.gauntlet.load.process import run_duet_in_process
from shipworthy.gauntlet.load.shards import NotShards, merge
from shipworthy.judge.histogram import merged
from tests.gauntlet.load.servers import OK, answering, plan_of, serving

GONE = b"HTTP/1.1 500 Gone\r\nContent-Length: 0\r\n\r\n"


async def test_both_arms_get_the_same_arrivals_and_blocks_come_in_pairs() -> None:
    async with serving(answering(OK)) as base, serving(answering(GONE)) as head:
        plan = replace(plan_of(base.url, rate_per_s=100.0), head_url=head.url)
        result = await offer_duet(plan)
    assert len(base.seen) == len(head.seen) == 50
    assert result.base.journey("visit").failures == {}
    assert result.head.journey("visit").failures == {"status_500": 50}
    blocks = result.blocks("visit")
    assert [(b.base.count, b.head.count) for b in blocks] == [(5, 5)] * 10
    assert decode(DuetResult, encode(result)) == result


async def test_neither_arm_always_goes_first() -> None:
    order: list[str] = []
    async with serving(answering(OK)) as base, serving(answering(OK)) as head:
        base.seen = _Noting(order, "base")  # type: ignore[assignment]
        head.seen = _Noting(order, "head")  # type: ignore[assignment]
        await offer_duet(replace(plan_of(base.url, rate_per_s=100.0), head_url=head.url))
    first = [order[n] for n in range(0, len(order), 2)]
    assert 10 <= first.count("base") <= 40


class _Noting(list):  # type: ignore[type-arg]
    def __init__(self, order: list[str], name: str) -> None:
        super().__init__()
        self._order, self._name = order, name

    def append(self, seen: object) -> None:
        self._order.append(self._name)


async def test_a_duet_runs_in_its_own_process_and_needs_two_addresses() -> None:
    import asyncio

    async with serving(answering(OK)) as base, serving(answering(OK)) as head:
        plan = replace(plan_of(base.url, rate_per_s=40.0), head_url=head.url)
        result = await asyncio.to_thread(run_duet_in_process, plan)
        assert result.base.journey("visit").requests == result.head.journey("visit").requests == 20
        with pytest.raises(PlanRefused, match="two addresses"):
            await offer_duet(replace(plan, head_url=None))
        with pytest.raises(PlanRefused, match="not on this machine"):
            await offer_duet(replace(plan, head_url="http://example.com"))


async def test_the_shards_of_a_load_add_up_to_what_one_process_offers() -> None:
    async with serving(answering(OK)) as server:
        plan = replace(plan_of(server.url, rate_per_s=100.0), keeps_blocks=True)
        shards = [await offer(replace(plan, shard=(place, 3))) for place in range(3)]
        seen = len(server.seen)
        whole = await offer(plan)
    both = merge(shards)
    assert (seen, both.offered, sum(s.offered for s in shards)) == (50, 50, 50)
    found, expected = both.journey("visit"), whole.journey("visit")
    assert [b.requests for b in found.blocks] == [b.requests for b in expected.blocks] == [5] * 10
    assert sum(found.series.requests) == sum(expected.series.requests)
    every = merged((s.journey("visit").latency for s in shards), threshold_us=found.latency.threshold_us)
    assert found.latency.to_json() == every.to_json()
    assert both.cpu_s == pytest.approx(sum(s.cpu_s for s in shards))


async def test_what_is_not_of_one_load_is_not_merged() -> None:
    async with serving(answering(OK)) as server:
        plan = replace(plan_of(server.url, rate_per_s=20.0), keeps_blocks=True)
        one = await offer(plan)
        without = await offer(replace(plan, keeps_blocks=False))
    for shards, says in (
        ([], "no result"),
        ([one, replace(one, seed=9)], "seed"),
        ([one, replace(one, journeys=())], "different journeys"),
        ([one, without], "kept no histograms"),
    ):
        with pytest.raises(NotShards, match=says):
            merge(shards)
    assert (
        merge([replace(one, shard=(0, 2)), replace(one, shard=(1, 2), aborted="no sign-in")]).aborted
        == "no sign-in"
    )
    for shard in ((1, 1), (-1, 2)):
        with pytest.raises(PlanRefused, match="does not exist"):
            await offer(replace(plan, shard=shard))


def test_a_mix_shares_one_rate_by_weight_and_names_what_does_not_fit() -> None:
    journey = plan_of("http://127.0.0.1:1").journeys[0]
    parts = [replace(journey, name=name) for name in ("read", "edit", "large")]
    found = mixed(parts, rate_per_s=200.0, weights={"read": 75, "edit": 20, "large": 5})
    assert {j.name: j.rate_per_s for j in found} == {"read": 150.0, "edit": 40.0, "large": 10.0}
    for weights in ({"read": 1}, {"read": 1, "edit": 0, "large": 1}, {"read": 1, "edit": 1, "larg": 1}):
        with pytest.raises(PlanRefused, match="give each a weight"):
            mixed(parts, rate_per_s=1.0, weights=weights)

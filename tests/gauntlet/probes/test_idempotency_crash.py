"""idempotency.after_crash: the web process dies amid requests, for real, and they are sent again."""

from __future__ import annotations

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.probes.idempotency_crash import tables_to_lock
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.conftest import check_named
from tests.support.shop import Shop, shop_manifest, shop_with_process

AFTER_CRASH = check_named("idempotency.after_crash")
ORDERS = "POST /orders"


async def crash(cluster: PostgresAddress, *defects: str) -> Finding:
    async with shop_with_process(cluster, "web", *defects) as shop:
        return (await shop.ask(AFTER_CRASH))[ORDERS]


async def test_one_transaction_survives_three_crashes_with_one_effect_for_each_key(
    cluster: PostgresAddress,
) -> None:
    found = await crash(cluster)
    assert found.verdict is Verdict.PASS, found
    effects, caught = found.measures
    assert (effects.estimate, effects.bound) == (30, 30)
    assert caught.estimate > 0
    assert "public.order_key was locked" in found.evidence[0].text


async def test_an_effect_that_is_committed_before_its_key_is_done_twice(cluster: PostgresAddress) -> None:
    found = await crash(cluster, "effect_then_key")
    assert found.verdict is Verdict.FAIL
    assert "requests twice when the process dies in between" in found.title
    assert found.measures[0].estimate > 30
    assert found.source == "shop/web.py:1"


async def test_a_key_that_is_committed_before_its_effect_loses_the_request(cluster: PostgresAddress) -> None:
    found = await crash(cluster, "key_then_effect")
    assert found.verdict is Verdict.FAIL
    assert "loses" in found.title
    assert found.measures[0].estimate < 30


async def test_without_a_route_that_creates_under_a_key_nothing_is_killed(shop: Shop) -> None:
    (found,) = (await shop.ask(AFTER_CRASH, routes=())).values()
    assert found.verdict is Verdict.NOT_MEASURED


def test_the_tables_of_the_key_and_of_the_effect_are_told_apart() -> None:
    (route,) = (route for route in shop_manifest().routes if route.path == "/orders")
    grown = {"public.audit": 1, "public.orders": 1, "public.order_key": 1}
    assert tables_to_lock(route, grown) == ["public.order_key", "public.orders"]
    assert tables_to_lock(route, {"public.audit": 1}) == ["public.audit"]

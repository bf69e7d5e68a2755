"""idempotency.declared: a route that creates must take a key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shipworthy.contract.manifest import Route
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.conftest import check_named
from tests.support.shop import Shop, shop_manifest, shop_running

DECLARED = check_named("idempotency.declared")
ORDERS = "POST /orders"


def orders(**facts: Any) -> tuple[Route, ...]:
    return tuple(replace(route, **facts) for route in shop_manifest().routes if route.path == "/orders")


async def test_a_route_that_creates_and_declares_a_key_passes_and_others_are_not_asked(shop: Shop) -> None:
    findings = await shop.ask(DECLARED)
    assert {subject: found.verdict for subject, found in findings.items()} == {ORDERS: Verdict.PASS}


async def test_a_route_without_a_key_is_seen_to_create_twice(shop: Shop) -> None:
    shop.defects.add("takes_no_key")
    found = (await shop.ask(DECLARED, routes=orders(idempotency="none")))[ORDERS]
    assert found.verdict is Verdict.FAIL
    assert "takes no idempotency key" in found.title
    assert "it had two effects" in found.cause
    assert found.source == "shop/web.py:1"
    assert (await shop.admin("select count(*) from orders"))[0][0] == 2


async def test_without_a_database_two_answers_that_name_two_things_show_it(cluster: PostgresAddress) -> None:
    async with shop_running(cluster, has_database=False) as shop:
        shop.defects.add("takes_no_key")
        found = (await shop.ask(DECLARED, routes=orders(idempotency="none")))[ORDERS]
        assert found.verdict is Verdict.FAIL
        assert "it had two effects" in found.cause


async def test_a_route_that_declares_nothing_but_has_one_effect_passes(shop: Shop) -> None:
    found = (await shop.ask(DECLARED, routes=orders(idempotency="none")))[ORDERS]
    assert found.verdict is Verdict.PASS
    assert "yet has one effect" in found.title


async def test_what_cannot_be_sent_is_judged_by_its_declaration(shop: Shop) -> None:
    silent = (await shop.ask(DECLARED, routes=orders(idempotency="none", example=None)))[ORDERS]
    assert silent.verdict is Verdict.FAIL
    assert "could not be sent" in silent.cause
    refused = (await shop.ask(DECLARED, routes=orders(idempotency="none", example={"note": 3})))[ORDERS]
    assert refused.verdict is Verdict.FAIL
    assert "It answered 422" in refused.cause


async def test_of_a_strangers_post_it_is_not_known_whether_it_creates(shop: Shop) -> None:
    exam = shop.exam(DECLARED, routes=orders(idempotency="none", effect="change"))
    with pytest.raises(Unmeasurable, match="may create something"):
        await DECLARED.run(exam)
    exam.target = replace(exam.target, kind="command")
    (found,) = await DECLARED.run(exam)
    assert found.verdict is Verdict.NOT_MEASURED
    assert "not known whether this route creates" in found.cause
    await exam.close()

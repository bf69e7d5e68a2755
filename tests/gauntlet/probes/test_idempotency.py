"""idempotency.same_key: twice is once, twenty at once are once, and a key stands for one body.

Covers: keyed, effects.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.probes.effects import beyond, effects, growth
from shipworthy.gauntlet.probes.idempotency import changed_bodies
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.conftest import check_named
from tests.support.shop import Shop, shop_manifest, shop_running

SAME_KEY = check_named("idempotency.same_key")
ORDERS = "POST /orders"


async def ask(shop: Shop, *defects: str) -> Finding:
    shop.defects.update(defects)
    return (await shop.ask(SAME_KEY))[ORDERS]


async def test_a_key_taken_in_the_transaction_of_its_effect_passes(shop: Shop) -> None:
    found = await ask(shop)
    assert found.verdict is Verdict.PASS, found
    assert "refuses another body" in found.title
    assert [measure.estimate for measure in found.measures] == [1, 1]
    assert found.measures[0].method == "rows of the tenant, counted"
    # one sent twice, one sent 21 times, and the changed body under a key of its own
    assert (await shop.admin("select count(*) from orders"))[0][0] == 3


async def test_an_app_without_keys_does_it_again(shop: Shop) -> None:
    found = await ask(shop, "takes_no_key")
    assert found.verdict is Verdict.FAIL
    assert found.title == "POST /orders does it again when the same key comes twice"
    assert found.measures[0].estimate == 2
    assert found.source == "shop/web.py:1"
    assert "idempotency-key" in found.evidence[0].text


async def test_a_key_that_is_looked_up_before_it_is_taken_fails_when_many_come_at_once(shop: Shop) -> None:
    found = await ask(shop, "looks_first")
    assert found.verdict is Verdict.FAIL
    assert "effects when 20 requests with one key come at once" in found.title
    assert found.measures[0].estimate == 1
    assert found.measures[1].estimate > 1


async def test_an_answer_that_is_forgotten_fails_though_nothing_was_done_again(shop: Shop) -> None:
    found = await ask(shop, "forgets_the_answer")
    assert found.verdict is Verdict.FAIL
    assert "answers differently when the same key comes twice" in found.title
    assert found.measures[0].estimate == 1


async def test_another_body_under_a_used_key_must_be_refused(shop: Shop) -> None:
    found = await ask(shop, "takes_any_body")
    assert (found.verdict, found.severity) == (Verdict.FAIL, Severity.MEDIUM)
    assert "takes another body under a key that was used" in found.title


async def test_without_a_database_answers_that_name_what_they_made_decide(cluster: PostgresAddress) -> None:
    async with shop_running(cluster, has_database=False) as shop:
        passed = await ask(shop)
        assert passed.verdict is Verdict.PASS
        assert passed.measures[0].method == "told by the answers"
        again = await ask(shop, "takes_no_key")
        assert again.verdict is Verdict.FAIL
        assert "does it again" in again.title


async def test_without_a_database_answers_that_name_nothing_decide_nothing(cluster: PostgresAddress) -> None:
    async with shop_running(cluster, has_database=False) as shop:
        found = await ask(shop, "names_nothing", "takes_no_key")
        assert found.verdict is Verdict.INCONCLUSIVE
        assert "do not tell one effect from another" in found.cause


async def test_a_route_that_never_succeeds_or_gives_no_example_is_not_judged(shop: Shop) -> None:
    (route,) = (route for route in shop_manifest().routes if route.path == "/orders")
    refused = await shop.ask(SAME_KEY, routes=(replace(route, example={"note": 3}),))
    assert refused[ORDERS].verdict is Verdict.INCONCLUSIVE
    assert "It answered 422, not 201" in refused[ORDERS].cause
    silent = await shop.ask(SAME_KEY, routes=(replace(route, example=None),))
    assert silent[ORDERS].verdict is Verdict.NOT_MEASURED


async def test_a_version_that_the_route_declares_is_sent_each_time(shop: Shop) -> None:
    (route,) = (route for route in shop_manifest().routes if route.path == "/orders")
    found = await shop.ask(SAME_KEY, routes=(replace(route, headers={"if-match": "*"}),))
    assert found[ORDERS].verdict is Verdict.PASS, found
    other = await shop.ask(SAME_KEY, routes=(replace(route, headers={"if-match": '"0"'}),))
    assert "It answered 412, not 201" in other[ORDERS].cause


async def test_what_a_job_writes_is_not_taken_for_what_a_request_did(shop: Shop) -> None:
    exam = shop.exam(SAME_KEY)
    try:
        from shipworthy.gauntlet.probes.effects import row_counter

        async with exam.database("admin").connection() as connection:
            counted = await (await row_counter(exam, (connection,), exam.people[0])).count()
    finally:
        await exam.close()
    assert counted == {"public.orders": 0, "public.order_key": 0}


def test_growth_is_judged_against_what_one_effect_makes_grow() -> None:
    assert growth({"a": 1, "b": 5}, {"a": 3, "b": 5, "c": 1}) == {"a": 2, "c": 1}
    assert beyond({"a": 2}, {"a": 4, "noise": 9}) == {"a": 2}
    assert beyond({"a": 2}, {"a": 20}, times=10) == {}
    assert effects({"a": 2, "b": 1}, {"a": 4, "b": 1}) == 2
    assert effects({}, {"a": 4}) == 0


def test_a_changed_body_differs_in_one_free_text_first() -> None:
    bodies = list(changed_bodies({"currency": "EUR", "lines": [{"description": "Concept", "n": 1}]}))
    assert bodies[0] == {"currency": "EUR", "lines": [{"description": "Concept again", "n": 1}]}
    assert bodies[1] == {"currency": "EUR again", "lines": [{"description": "Concept", "n": 1}]}
    assert list(changed_bodies({})) == []


async def test_a_person_whose_sign_in_is_refused_leaves_it_undecided(shop: Shop) -> None:
    shop.handle = replace(shop.handle, tenants=(replace(shop.handle.tenants[0], password="wrong"),))
    found = (await shop.ask(SAME_KEY))[ORDERS]
    assert found.verdict is Verdict.INCONCLUSIVE
    with pytest.raises(Undecided):
        await shop.exam(SAME_KEY).session(shop.handle.tenants[0])

"""auth.no_enumeration: the door answers nobody's address like somebody's."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity, Verdict
from tests.gauntlet.conftest import check_named
from tests.support.shop import Shop

ENUMERATION = check_named("auth.no_enumeration")
LOGIN = "POST /login"


async def test_a_door_that_answers_both_alike_passes_after_one_wrong_try_each(shop: Shop) -> None:
    found = (await shop.ask(ENUMERATION))[LOGIN]
    assert found.verdict is Verdict.PASS
    assert found.source == "shop/web.py:1"


async def test_a_door_that_says_who_has_no_account_fails(shop: Shop) -> None:
    shop.defects.add("tells_who_lives_here")
    found = (await shop.ask(ENUMERATION))[LOGIN]
    assert (found.verdict, found.severity) == (Verdict.FAIL, Severity.MEDIUM)
    assert "status of the answer differs: 401" in found.cause
    assert "404" in found.cause


async def test_the_way_to_a_new_password_is_a_door_like_the_other(shop: Shop) -> None:
    assert (await shop.ask(ENUMERATION))["POST /forgot"].verdict is Verdict.PASS
    shop.defects.add("tells_who_may_reset")
    found = await shop.ask(ENUMERATION)
    assert found["POST /forgot"].verdict is Verdict.FAIL
    assert "tells whether an address has an account" in found["POST /forgot"].title
    assert found[LOGIN].verdict is Verdict.PASS


async def test_a_locked_account_leaves_it_undecided(shop: Shop) -> None:
    await shop.ask(check_named("auth.login_throttle"))
    found = (await shop.ask(ENUMERATION))[LOGIN]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "answered 429 instead of a refusal" in found.cause

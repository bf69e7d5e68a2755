"""Signing in through a provider: the happy way, and everything an answer may be wrong in."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from shipworthy.kernel.egress import TIMEOUT_S
from shipworthy.rooms.auth.oauth.installed import provider_of
from shipworthy.rooms.auth.oauth.providers import DEADLINE_S
from tests.rooms.auth.oauth.conftest import Browsing
from tests.rooms.auth.test_landing import HOSTILE
from tests.support.hashing import full_line


async def test_a_new_person_signs_in_and_comes_back_to_the_same_account(browsing: Browsing) -> None:
    client = browsing.auth.client()
    answer = await browsing.sign_in(client, path="/oauth/stub?next=/account")
    assert (answer.status, answer.header("location")) == (303, "/account")
    page = (await client.get("/account")).text
    assert browsing.stub.people[0].email in page
    again = browsing.auth.client()
    assert (await browsing.sign_in(again)).status == 303
    assert client.cookies["sid"] != again.cookies["sid"]
    assert (await browsing.counted("identity"), await browsing.counted("app_user")) == (1, 2)


async def test_the_question_is_asked_with_pkce_nonce_and_state(browsing: Browsing) -> None:
    address = await browsing.begin(browsing.auth.client())
    for part in ("code_challenge_method=S256", "code_challenge=", "nonce=", "state=", "response_type=code"):
        assert part in address


async def test_an_answer_works_only_in_the_browser_that_asked(browsing: Browsing) -> None:
    """Login CSRF: the attacker's code and state in somebody else's browser."""
    attacker, victim = browsing.auth.client(), browsing.auth.client()
    back = await browsing.answered(await browsing.begin(attacker))
    await browsing.begin(victim)  # who has begun an attempt of their own
    for stranger in (victim, browsing.auth.client()):
        answer = await stranger.get(back)
        assert answer.status == 403
        assert "not begun in this browser" in answer.text
        assert "sid" not in stranger.cookies
    assert (await attacker.get(back)).status == 303  # and is not used up by those who tried it


async def test_an_answer_works_once_and_for_its_provider_only(browsing: Browsing) -> None:
    client = browsing.auth.client()
    back = await browsing.answered(await browsing.begin(client))
    assert (await client.get(back.replace("/oauth/stub/", "/oauth/other/"))).status == 403
    assert [a.status for a in await asyncio.gather(*(client.get(back) for _ in range(6)))].count(303) == 1
    assert (await client.get(back)).status == 403
    late = await browsing.answered(await browsing.begin(client))
    browsing.auth.clock.move(601)
    assert (await client.get(late)).status == 403


async def test_several_attempts_in_one_browser_do_not_disturb_one_another(browsing: Browsing) -> None:
    client = browsing.auth.client()
    first, second = await browsing.begin(client), await browsing.begin(client)
    assert (await client.get(await browsing.answered(first))).status == 303
    assert (await client.get(await browsing.answered(second))).status == 303


@pytest.mark.parametrize(
    "fault",
    [
        *({"token": name} for name in (
            "wrong_kid", "unknown_kid", "bad_signature", "expired", "not_yet_valid", "wrong_iss", "wrong_aud",
            "wrong_nonce", "no_nonce", "alg_none", "hs256_public_key", "jku_attacker", "x5u_attacker",
            "embedded_jwk",
        )),
        *({"callback": name} for name in ("no_iss", "wrong_iss", "no_state", "wrong_state", "denied")),
    ],
    ids=lambda fault: next(iter(fault.values())),
)  # fmt: skip
async def test_an_answer_that_is_not_to_be_believed_signs_nobody_in(
    browsing: Browsing, fault: dict[str, Any]
) -> None:
    client = browsing.auth.client()
    await browsing.stub.behave(**fault)
    assert (await browsing.sign_in(client)).status == 403
    assert "sid" not in client.cookies
    assert browsing.stub.counts.get("attacker", 0) == 0
    assert await browsing.counted("identity") == 0
    await browsing.stub.behave()
    assert (await browsing.sign_in(client)).status == 303


@pytest.mark.parametrize("wire", ["unavailable", "refused", "not_json", "truncated", "huge", "redirect_loop"])
async def test_a_provider_that_fails_is_one_stable_refusal(browsing: Browsing, wire: str) -> None:
    client = browsing.auth.client()
    address = await browsing.begin(client)
    back = await browsing.answered(address)
    await browsing.stub.behave(wire=wire)
    answer = await client.get(back, headers={"accept": "application/json"})
    assert (answer.status, answer.json["code"]) == (503, "auth.provider_unavailable")
    assert answer.header("retry-after")
    await browsing.stub.behave()
    assert (await browsing.auth.sign_in(client)).status == 303  # other ways stay open
    assert (await browsing.sign_in(client)).status == 303


async def test_a_provider_that_answers_too_late_is_left(browsing: Browsing) -> None:
    client = browsing.auth.client()
    back = await browsing.answered(await browsing.begin(client))
    await browsing.stub.behave(wire="slow", delay_s=30.0)
    provider: Any = provider_of(browsing.auth.running.runtime, "stub")
    provider._egress._timeout_s = 0.05  # two seconds in earnest
    answer = await client.get(back, headers={"accept": "application/json"})
    assert (answer.status, answer.json["code"]) == (503, "auth.provider_unavailable")
    assert (TIMEOUT_S, DEADLINE_S) == (2.0, 2.5)  # a person waits for less than three seconds


@pytest.mark.parametrize(("ahead_s", "status"), [(-359, 303), (-361, 403), (60, 303), (61, 403)])
async def test_clocks_may_differ_by_a_minute(browsing: Browsing, ahead_s: int, status: int) -> None:
    await browsing.stub.behave(clock_ahead_s=ahead_s)  # tokens live for 300 s
    assert (await browsing.sign_in()).status == status


async def test_keys_that_are_replaced_cost_nobody_a_sign_in(browsing: Browsing) -> None:
    """The drill: rotated upstream, the old keys gone at once."""
    assert (await browsing.sign_in()).status == 303
    browsing.stub.rotate()
    answers = await asyncio.gather(*(browsing.sign_in() for _ in range(5)))
    assert {answer.status for answer in answers} == {303}
    assert browsing.stub.counts["jwks"] == 2


async def test_an_id_token_that_says_no_address_has_userinfo_asked(browsing: Browsing) -> None:
    await browsing.stub.behave(thin_id_token=True)
    client = browsing.auth.client()
    assert (await browsing.sign_in(client)).status == 303
    assert browsing.stub.people[0].email in (await client.get("/account")).text
    asked = browsing.stub.counts["userinfo"]
    await browsing.stub.behave(thin_id_token=True, foreign_userinfo=True)
    refused = await browsing.sign_in()
    assert refused.status == 403
    await browsing.stub.behave(foreign_userinfo=True)
    assert (await browsing.sign_in()).status == 303, "a token that says enough is believed alone"
    assert browsing.stub.counts["userinfo"] == asked + 1


async def test_a_sign_in_does_not_wait_for_passwords(browsing: Browsing) -> None:
    """The bulkhead: with the hash queue full, the callback goes on as ever."""
    async with full_line(browsing.auth.running.runtime):
        assert (await browsing.auth.sign_in()).status == 503
        assert (await browsing.sign_in()).status == 303


async def test_a_thousand_made_up_key_names_cost_one_fetch(browsing: Browsing) -> None:
    assert (await browsing.sign_in()).status == 303
    await browsing.stub.behave(token="unknown_kid")
    assert {(await browsing.sign_in()).status for _ in range(20)} == {403}
    assert browsing.stub.counts["jwks"] == 2
    await browsing.stub.behave()
    assert (await browsing.sign_in()).status == 303


async def test_the_way_back_opened_by_hand_leads_to_the_door(browsing: Browsing) -> None:
    answer = await browsing.auth.client().get("/oauth/stub/callback")
    assert (answer.status, answer.header("location")) == (303, "/login")


async def test_what_the_keys_cost_is_counted(browsing: Browsing) -> None:
    for _ in range(3):
        await browsing.sign_in()
    text = (await browsing.auth.client().get("/-/metrics")).text
    assert 'auth_oauth_keys_total{outcome="hit"} 2.0' in text
    assert 'auth_oauth_keys_total{outcome="miss"} 1.0' in text
    assert 'auth_oauth_discovery_total{outcome="miss"} 1.0' in text


async def test_an_unknown_provider_is_no_page(browsing: Browsing) -> None:
    for path in ("/oauth/nobody", "/oauth/nobody/callback"):
        assert (await browsing.auth.client().get(path)).status == 404


async def test_the_provider_is_offered_where_people_sign_in_and_up(browsing: Browsing) -> None:
    for path, text in (("/login", "Sign in with Stub"), ("/signup", "Sign up with Stub")):
        assert text in (await browsing.auth.client().get(path)).text


async def test_what_was_asked_for_next_stays_in_this_app(browsing: Browsing) -> None:
    assert len(HOSTILE) >= 60
    client = browsing.auth.client()
    for hostile in HOSTILE:
        path = f"/oauth/stub?{urlencode({'next': hostile})}"
        if (await client.get(path)).status == 400:
            continue  # it is not written plainly, and does not get past the edge
        answer = await browsing.sign_in(client, path=path)
        assert answer.header("location") == "/account", hostile

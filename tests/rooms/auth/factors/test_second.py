"""Two-step sign-in, and what a person sets up for it.

Covers: second, authenticator, recovery_codes, changes, web.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

import pytest

from tests.rooms.auth.conftest import PASSWORD, AuthApp, add_owner
from tests.rooms.auth.factors.conftest import SETUP, Phone, halfway, is_signed_in, shown_secret, with_app
from tests.support.client import Answer, Client

STEP = "/login/second"


async def show(client: Client, code: str, **form: str) -> Answer:
    return await client.post(STEP, form={"code": code, **form})


async def test_a_password_alone_opens_nothing_once_an_app_is_set_up(auth: AuthApp) -> None:
    phone = await with_app(auth, await auth.signed_in())
    client = await halfway(auth, next="/account/factors")
    assert not await is_signed_in(client)
    page = (await client.get(f"{STEP}?next=/account/factors")).text
    assert 'value="&#x2f;account&#x2f;factors"' in page or 'value="/account/factors"' in page
    assert (await show(client, "000000")).status == 401
    assert not await is_signed_in(client)
    answer = await show(client, f" {phone.code()[:3]} {phone.code()[3:]} ", next="/account/factors")
    assert (answer.status, answer.header("location")) == (303, "/account/factors")
    assert await is_signed_in(client)
    principal = await auth.running.runtime.sessions.lookup(client.cookies["sid"])
    assert principal and (principal.amr, principal.acr) == (("pwd", "otp", "mfa"), "2")
    assert principal.proven_at == auth.clock()


async def test_the_second_step_belongs_to_one_browser_once_for_ten_minutes(auth: AuthApp) -> None:
    phone = await with_app(auth, await auth.signed_in())
    client = await halfway(auth)
    assert (await show(auth.client(), phone.code())).status == 404
    thief = Client(client.app, cookies={"second": "x" * 43})
    assert (await show(thief, phone.code())).status == 404
    copy = dict(client.cookies)
    assert (await show(client, phone.code())).status == 303
    phone.next_code()
    assert (await show(Client(client.app, cookies=copy), phone.code())).status == 404  # it was finished

    late = await halfway(auth)
    auth.clock.move(601)
    assert (await show(late, phone.code())).status == 404
    assert (await late.get(STEP)).header("location") == "/login"


async def test_a_code_opens_once_and_an_older_one_not_after_it(auth: AuthApp) -> None:
    phone = await with_app(auth, await auth.signed_in())
    used = phone.code()
    assert (await show(await halfway(auth), used)).status == 303
    again = await halfway(auth)
    assert (await show(again, used)).status == 401
    assert (await show(again, phone.code(steps=-1))).status == 401
    assert (await show(again, phone.code(steps=1))).status == 303  # the next one is newer
    assert (await show(await halfway(auth), phone.code())).status == 401


async def test_twenty_uses_of_one_code_at_once_open_one_session(auth: AuthApp) -> None:
    phone = await with_app(auth, await auth.signed_in())
    waiting = [await halfway(auth) for _ in range(4)]
    answers = await asyncio.gather(*(show(waiting[n % 4], phone.code()) for n in range(20)))
    statuses = [answer.status for answer in answers]
    assert statuses.count(303) == 1, statuses
    assert set(statuses) <= {303, 401, 404, 429, 503}  # 503: no connection came free in time
    assert [await is_signed_in(client) for client in waiting].count(True) == 1


async def test_wrong_codes_are_bounded_apart_from_wrong_passwords(auth: AuthApp) -> None:
    """Five in ten minutes for everybody else, five for the owner's own browser; no password pays for it."""
    owner = await auth.signed_in()
    phone = await with_app(auth, owner)
    await owner.post("/logout")
    thief = await halfway(auth)
    statuses = [(await show(thief, f"{n:06}")).status for n in range(7)]
    assert statuses == [401] * 5 + [404] * 2  # the fifth ends the attempt
    again = await halfway(auth)  # the password still opens the first step
    assert (await show(again, phone.code())).status == 429
    assert (await show(await halfway(auth, owner), phone.code())).status == 303  # the owner's browser

    auth.clock.move(601)
    assert (await show(await halfway(auth), phone.code())).status == 303
    # And the other way round: wrong passwords take nothing from the codes.
    for _ in range(9):
        assert (await auth.sign_in(password="wrong " + PASSWORD)).status == 401
    assert (await show(await halfway(auth), phone.next_code())).status == 303


async def test_a_short_window_for_passwords_gives_no_tries_at_a_code_back(auth: AuthApp) -> None:
    phone = await with_app(auth, await auth.signed_in())
    runtime = auth.running.runtime
    runtime.settings = replace(runtime.settings, auth=replace(runtime.settings.auth, login_window_s=1))
    thief = await halfway(auth)
    for n in range(5):
        assert (await show(thief, f"{n:06}")).status == 401
    auth.clock.move(120)
    await auth.sign_in(password="wrong " + PASSWORD)  # a failure clears away what is over
    assert (await show(await halfway(auth), phone.code())).status == 429


async def test_twenty_wrong_codes_at_once_stay_within_the_budget(auth: AuthApp) -> None:
    await with_app(auth, await auth.signed_in())
    waiting = [await halfway(auth) for _ in range(4)]
    answers = await asyncio.gather(*(show(waiting[n % 4], f"{n:06}") for n in range(20)))
    assert [answer.status for answer in answers].count(401) <= 5


async def test_knowing_the_password_alone_makes_no_browser_known(auth: AuthApp) -> None:
    phone = await with_app(auth, await auth.signed_in())
    count = "select count(*) as n from device"
    before = (await auth.running.admin(count))[0]["n"]
    client = await halfway(auth)
    assert "device" not in client.cookies
    assert (await auth.running.admin(count))[0]["n"] == before
    await show(client, phone.code())
    assert (await auth.running.admin(count))[0]["n"] == before + 1


async def test_a_browser_may_be_trusted_for_thirty_days_and_only_that_one(auth: AuthApp) -> None:
    phone = await with_app(auth, await auth.signed_in())
    client = await halfway(auth)
    assert (await show(client, phone.code(), trust="true")).status == 303
    await client.post("/logout")
    auth.clock.move(29 * 86_400)
    assert (await auth.sign_in(client)).header("location") == "/account"
    principal = await auth.running.runtime.sessions.lookup(client.cookies["sid"])
    assert principal and principal.acr == "1"
    await halfway(auth)  # elsewhere
    await client.post("/logout")
    auth.clock.move(2 * 86_400)
    await halfway(auth, client)


async def test_a_recovery_code_opens_once_and_says_how_many_are_left(auth: AuthApp) -> None:
    phone = await with_app(auth, await auth.signed_in())
    assert len(set(phone.codes)) == 10
    rows = await auth.running.admin("select code_sha256::text as hash from recovery_code")
    assert len(rows) == 10 and not any(code in rows[0]["hash"] for code in phone.codes)
    client = await halfway(auth)
    assert (await show(client, phone.codes[0].upper().replace("-", " "))).status == 303
    assert "9 of 10 left" in (await client.get("/account/factors")).text
    again = await halfway(auth)
    assert (await show(again, phone.codes[0])).status == 401
    answers = await asyncio.gather(*(show(again, phone.codes[1]) for _ in range(4)))
    assert [answer.status for answer in answers].count(303) == 1

    fresh = await client.post("/account/factors/recovery")
    assert fresh.status == 200 and phone.codes[2] not in fresh.text
    assert "download=" in fresh.text and "no-store" in (fresh.header("cache-control") or "")
    assert (await show(await halfway(auth), phone.codes[2])).status == 401


async def test_neither_code_nor_secret_is_anybody_elses(auth: AuthApp) -> None:
    phone = await with_app(auth, await auth.signed_in())
    _, stranger = await add_owner(auth.running, "Globex")
    theirs = auth.client()
    await auth.sign_in(theirs, email=stranger.email)
    other = await with_app(auth, theirs)
    waiting = auth.client()
    assert (await auth.sign_in(waiting, email=stranger.email)).status == 303
    for foreign in (phone.code(), phone.codes[0]):
        assert (await show(waiting, foreign)).status == 401
    assert (await show(waiting, other.code())).status == 303

    # The same rows under another realm open nothing: the floor is below the code.
    moved = "update totp set realm_id = $1 where user_id = $2"
    realm_id = uuid.uuid4()
    await auth.running.admin("insert into realm (realm_id, name) values ($1, 'other')", realm_id)
    await auth.running.admin("alter table totp drop constraint totp_realm_id_user_id_fkey")
    await auth.running.admin(moved, realm_id, auth.owner.user_id)
    assert (await auth.sign_in()).header("location") == "/account"


async def test_setting_up_needs_a_right_code_and_a_fresh_proof(auth: AuthApp) -> None:
    client = await auth.signed_in()
    await client.post(SETUP)
    secret = await shown_secret(client)
    wrong = await client.post(f"{SETUP}/confirm", form={"code": "000000"})
    assert wrong.status == 422 and "is not the code" in wrong.text
    assert (await auth.sign_in()).header("location") == "/account"  # nothing is asked for yet
    await client.post(SETUP)
    assert await shown_secret(client) != secret  # begun anew
    phone = Phone(auth, await shown_secret(client))
    old = client.cookies["sid"]
    assert (await client.post(f"{SETUP}/confirm", form={"code": phone.code()})).status == 200
    assert client.cookies["sid"] != old
    assert not await is_signed_in(Client(client.app, cookies={"sid": old}))
    assert (await client.post(SETUP)).status == 409
    assert (await client.get(SETUP)).header(
        "location"
    ) == "/account/factors"  # the secret is never shown again
    assert (await show(await halfway(auth), phone.code())).status == 401  # the code that set it up is used

    auth.clock.move(601)
    for path in (SETUP, f"{SETUP}/remove", "/account/factors/recovery"):
        assert (await client.post(path)).header("location") == "/account/confirm?next="
    assert (await client.get(SETUP)).header("location") == f"/account/confirm?next={SETUP}"


async def test_removing_the_app_is_told_and_ends_codes_and_trust(auth: AuthApp) -> None:
    client = await auth.signed_in()
    phone = await with_app(auth, client)
    trusted = await halfway(auth)
    await show(trusted, phone.code(), trust="true")
    assert (await client.post(f"{SETUP}/remove")).status == 303
    assert (await client.post(f"{SETUP}/remove")).status == 404
    assert (await auth.sign_in()).header("location") == "/account"
    rows = await auth.running.admin(
        "select (select count(*) from recovery_code) + count(trusted_until) as n from device"
    )
    assert rows[0]["n"] == 0
    await auth.work()
    told = [mail.text for mail in auth.mails if mail.to == auth.owner.email]
    assert "has an authenticator app from now on" in told[0]
    assert "an authenticator app no longer opens" in told[1]
    assert all(phone.code() not in text and phone.codes[0] not in text for text in told)


async def test_a_sealed_secret_needs_this_installations_key(auth: AuthApp) -> None:
    phone = await with_app(auth, await auth.signed_in())
    auth.running.runtime.signing_key = b"another"
    client = await halfway(auth)
    assert (await show(client, phone.code())).status == 401
    assert (await show(client, phone.codes[0])).status == 303  # what recovery codes are for


@pytest.mark.parametrize("code", ["", "1" * 5_000, "٠١٢٣٤٥", "\udcff", "aaaa-aaaa-aaaa-aaaa", "' or 1=1"])
async def test_nonsense_is_a_wrong_code(auth: AuthApp, code: str) -> None:
    await with_app(auth, await auth.signed_in())
    client = await halfway(auth)
    answer = await client.post(STEP, json_body={"code": code})
    assert answer.status in (400, 401), answer.text


async def test_a_program_is_told_of_the_second_step(auth: AuthApp) -> None:
    phone = await with_app(auth, await auth.signed_in())
    client = auth.client()
    body = {"email": auth.owner.email, "password": PASSWORD}
    first = await client.post("/login", json_body=body)
    assert (first.status, first.json) == (200, {"status": "second_factor", "next": "/login/second"})
    second = await client.post(STEP, json_body={"code": phone.code()})
    assert second.status == 200 and second.json["email"] == auth.owner.email

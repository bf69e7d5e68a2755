"""Step-up: a signed-in person proves once more that it is them, with the best they have."""

from __future__ import annotations

import asyncio
import re

from tests.rooms.auth.conftest import PASSWORD, AuthApp, add_owner
from tests.rooms.auth.factors.conftest import SETUP, is_signed_in, with_app
from tests.support.client import Answer, Client

CONFIRM = "/account/confirm"


async def confirm(client: Client, **form: str) -> Answer:
    return await client.post(CONFIRM, form=form)


async def stale(auth: AuthApp) -> Client:
    client = await auth.signed_in()
    auth.clock.move(601)
    return client


async def test_the_password_is_asked_for_and_leads_back_under_another_id(auth: AuthApp) -> None:
    client = await stale(auth)
    sent = await client.post(SETUP, headers={"referer": "http://localhost/account/factors"})
    assert sent.header("location") == f"{CONFIRM}?next=/account/factors"
    page = await client.get(f"{CONFIRM}?next=/account/factors")
    assert page.status == 200 and "Your password" in page.text and auth.owner.email in page.text
    old = client.cookies["sid"]
    wrong = await confirm(client, password="not this one", next="/account/factors")
    assert wrong.status == 422 and "not your password" in wrong.text
    assert client.cookies["sid"] == old
    right = await confirm(client, password=PASSWORD, next="/account/factors")
    assert (right.status, right.header("location")) == (303, "/account/factors")
    assert client.cookies["sid"] != old
    assert not await is_signed_in(Client(client.app, cookies={"sid": old}))
    assert (await client.post(SETUP)).header("location") == SETUP
    auth.clock.move(601)
    assert (await client.get(SETUP)).header("location") == f"{CONFIRM}?next={SETUP}"


async def test_whoever_has_a_second_factor_gives_that_and_not_the_password(auth: AuthApp) -> None:
    client = await auth.signed_in()
    phone = await with_app(auth, client)
    auth.clock.move(601)
    page = (await client.get(CONFIRM)).text
    assert "authenticator app" in page and "Your password" not in page
    assert (await confirm(client, password=PASSWORD)).status == 422
    assert (await confirm(client, code="000000")).status == 422
    assert (await confirm(client, code=phone.code())).status == 303
    principal = await auth.running.runtime.sessions.lookup(client.cookies["sid"])
    assert principal and (principal.acr, principal.proven_at) == ("2", auth.clock())
    auth.clock.move(601)
    assert (await confirm(client, code=phone.codes[0])).status == 303


async def test_a_stolen_session_has_five_tries_at_the_code_and_no_replay(auth: AuthApp) -> None:
    client = await auth.signed_in()
    phone = await with_app(auth, client)
    assert (await confirm(client, code=phone.code())).status == 303
    assert (await confirm(client, code=phone.code())).status == 422
    answers = await asyncio.gather(*(confirm(client, code=f"{n:06}") for n in range(20)))
    statuses = [answer.status for answer in answers]
    assert statuses.count(422) <= 4 and set(statuses) == {422, 429}
    assert (await confirm(client, code=phone.next_code())).status == 429
    auth.clock.move(601)
    assert (await confirm(client, code=phone.code())).status == 303


async def test_whoever_has_nothing_else_gets_a_code_by_mail(auth: AuthApp) -> None:
    client = await stale(auth)
    await auth.running.admin("delete from credential")
    assert "Mail a code to" in (await client.get(CONFIRM)).text
    assert (await confirm(client, code="00000000")).status == 422
    sent = await client.post(f"{CONFIRM}/mail", form={"next": SETUP})
    assert sent.header("location") == f"{CONFIRM}?next={SETUP}"
    await auth.work()
    mail = auth.mails[-1]
    found = re.search(r"^(\d{4} \d{4})\s*$", mail.text, re.MULTILINE)
    assert mail.to == auth.owner.email and found, mail.text
    code = found.group(1)

    elsewhere = Client(client.app, cookies={"sid": client.cookies["sid"]})
    assert (await confirm(elsewhere, code=code)).status == 422  # the code belongs to one browser
    _, other = await add_owner(auth.running, "Globex")
    stranger = auth.client()
    await auth.sign_in(stranger, email=other.email)
    await auth.running.admin("delete from credential")
    stranger.cookies["confirm"] = client.cookies["confirm"]
    assert (await confirm(stranger, code=code)).status == 422  # and to one person
    right = await confirm(client, code=code, next=SETUP)
    assert (right.status, right.header("location")) == (303, SETUP)
    assert (await confirm(client, code=code)).status == 422  # once


async def test_no_code_is_mailed_where_there_is_something_better(auth: AuthApp) -> None:
    client = await auth.signed_in()
    assert (await client.post(f"{CONFIRM}/mail", form={})).status == 404
    assert await auth.work() == 0


async def test_it_leads_to_pages_of_this_app_only(auth: AuthApp) -> None:
    client = await stale(auth)
    for wanted in ("https://evil.example", "//evil.example", "/account/confirm", "/logout"):
        assert "evil" not in (await client.get(f"{CONFIRM}?next={wanted}")).text
        answer = await confirm(client, password=PASSWORD, next=wanted)
        assert answer.header("location") == "/account"

"""Another address: confirmed from the new mailbox, taken back from the old one."""

from __future__ import annotations

import asyncio
import re

from tests.rooms.auth.conftest import PASSWORD, SIGN_UP, AuthApp, add_owner
from tests.rooms.auth.recovery.conftest import link_mailed, token_in
from tests.rooms.auth.test_sign_in import _statements
from tests.support.client import Answer, Client

NEW = "fresh@acme.example"


async def ask(client: Client, email: str = NEW) -> Answer:
    return await client.post("/account/address", form={"email": email})


async def confirm(client: Client, link: str) -> Answer:
    return await client.post("/address", form={"token": token_in(link)})


async def moved(auth: AuthApp, client: Client, email: str = NEW) -> Answer:
    """Change the address all the way."""
    assert (await ask(client, email)).status == 303
    return await confirm(client, await link_mailed(auth, email, "/address"))


async def test_an_address_is_changed_once_its_mailbox_says_so(auth: AuthApp) -> None:
    here, there = await auth.signed_in(), await auth.signed_in()
    assert (await ask(here)).status == 303
    link = await link_mailed(auth, NEW, "/address")
    assert auth.owner.email in (await here.get("/account")).text
    for _ in range(2):  # looking spends nothing
        assert NEW in (await here.get(link)).text
    old_cookie = here.cookies["sid"]
    assert (await confirm(here, link)).header("location") == "/account"
    assert here.cookies["sid"] != old_cookie
    page = (await here.get("/account")).text
    assert f"<dd>{NEW}</dd>" in page and f"<dd>{auth.owner.email}</dd>" not in page
    assert (await there.get("/account")).status == 303
    assert (await auth.sign_in()).status == 401
    assert (await auth.sign_in(email=NEW.upper())).status == 303
    assert (await confirm(here, link)).status == 404
    await auth.work()
    assert (auth.mails[-1].to, auth.mails[-1].subject) == (
        auth.owner.email,
        "Your address at Test app was changed",
    )
    assert NEW not in auth.mails[-1].text  # the old mailbox may be somebody else's by now


async def test_who_asks_never_learns_whether_the_new_address_has_an_account(auth: AuthApp) -> None:
    _, other = await add_owner(auth.running, "Globex")
    here = await auth.signed_in()
    await here.get("/account")  # the session's look-up is cached from here on
    counted = [await _statements(auth, lambda email=email: ask(here, email)) for email in (NEW, other.email)]
    assert counted[0] == counted[1]
    free, taken = await ask(here), await ask(here, other.email)
    assert (free.status, free.headers, free.body) == (taken.status, taken.headers, taken.body)
    await auth.work()
    told = [m for m in auth.mails if m.to == other.email]
    assert {m.subject for m in told} == {"This address has an account at Test app"}
    assert not [m for m in told if "token=" in m.text]
    program = await here.post("/account/address", json_body={"email": other.email})
    assert (program.status, program.json) == (200, {"status": "mail_sent"})


async def test_only_the_asker_signed_in_uses_the_link(auth: AuthApp) -> None:
    _, other = await add_owner(auth.running, "Globex")
    here, stranger, nobody = await auth.signed_in(), auth.client(), auth.client()
    await auth.sign_in(stranger, email=other.email)
    await ask(here)
    link = await link_mailed(auth, NEW, "/address")
    sent_on = await nobody.get(link)
    assert (sent_on.status, sent_on.header("location")) == (
        303,
        f"/login?next=%2Faddress%3Ftoken%3D{token_in(link)}",
    )
    assert (await confirm(nobody, link)).status == 401
    assert (await stranger.get(link)).status == 404
    assert (await confirm(stranger, link)).status == 404
    back = await auth.sign_in(nobody, next=link)
    assert back.header("location") == link
    assert (await confirm(nobody, link)).status == 303


async def test_the_old_mailbox_takes_it_back_and_shuts_everybody_out(auth: AuthApp) -> None:
    thief = await auth.signed_in()
    await moved(auth, thief)
    undo = await link_mailed(auth, auth.owner.email, "/address/undo")
    await moved(auth, thief, "second@acme.example")
    later = await link_mailed(auth, NEW, "/address/undo")
    owner = auth.client()
    assert auth.owner.email in (await owner.get(undo)).text
    answer = await owner.post("/address/undo", form={"token": token_in(undo)})
    reset = answer.header("location") or ""
    assert (answer.status, reset.partition("?")[0]) == (303, "/reset")
    assert (await thief.get("/account")).status == 303
    for email in (auth.owner.email, NEW, "second@acme.example"):  # the thief knew the password
        assert (await auth.sign_in(email=email)).status == 401
    assert (await owner.get(later)).status == 404  # the thief's own way back
    form = {"token": token_in(reset), "new": "nine loud drummers"}
    assert (await owner.post("/reset", form=form)).status == 303
    assert auth.owner.email in (await owner.get("/account")).text
    assert (await owner.post("/address/undo", form={"token": token_in(undo)})).status == 404


async def test_taking_back_works_for_a_week_and_where_nobody_has_the_address_since(auth: AuthApp) -> None:
    here = await auth.signed_in()
    await moved(auth, here)
    undo = await link_mailed(auth, auth.owner.email, "/address/undo")
    await auth.client().post("/signup", form={**SIGN_UP, "email": auth.owner.email})
    verify = await auth.link_mailed_to(auth.owner.email)
    await auth.client().post("/verify", form={"token": token_in(verify), "password": PASSWORD})
    answer = await auth.client().post("/address/undo", form={"token": token_in(undo)})
    assert answer.status == 409
    assert "Another account has this address by now" in answer.text
    assert NEW in (await here.get("/account")).text
    auth.clock.move(7 * 24 * 3600)
    assert (await auth.client().get(undo)).status == 404


async def test_of_all_who_take_one_address_at_once_one_gets_it(auth: AuthApp) -> None:
    _, other = await add_owner(auth.running, "Globex")
    clients, links = [await auth.signed_in(), auth.client()], []
    await auth.sign_in(clients[1], email=other.email)
    for client in clients:
        await ask(client)
        links.append(await link_mailed(auth, NEW, "/address"))
    await auth.client().post("/signup", form={**SIGN_UP, "email": NEW})
    verify = token_in(await auth.link_mailed_to(NEW))
    answers = await asyncio.gather(
        *(confirm(client, link) for client, link in zip(clients, links, strict=True) for _ in range(5)),
        auth.client().post("/verify", form={"token": verify, "password": PASSWORD}),
    )
    assert sorted({a.status for a in answers} - {401, 404}) == [303, 409]
    rows = await auth.running.admin("select count(*) as n from app_user where email_canon = $1", NEW)
    assert rows[0]["n"] == 1
    assert sum(a.status == 303 for a in answers) == 1


async def test_what_cannot_be_ones_new_address_is_refused_at_its_field(auth: AuthApp) -> None:
    here = await auth.signed_in()
    for wrong, words in (
        ("nobody", "like ada@example.com"),
        (auth.owner.email.upper(), "your address already"),
    ):
        page = await ask(here, wrong)
        assert page.status == 422
        assert 'id="f-email-error"' in page.text and words in page.text
    statuses = [(await ask(here, f"a{n}@b.example")).status for n in range(6)]
    assert statuses == [303] * 5 + [429]
    assert await auth.work() == 5


async def test_a_session_left_open_changes_no_address(auth: AuthApp) -> None:
    here = await auth.signed_in()
    assert (await here.get("/account/address")).status == 200
    auth.clock.move(601)
    for answer in (await here.get("/account/address"), await ask(here), await here.get("/account/leave")):
        assert answer.status == 303
        assert re.match("/account/confirm", answer.header("location") or "")
    assert await auth.work() == 0

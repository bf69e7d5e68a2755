"""A lost password. Covers: shut, web."""

from __future__ import annotations

import asyncio

import pytest

from tests.rooms.auth.conftest import PASSWORD, SIGN_UP, AuthApp, add_owner
from tests.rooms.auth.factors.conftest import is_signed_in, with_app
from tests.rooms.auth.recovery.conftest import link_mailed, token_in
from tests.rooms.auth.test_account import change_password
from tests.rooms.auth.test_sign_in import _statements
from tests.support.client import Answer, Client

NEW = "nine loud drummers"


async def ask(auth: AuthApp, email: str | None = None, *, address: str = "127.0.0.1") -> Answer:
    form = {"email": email or auth.owner.email}
    return await auth.client(address=address).post("/forgot", form=form)


async def link_of(auth: AuthApp) -> str:
    assert (await ask(auth)).status == 303
    return await link_mailed(auth, auth.owner.email, "/reset")


async def spend(client: Client, link: str, new: str = NEW) -> Answer:
    return await client.post("/reset", form={"token": token_in(link), "new": new})


async def test_a_new_password_shuts_out_everybody_else_and_signs_its_owner_in(auth: AuthApp) -> None:
    thief = await auth.signed_in()
    link, here = await link_of(auth), auth.client()
    before = len(auth.mails)
    answer = await spend(here, link)
    assert (answer.status, answer.header("location")) == (303, "/account/ways-in")
    page = (await here.get("/account/ways-in")).text
    assert "Remove" in page and "Google" in page  # the seeded owner has a linked sign-in
    assert (await thief.get("/account")).status == 303
    assert (await auth.sign_in()).status == 401
    assert (await auth.sign_in(password=NEW)).status == 303
    devices = await auth.running.admin(
        "select count(*) as n from device where user_id = $1", auth.owner.user_id
    )
    assert devices[0]["n"] == 2  # the browser that reset it, and the one that has just signed in
    await auth.work()
    told = auth.mails[before:]
    assert [(m.to, m.subject) for m in told] == [(auth.owner.email, "Your password at Test app was changed")]


async def test_looking_at_a_link_spends_nothing_and_setting_a_password_spends_it(auth: AuthApp) -> None:
    link = await link_of(auth)
    for _ in range(3):  # a scanner, a prefetch, a person
        page = await auth.client().get(link)
        assert page.status == 200
        assert auth.owner.email in page.text
        assert page.header("referrer-policy") == "same-origin"
    assert (await spend(auth.client(), link, "short")).status == 422
    assert (await spend(auth.client(), link)).status == 303
    for gone in (await auth.client().get(link), await spend(auth.client(), link, "another long one")):
        assert gone.status == 404
        assert "no longer works" in gone.text
    assert (await auth.sign_in(password=NEW)).status == 303


async def test_of_twenty_at_once_one_sets_the_password(auth: AuthApp) -> None:
    link = await link_of(auth)
    words = [f"drummer number {n} is loud" for n in range(20)]
    answers = await asyncio.gather(*(spend(auth.client(), link, word) for word in words))
    assert sorted({a.status for a in answers} - {503}) == [303, 404]
    won = [word for word, a in zip(words, answers, strict=True) if a.status == 303]
    assert len(won) == 1
    assert (await auth.sign_in(password=won[0])).status == 303


async def test_nobody_learns_from_the_answer_who_has_an_account(auth: AuthApp) -> None:
    _, disabled = await add_owner(auth.running, "Globex")
    await auth.running.admin("update app_user set status = 'disabled' where user_id = $1", disabled.user_id)
    await auth.client().post("/signup", form=SIGN_UP)
    whose = [auth.owner.email, disabled.email, SIGN_UP["email"], "nobody@nowhere.example"]
    answers = [await ask(auth, email) for email in whose]
    assert len({(a.status, str(a.headers), a.body) for a in answers}) == 1
    sent = await auth.client().get("/forgot/sent")
    assert "If the address you gave has an account" in sent.text
    counted = [await _statements(auth, lambda email=email: ask(auth, email)) for email in whose]
    assert all(statements == counted[0] for statements in counted)
    await auth.work()
    subjects = {(m.to, m.subject) for m in auth.mails}
    assert subjects == {
        (auth.owner.email, "A new password for Test app"),
        (SIGN_UP["email"], "Confirm your address for Test app"),
        (SIGN_UP["email"], "Your sign-up at Test app is not finished"),
    }
    program = await auth.client().post("/forgot", json_body={"email": "nobody@nowhere.example"})
    assert (program.status, program.json) == (200, {"status": "mail_sent"})


async def test_a_link_is_good_for_half_an_hour_and_only_while_nothing_overtakes_it(auth: AuthApp) -> None:
    link = await link_of(auth)
    auth.clock.move(1799)
    assert (await auth.client().get(link)).status == 200
    auth.clock.move(1)
    assert (await auth.client().get(link)).status == 404
    first, second = await link_of(auth), await link_of(auth)
    assert (await spend(auth.client(), first)).status == 303
    assert (await spend(auth.client(), second)).status == 404  # whoever asked beside them gets nothing
    third, here = await link_of(auth), auth.client()
    await auth.sign_in(here, password=NEW)
    assert (await change_password(here, NEW, PASSWORD)).status == 303
    assert (await spend(auth.client(), third)).status == 404
    fourth = await link_of(auth)
    await auth.running.admin("update app_user set status = 'disabled' where user_id = $1", auth.owner.user_id)
    assert (await spend(auth.client(), fourth)).status == 404


async def test_an_account_without_a_password_is_told_how_it_signs_in_and_may_set_one(auth: AuthApp) -> None:
    await auth.running.admin("delete from credential where user_id = $1", auth.owner.user_id)
    link = await link_of(auth)
    assert "you sign in with Google" in auth.mails[-1].text
    assert (await spend(auth.client(), link)).status == 303
    assert (await auth.sign_in(password=NEW)).status == 303


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("short", "at least"),
        ("acme-owner-2026", "your name"),
        ("x" * 257, "at most 256"),
        ("passwordpassword", "less regular"),
    ],
)
async def test_a_password_that_will_not_do_is_refused_at_its_field(
    auth: AuthApp, new: str, words: str
) -> None:
    link = await link_of(auth)
    page = await spend(auth.client(), link, new)
    assert page.status == 422
    assert 'id="f-new-error"' in page.text and words in page.text
    assert (await auth.sign_in()).status == 303


async def test_an_inbox_is_not_filled_and_a_network_not_let_loose(auth: AuthApp) -> None:
    answers = [await ask(auth, address=f"203.0.{n}.1") for n in range(7)]
    assert len({(a.status, a.body) for a in answers}) == 1
    await auth.work()
    assert len(auth.mails) == 5
    statuses = [(await ask(auth, f"a{n}@b.example")).status for n in range(61)]
    assert statuses == [303] * 60 + [429]
    wrong = await auth.client(address="198.51.100.9").post("/forgot", form={"email": "nobody"})
    assert (wrong.status, 'id="f-email-error"' in wrong.text) == (422, True)


async def test_a_form_without_a_link_leads_to_where_one_begins(auth: AuthApp) -> None:
    for path, begins in (("/address", "/account"), ("/address/undo", "/login"), ("/leaving/undo", "/login")):
        assert (await auth.client().get(path)).header("location") == begins
    assert (await auth.client().get("/reset")).header("location") == "/forgot"
    assert (await auth.client().get("/reset?token=nonsense")).status == 404
    assert (await auth.client().get("/account/ways-in")).header("location") == "/login?next=/account/ways-in"


async def test_the_mailbox_alone_does_not_get_past_a_second_factor(auth: AuthApp) -> None:
    phone = await with_app(auth, await auth.signed_in())
    link, here = await link_of(auth), auth.client()
    answer = await spend(here, link)
    assert answer.header("location") == "/login/second?next=%2Faccount%2Fways-in"
    assert not await is_signed_in(here)
    answer = await here.post("/login/second", form={"code": phone.code(), "next": "/account/ways-in"})
    assert answer.header("location") == "/account/ways-in"
    assert await is_signed_in(here)
    page = (await here.get("/account/ways-in")).text  # whoever was in may have left a factor behind
    assert "Authenticator app" in page
    assert "10 recovery codes left" in page

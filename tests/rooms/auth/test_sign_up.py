"""Signing up: a mail comes of it, and nobody but the mailbox learns which one. Covers: offer, letters."""

from __future__ import annotations

from typing import Any

import pytest

from shipworthy.kernel.settings import AuthSection
from tests.rooms.auth.conftest import PASSWORD, SIGN_UP, AuthApp
from tests.support.client import Answer


async def sign_up(auth: AuthApp, **changed: str) -> Answer:
    return await auth.client().post("/signup", form={**SIGN_UP, **changed})


async def test_a_sign_up_mails_a_link_and_makes_no_account_yet(auth: AuthApp) -> None:
    answer = await sign_up(auth)
    assert (answer.status, answer.header("location")) == (303, "/signup/sent")
    assert "set-cookie" not in dict(answer.headers)
    assert "Check your mail" in (await auth.client().get("/signup/sent")).text
    await auth.link_mailed_to(SIGN_UP["email"])
    counts = await auth.running.admin(
        "select (select count(*) from app_user) as people, (select count(*) from tenant) as tenants"
    )
    assert tuple(counts[0]) == (1, 1)  # the seeded ones
    assert (await auth.sign_in(email=SIGN_UP["email"])).status == 401


async def test_a_taken_address_is_answered_alike_and_its_owner_is_told_by_mail(auth: AuthApp) -> None:
    fresh, taken = await sign_up(auth), await sign_up(auth, email=auth.owner.email.upper())
    assert (fresh.status, fresh.headers, fresh.body) == (taken.status, taken.headers, taken.body)
    await auth.work()
    new, told = auth.mails
    assert (told.to, told.subject) == (auth.owner.email, "You already have an account at Test app")
    assert "/verify" not in told.text
    assert "http://localhost/login" in told.text
    assert new.to == SIGN_UP["email"]
    assert (await auth.sign_in()).status == 303


async def test_new_taken_and_too_often_cost_the_same_statements(auth: AuthApp) -> None:
    from tests.rooms.auth.test_sign_in import _statements

    for n in range(4):
        await sign_up(auth, email="often@nordlicht.example", name=f"Often {n}")
    counted = [
        await _statements(auth, lambda email=email: sign_up(auth, email=email))
        for email in (
            SIGN_UP["email"],
            auth.owner.email,
            "often@nordlicht.example",
            "often@nordlicht.example",
        )
    ]
    assert counted[0] == counted[1] == counted[2] == counted[3]
    assert sum(counted[0].values()) <= 7
    again = [
        await _statements(
            auth, lambda email=email: auth.client().post("/signup/again", form={"email": email})
        )
        for email in (SIGN_UP["email"], auth.owner.email, "nobody@nowhere.example")
    ]
    assert again[0] == again[1] == again[2]


async def test_a_password_is_hashed_for_a_taken_address_too(auth: AuthApp) -> None:
    from shipworthy.rooms.auth.hashing import STATE, HashPool
    from tests.support.hashing import HeldHasher

    hasher = HeldHasher()
    pool = HashPool(hasher, workers=1, queue_max=4)
    real, auth.running.runtime.state[STATE] = auth.running.runtime.state[STATE], pool
    await sign_up(auth, email=auth.owner.email)
    await sign_up(auth)
    assert hasher.done == [PASSWORD, PASSWORD]
    pool.close()
    auth.running.runtime.state[STATE] = real


async def test_an_address_gets_five_mails_in_a_window_and_the_answer_stays_the_same(
    auth: AuthApp,
) -> None:
    answers = [await sign_up(auth) for _ in range(7)]
    assert len({(a.status, a.body, a.header("location")) for a in answers}) == 1
    await auth.work()
    assert len(auth.mails) == 5
    auth.clock.move(901)
    await sign_up(auth)
    await auth.work()
    assert len(auth.mails) == 6


async def test_one_network_may_sign_up_sixty_times_in_a_window(auth: AuthApp) -> None:
    statuses = [
        (await auth.client().post("/signup/again", form={"email": f"a{n}@b.example"})).status
        for n in range(61)
    ]
    assert statuses == [303] * 60 + [429]
    elsewhere = auth.client(address="198.51.100.4")
    assert (await elsewhere.post("/signup", form=SIGN_UP)).status == 303
    throttled = await sign_up(auth)
    assert (throttled.status, throttled.header("retry-after")) == (429, "900")


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"name": " "}, "name", "Enter your name"),
        ({"name": "x" * 101}, "name", "at most 100"),
        ({"name": "Mara\u202e"}, "name", "Enter your name"),
        ({"organisation": ""}, "organisation", "Enter its name"),
        ({"email": "mara@nordlicht"}, "email", "like ada@example.com"),
        ({"password": "short"}, "password", "at least 15"),
        ({"password": "nordlicht-studio-1"}, "password", "your name"),
        ({"password": "testapp testapp!"}, "password", "your name"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(
    auth: AuthApp, changed: dict[str, str], field: str, words: str
) -> None:
    page = await sign_up(auth, **changed)
    assert page.status == 422
    assert f'id="f-{field}-error"' in page.text
    assert words in page.text
    kept = {**SIGN_UP, **changed}
    kept.pop("password")
    assert all(value in page.text for name, value in kept.items() if name != field)
    assert PASSWORD not in page.text
    answer = await auth.client().post("/signup", json_body={**SIGN_UP, **changed})
    assert (answer.status, answer.json["code"], list(answer.json["fields"])) == (
        422,
        "auth.sign_up_invalid",
        [field],
    )
    assert await auth.work() == 0
    assert (await sign_up(auth)).status == 303


async def test_all_wrong_fields_are_named_at_once(auth: AuthApp) -> None:
    empty: dict[str, Any] = dict.fromkeys(SIGN_UP, "")
    answer = await auth.client().post("/signup", json_body=empty)
    assert set(answer.json["fields"]) == set(SIGN_UP)
    unknown = await auth.client().post("/signup", json_body={**SIGN_UP, "role": "owner", "verified": True})
    assert set(unknown.json["fields"]) == {"role", "verified"}


async def test_json_is_answered_in_json(auth: AuthApp) -> None:
    answer = await auth.client().post("/signup", json_body=SIGN_UP)
    assert (answer.status, answer.json) == (200, {"status": "mail_sent"})


async def test_the_mail_can_be_had_again_and_both_links_work_until_one_does(auth: AuthApp) -> None:
    await sign_up(auth)
    first = await auth.link_mailed_to(SIGN_UP["email"])
    answer = await auth.client().post("/signup/again", form={"email": SIGN_UP["email"].upper()})
    assert (answer.status, answer.header("location")) == (303, "/signup/sent")
    second = await auth.link_mailed_to(SIGN_UP["email"])
    assert first != second
    form = {"token": first.partition("=")[2], "password": PASSWORD}
    assert (await auth.client().post("/verify", form=form)).status == 303
    assert (await auth.client().get(second)).status == 404
    await auth.client().post("/signup/again", form={"email": SIGN_UP["email"]})
    await auth.work()
    assert auth.mails[-1].subject == "You already have an account at Test app"


async def test_nobody_hears_from_us_who_never_signed_up(auth: AuthApp) -> None:
    answer = await auth.client().post("/signup/again", form={"email": "nobody@nowhere.example"})
    assert (answer.status, answer.header("location")) == (303, "/signup/sent")
    assert await auth.work() == 1
    assert auth.mails == []
    wrong = await auth.client().post("/signup/again", form={"email": "nobody"})
    assert wrong.status == 422
    assert "like ada@example.com" in wrong.text


async def test_the_database_holds_neither_password_nor_token(auth: AuthApp) -> None:
    await sign_up(auth)
    link = await auth.link_mailed_to(SIGN_UP["email"])
    dump = ""
    for table in ("one_time_token", "auth_mail", "realm_audit", "pgqueuer", "pgqueuer_log", "login_bucket"):
        rows = await auth.running.admin(f"select t::text as row from {table} t")
        dump += "".join(row["row"] for row in rows)
    assert SIGN_UP["email"] in dump  # the search can find what is there
    assert PASSWORD not in dump
    assert link.partition("=")[2] not in dump


async def test_offers_that_are_over_are_forgotten_with_what_they_asked_for(auth: AuthApp) -> None:
    await sign_up(auth)
    auth.clock.move(24 * 3600 + 1)
    await sign_up(auth, email="other@nordlicht.example")
    rows = await auth.running.admin("select email_raw from one_time_token")
    assert [row["email_raw"] for row in rows] == ["other@nordlicht.example"]


async def test_the_shortest_password_is_the_settings_own(auth: AuthApp) -> None:
    page = await auth.client().get("/signup")
    assert f"At least {AuthSection().password_chars_min} characters" in page.text

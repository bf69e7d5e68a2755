"""Confirming an address: the link and the password together, once."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

from tests.rooms.auth.conftest import PASSWORD, SIGN_UP, AuthApp
from tests.support.client import Answer, Client
from tests.support.page import without_nonces


async def signed_up(auth: AuthApp, **changed: str) -> str:
    """Sign up and return the token that was mailed."""
    await auth.client().post("/signup", form={**SIGN_UP, **changed})
    return (await auth.link_mailed_to(changed.get("email", SIGN_UP["email"]))).partition("=")[2]


async def confirm(
    auth: AuthApp, token: str, *, password: str = PASSWORD, client: Client | None = None
) -> Answer:
    return await (client or auth.client()).post("/verify", form={"token": token, "password": password})


async def test_link_and_password_make_the_account_and_sign_its_owner_in(auth: AuthApp) -> None:
    token = await signed_up(auth)
    page = await auth.client().get(f"/verify?token={token}")
    assert page.status == 200
    assert SIGN_UP["email"] in page.text
    client = auth.client()
    answer = await confirm(auth, token, client=client)
    assert (answer.status, answer.header("location")) == (303, "/account")
    account = (await client.get("/account")).text
    assert "Your address is confirmed. Welcome, Mara Lindqvist." in account
    for shown in ("Mara Lindqvist", "Nordlicht Studio", SIGN_UP["email"], "Owner"):
        assert shown in account
    assert (await auth.sign_in(email=SIGN_UP["email"])).status == 303
    tenant = (await auth.running.admin("select name, slug from tenant where name = 'Nordlicht Studio'"))[0]
    assert tenant["slug"].startswith("nordlicht-studio-")


async def test_json_confirms_too(auth: AuthApp) -> None:
    token = await signed_up(auth)
    answer = await auth.client().post("/verify", json_body={"token": token, "password": PASSWORD})
    assert answer.status == 200
    assert (answer.json["email"], answer.json["role"]) == (SIGN_UP["email"], "owner")


async def test_looking_at_the_link_uses_nothing_up(auth: AuthApp) -> None:
    token = await signed_up(auth)
    for _ in range(3):  # mail programs open links to see where they lead
        assert (await auth.client().get(f"/verify?token={token}")).status == 200
    assert (await auth.sign_in(email=SIGN_UP["email"])).status == 401
    assert (await confirm(auth, token)).status == 303


async def test_the_link_without_the_password_does_nothing(auth: AuthApp) -> None:
    token = await signed_up(auth)
    page = await confirm(auth, token, password="another password entirely")
    assert page.status == 401
    assert "not the password chosen with this sign-up" in page.text
    assert SIGN_UP["email"] in page.text
    assert (await auth.running.admin("select count(*) as n from app_user"))[0]["n"] == 1
    assert (await confirm(auth, token)).status == 303


async def test_who_signs_up_with_a_foreign_address_never_gets_its_account(auth: AuthApp) -> None:
    """Pre-hijacking: the attacker's sign-up waits for the owner's click."""
    stolen = await signed_up(auth, password="attackers own phrase")
    mine = await signed_up(auth)
    assert (await confirm(auth, stolen)).status == 401  # the owner clicks the wrong mail
    assert (await confirm(auth, mine)).status == 303
    assert (await confirm(auth, stolen, password="attackers own phrase")).status == 404
    assert (await auth.sign_in(email=SIGN_UP["email"], password="attackers own phrase")).status == 401
    assert (await auth.sign_in(email=SIGN_UP["email"])).status == 303


async def test_a_link_works_once_even_when_used_twenty_times_at_once(auth: AuthApp) -> None:
    token = await signed_up(auth)
    answers = await asyncio.gather(*(confirm(auth, token) for _ in range(8)))
    statuses = Counter(a.status for a in answers)
    assert statuses[303] == 1
    assert set(statuses) <= {303, 404, 409}
    assert (await confirm(auth, token)).status == 404
    counts = await auth.running.admin(
        "select (select count(*) from app_user) as people, (select count(*) from tenant) as tenants"
    )
    assert tuple(counts[0]) == (2, 2)


async def test_two_sign_ups_of_one_address_confirmed_at_once_make_one_account(auth: AuthApp) -> None:
    tokens = [await signed_up(auth), await signed_up(auth)]
    answers = await asyncio.gather(*(confirm(auth, token) for token in tokens))
    assert sorted(a.status for a in answers)[0] == 303
    assert sorted(a.status for a in answers)[1] in (404, 409)


async def test_a_dead_link_says_what_to_do_whatever_is_wrong_with_it(auth: AuthApp) -> None:
    token = await signed_up(auth)
    auth.clock.move(24 * 3600 + 1)
    dead = [token, token[:-1], token + "A", "x", "é", "\x1f", "A" * 2_000]
    pages = [await auth.client().post("/verify", form={"token": t, "password": PASSWORD}) for t in dead]
    pages.append(await auth.client().get(f"/verify?token={token}"))
    assert {page.status for page in pages} == {404}
    key = re.compile(
        r'name="_idempotency_key" value="[^"]*"'
    )  # of the choice of a language, new on each page
    assert len({key.sub("", without_nonces(page.text)).split("<h", 1)[1] for page in pages}) == 1
    assert "/signup/again" in pages[0].text.replace("&#x2f;", "/")
    assert (await auth.client().get("/verify")).header("location") == "/signup/again"


async def test_guessing_the_password_behind_a_link_is_throttled(auth: AuthApp) -> None:
    token = await signed_up(auth)
    statuses = [(await confirm(auth, token, password=f"guess number {n} of many")).status for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert (await confirm(auth, token)).status == 429
    auth.clock.move(901)
    assert (await confirm(auth, token)).status == 303


async def test_the_account_is_in_the_new_organisations_trail(auth: AuthApp) -> None:
    await confirm(auth, await signed_up(auth))
    rows = await auth.running.admin(
        "select a.action, t.name from audit a join tenant t using (tenant_id) where a.action like 'auth.%'"
    )
    assert [tuple(row) for row in rows] == [("auth.account_created", "Nordlicht Studio")]


async def test_what_a_sign_up_asked_for_is_forgotten_once_it_is_an_account(auth: AuthApp) -> None:
    await signed_up(auth)
    token = await signed_up(auth, name="Second Try")
    await confirm(auth, token)
    rows = await auth.running.admin("select pending, used_at from one_time_token")
    assert len(rows) == 2
    assert all(row["pending"] is None and row["used_at"] for row in rows)


async def test_organisations_of_one_name_have_short_names_of_their_own(auth: AuthApp) -> None:
    for n, organisation in enumerate(["Same & Söhne", "Same & Söhne", "株式会社"]):
        email = f"a{n}@same.example"
        token = await signed_up(auth, email=email, organisation=organisation)
        assert (await confirm(auth, token)).status == 303
    rows = await auth.running.admin("select slug from tenant where name <> 'Acme' order by created_at")
    slugs = [row["slug"] for row in rows]
    assert [slug.rpartition("-")[0] for slug in slugs] == ["same-sohne", "same-sohne", "team"]
    assert len(set(slugs)) == 3

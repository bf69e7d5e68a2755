"""Accepting: by the address that was invited, once, and by nobody else. Covers: invitation_web."""

from __future__ import annotations

import asyncio
import uuid

from tests.rooms.auth.conftest import PASSWORD
from tests.rooms.auth.orgs.conftest import AS_JSON, Team, invite
from tests.support.client import Answer, Client


async def sign_up(client: Client, link: str, *, name: str = "Ida", password: str = PASSWORD) -> Answer:
    form = {"token": link.rpartition("=")[2], "name": name, "password": password}
    return await client.post("/invitation/sign-up", form=form)


async def accept(client: Client, link: str) -> Answer:
    return await client.post("/invitation/accept", form={"token": link.rpartition("=")[2]}, headers=AS_JSON)


async def invited(team: Team, email: str, role: str = "member") -> str:
    assert (await invite(team.owner, email, role)).status == 303
    return await team.link_mailed_to(email)


async def test_a_new_person_joins_without_an_organisation_of_their_own(team: Team) -> None:
    link = await invited(team, "Ida@new.example", "viewer")
    ida = team.auth.client()
    page = (await ida.get(link)).text
    assert "Join Acme" in page and "Ida@new.example" in page and "readonly" in page
    wrong = await sign_up(ida, link, password="short")
    assert (wrong.status, 'id="f-password-error"' in wrong.text) == (422, True)
    assert (await sign_up(ida, link)).status == 303
    assert await team.acts_as(ida) == ("Acme", "viewer")
    rows = await team.auth.running.admin("select count(*) as n from tenant")
    assert rows[0]["n"] == 2
    assert await team.acts_as(await team.signed_in_as("ida@new.example")) == ("Acme", "viewer")
    assert (await team.auth.client().get(link)).status == 404
    assert await team.trail() == ["auth.invitation_sent", "auth.invitation_accepted", "auth.account_created"]


async def test_whoever_has_an_account_signs_in_and_accepts(team: Team) -> None:
    await team.add("Gil", tenant_id=team.neighbour_id)
    link = await invited(team, "gil@acme.example")
    gil = team.auth.client()
    page = (await gil.get(link)).text
    assert "Sign in to accept" in page and "/login?next=%2Finvitation%3Ftoken%3D" in page.replace(
        "&#x2f;", "/"
    )
    assert (await accept(gil, link)).status == 401
    refused = await sign_up(gil, link)
    assert refused.status == 409
    back = await team.auth.sign_in(gil, email="gil@acme.example", next=link)
    assert back.header("location") == link
    assert await team.acts_as(gil) == ("Globex", "member")
    assert "Accept invitation" in (await gil.get(link)).text
    before = gil.cookies["sid"]
    assert (await accept(gil, link)).header("location") == "/account"
    assert gil.cookies["sid"] != before
    assert await team.acts_as(gil) == ("Acme", "member")
    assert "Globex" in (await gil.get("/organisations")).text


async def test_nobody_accepts_with_another_address(team: Team) -> None:
    await team.add("Eve", tenant_id=team.neighbour_id)
    link = await invited(team, "ida@new.example")
    eve = await team.signed_in("Eve")
    page = await eve.get(link)
    assert "you are signed in as eve@acme.example" in page.text and "Accept invitation" not in page.text
    refused = await accept(eve, link)
    assert (refused.status, refused.json["code"]) == (403, "auth.invitation_other_address")
    assert "sid" not in dict(refused.headers).get("set-cookie", "")
    # Whoever is signed in makes no account in passing either.
    assert (await sign_up(eve, link)).status == 409
    assert "Eve" not in await team.roles()
    await team.auth.running.admin(
        "update app_user set verified_at = null, email_canon = 'ida@new.example' where name = 'Eve'"
    )
    assert (await accept(eve, link)).status == 403  # an address that was never proven is nobody's
    assert (await sign_up(team.auth.client(), link)).status == 303


async def test_whoever_prepared_the_address_keeps_nothing(team: Team) -> None:
    """Signing up with an invited address of somebody else wins neither the invitation nor the account."""
    thief = team.auth.client()
    form = {"name": "Thief", "organisation": "Trap", "email": "ida@new.example", "password": PASSWORD}
    await thief.post("/signup", form=form)
    prepared = await team.auth.link_mailed_to("ida@new.example")
    link = await invited(team, "ida@new.example")
    assert (await sign_up(team.auth.client(), link, password="another quiet lantern")).status == 303
    assert (await thief.get(prepared)).status == 404
    assert (await team.auth.sign_in(email="ida@new.example")).status == 401


async def test_of_twenty_at_once_one_joins(team: Team) -> None:
    link = await invited(team, "ida@new.example")
    answers = await asyncio.gather(*(sign_up(team.auth.client(), link) for _ in range(20)))
    assert [a.status for a in answers].count(303) == 1
    assert {a.status for a in answers} <= {303, 404, 409, 503}
    assert list(await team.roles()).count("Ida") == 1


async def test_whoever_is_in_it_already_keeps_the_role(team: Team) -> None:
    gil = await team.add("Gil", tenant_id=team.neighbour_id)
    link = await invited(team, "gil@acme.example", "viewer")
    await team.join(gil, team.tenant_id, "owner")
    client = await team.signed_in("Gil")
    assert (await accept(client, link)).status == 303
    assert (await team.roles())["Gil"] == "owner"


async def test_a_link_that_is_none_says_so_and_nothing_more(team: Team) -> None:
    client = team.auth.client()
    assert (await client.get("/invitation")).header("location") == "/organisations"
    for path in ("/invitation?token=x", f"/invitation?token={uuid.uuid4()}"):
        page = await client.get(path)
        assert (page.status, "no longer open" in page.text) == (404, True)
    assert (await sign_up(client, "/invitation?token=x")).status == 404
    assert (await accept(team.owner, "/invitation?token=x")).status == 404

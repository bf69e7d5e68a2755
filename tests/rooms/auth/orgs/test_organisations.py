"""A person's organisations: another one, another name, and which of them a session acts for."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from tests.rooms.auth.orgs.conftest import AS_JSON, Team


async def test_a_person_of_two_organisations_chooses_under_a_new_session_id(team: Team) -> None:
    await team.join(team.owner_id, team.neighbour_id, "viewer")
    old = dict(team.owner.cookies)
    page = await team.owner.get("/organisations")
    assert "Acme" in page.text and "Globex" in page.text
    answer = await team.owner.post(f"/organisations/{team.neighbour_id}/enter")
    assert (answer.status, answer.header("location")) == (303, "/account")
    assert team.owner.cookies["sid"] != old["sid"]
    assert await team.acts_as(team.owner) == ("Globex", "viewer")
    thief = team.auth.client()
    thief.cookies = old
    assert (await thief.get("/account")).header("location") == "/login?next=/account"
    # Signing in again leads to where one was last.
    assert await team.acts_as(await team.auth.signed_in()) == ("Globex", "viewer")
    back = await team.owner.post(f"/organisations/{team.tenant_id}/enter")
    assert back.status == 303
    assert await team.acts_as(team.owner) == ("Acme", "owner")
    kept = team.owner.cookies["sid"]
    assert (await team.owner.post(f"/organisations/{team.tenant_id}/enter")).status == 303
    assert team.owner.cookies["sid"] == kept
    assert await team.trail() == ["auth.organisation_entered"] * 2


async def test_nobody_acts_for_an_organisation_of_others(team: Team) -> None:
    answers = [
        await team.owner.post(f"/organisations/{tenant_id}/enter", headers=AS_JSON)
        for tenant_id in (team.neighbour_id, uuid.uuid4())
    ]
    assert [a.status for a in answers] == [404, 404]
    assert answers[0].body == answers[1].body
    assert await team.acts_as(team.owner) == ("Acme", "owner")


@pytest.mark.parametrize("begins", ["switch", "sign in"])
async def test_a_session_that_begins_during_a_removal_acts_for_nobody(team: Team, begins: str) -> None:
    """Whichever is first. Without the lock on the membership both failed, in three runs of three."""
    await team.add("Glob", "owner", tenant_id=team.neighbour_id)
    mia, owner = await team.add("Mia"), await team.signed_in("Glob")
    sql = "update membership set entered_at = now() where user_id = $1 and tenant_id = $2"
    for _ in range(12):
        await team.join(mia, team.neighbour_id)
        client = await team.signed_in("Mia")
        if begins == "sign in":
            await team.auth.running.admin(sql, mia, team.neighbour_id)
            beginning = team.auth.sign_in(email="mia@acme.example")
        else:
            beginning = client.post(f"/organisations/{team.neighbour_id}/enter", headers=AS_JSON)
        removal = owner.post(f"/organisation/members/{mia}/remove")
        begun, removed = await asyncio.gather(beginning, removal)
        assert (removed.status, begun.status in (303, 404)) == (303, True)
        left = await team.auth.running.admin(
            "select 1 from session where user_id = $1 and tenant_id = $2", mia, team.neighbour_id
        )
        assert not left


async def test_a_new_name_shows_in_every_session(team: Team) -> None:
    await team.add("Mia")
    mia = await team.signed_in("Mia")
    assert (await team.acts_as(mia))[0] == "Acme"
    answer = await team.owner.post("/organisation/name", form={"organisation": "  Acme  & Sons "})
    assert (answer.status, answer.header("location")) == (303, "/organisation")
    assert [(await team.acts_as(client))[0] for client in (mia, team.owner)] == ["Acme & Sons"] * 2
    for wrong in ("", "x" * 201, "a\u202eb"):
        page = await team.owner.post("/organisation/name", form={"organisation": wrong})
        assert (page.status, 'id="f-organisation-error"' in page.text) == (422, True)
    rows = await team.auth.running.admin("select name from tenant order by name")
    assert [row["name"] for row in rows] == ["Acme & Sons", "Globex"]
    assert await team.trail() == ["auth.organisation_renamed"]


async def test_twenty_that_begin_one_at_once_begin_it_once(team: Team) -> None:
    clients = [await team.auth.signed_in() for _ in range(20)]
    answers = await asyncio.gather(
        *[client.post("/organisations", form={"organisation": "Second"}) for client in clients]
    )
    assert sorted(a.status for a in answers) == [303] + [422] * 19
    winner = clients[[a.status for a in answers].index(303)]
    assert await team.acts_as(winner) == ("Second", "owner")
    rows = await team.auth.running.admin("select name from tenant where name = 'Second'")
    assert len(rows) == 1
    page = await team.owner.post("/organisations", form={"organisation": "sEcond"})
    assert (page.status, "already" in page.text) == (422, True)


async def test_somebody_without_an_organisation_begins_one(team: Team) -> None:
    await team.add("Vic", "viewer")
    vic = await team.signed_in("Vic")
    await vic.post("/organisation/leave")
    assert (await vic.get("/organisation")).header("location") == "/organisations"
    refused = await vic.get("/organisation", headers=AS_JSON)
    assert (refused.status, refused.json["code"]) == (403, "permission.no_tenant")
    assert (await vic.get("/organisations/menu")).status == 200
    assert (await vic.post("/organisations", form={"organisation": "Vic & Co"})).status == 303
    assert await team.acts_as(vic) == ("Vic & Co", "owner")
    assert "Vic" in (await vic.get("/organisation")).text


async def test_there_is_a_bound(team: Team) -> None:
    await team.auth.running.admin(
        "with made as (insert into tenant (realm_id, tenant_id, name, slug)"
        " select $1, gen_random_uuid(), 'T' || n, 't-' || n from generate_series(1, 99) n returning tenant_id)"
        " insert into membership (realm_id, tenant_id, user_id, role, created_at)"
        " select $1, tenant_id, $2, 'owner', now() from made",
        team.auth.running.runtime.realm_id, team.owner_id,
    )  # fmt: skip
    full = await team.owner.post("/organisations", form={"organisation": "One more"}, headers=AS_JSON)
    assert (full.status, full.json["code"]) == (409, "auth.organisations_full")

"""The people of an organisation: seen, changed and gone, and never without an owner."""

from __future__ import annotations

import asyncio
import re
import uuid

from tests.rooms.auth.orgs.conftest import AS_JSON, Team
from tests.support.client import Answer, Client


async def set_role(client: Client, user_id: uuid.UUID, role: str) -> Answer:
    path = f"/organisation/members/{user_id}/role"
    return await client.post(path, form={"role": role}, headers=AS_JSON)


async def remove(client: Client, user_id: uuid.UUID) -> Answer:
    return await client.post(f"/organisation/members/{user_id}/remove", headers=AS_JSON)


async def test_the_list_shows_everybody_once_a_page_at_a_time(team: Team) -> None:
    await team.auth.running.admin(
        "with people as (insert into app_user (realm_id, user_id, email_raw, email_canon, name, verified_at, created_at)"
        " select $1, gen_random_uuid(), 'p' || n || '@acme.example', 'p' || n || '@acme.example', 'Person ' || n, now(), now()"
        " from generate_series(1, 119) n returning realm_id, user_id)"
        " insert into membership (realm_id, tenant_id, user_id, role, created_at)"
        " select realm_id, $2, user_id, 'member', '2026-01-01' from people",
        team.auth.running.runtime.realm_id, team.tenant_id,
    )  # fmt: skip
    seen: list[str] = []
    path, pages = "/organisation", 0
    while path:
        page = (await team.owner.get(path)).text.replace("&#x2f;", "/")
        seen += re.findall(r"/organisation/members/([0-9a-f-]{36})", page)
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        path, pages = (onward.group(1) if onward else ""), pages + 1
    assert (len(seen), len(set(seen)), pages) == (120, 120, 3)
    for odd in ("x", "9" * 18 + "." + "f" * 32, "1.2", "%00"):
        assert (await team.owner.get(f"/organisation?after={odd}")).status in (200, 400)


async def test_a_role_that_is_changed_is_felt_in_running_sessions(team: Team) -> None:
    mia = await team.add("Mia")
    desk, phone = await team.signed_in("Mia"), await team.signed_in("Mia")
    assert (await team.acts_as(desk)) == ("Acme", "member")
    assert (await set_role(team.owner, mia, "viewer")).status == 303
    assert [await team.acts_as(client) for client in (desk, phone)] == [("Acme", "viewer")] * 2
    assert (await desk.get("/organisation", headers=AS_JSON)).json["code"] == "permission.missing"
    assert (await set_role(team.owner, mia, "king")).status == 422
    assert (await team.roles())["Mia"] == "viewer"


async def test_whoever_is_removed_keeps_the_account_and_loses_the_organisation(team: Team) -> None:
    mia = await team.add("Mia")
    desk, phone = await team.signed_in("Mia"), await team.signed_in("Mia")
    pair = (await desk.post("/api/programs", json_body={"name": "Robot"})).json
    robot = team.auth.client()
    as_robot = {"authorization": f"Bearer {pair['access_token']}"}
    assert (await robot.get("/api/me", headers=as_robot)).status == 200
    assert (await remove(team.owner, mia)).status == 303
    for client in (desk, phone, await team.signed_in("Mia")):
        assert await team.acts_as(client) == (None, None)
        assert (await client.get("/organisation")).header("location") == "/organisations"
        assert "no organisation" in (await client.get("/organisations")).text
        assert (await client.get("/account")).status == 200
    refused = await robot.post(
        "/api/token", json_body={"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    )
    assert (refused.status, refused.json["error"]) == (400, "invalid_grant")
    await team.join(mia, team.tenant_id)  # invited again: what was ended stays ended
    rows = await team.auth.running.admin("select ended_at from program where user_id = $1", mia)
    assert rows[0]["ended_at"]


async def test_the_last_owner_neither_goes_nor_steps_down(team: Team) -> None:
    await team.add("Mia")
    for refused in (
        await set_role(team.owner, team.owner_id, "member"),
        await remove(team.owner, team.owner_id),
        await team.owner.post("/organisation/leave", headers=AS_JSON),
    ):
        assert (refused.status, refused.json["code"]) == (409, "auth.last_owner")
    shown = await team.owner.post(f"/organisation/members/{team.owner_id}/remove")
    assert (shown.status, "only owner" in shown.text) == (409, True)
    assert (await set_role(team.owner, team.owner_id, "owner")).status == 303
    otto = await team.add("Otto", "owner")
    await team.auth.running.admin("update app_user set status = 'disabled' where user_id = $1", otto)
    assert (await team.owner.post("/organisation/leave")).status == 409  # the other owner does not come back
    assert (await remove(team.owner, otto)).status == 303
    assert await team.roles() == {"Acme Owner": "owner", "Mia": "member"}


async def test_of_twenty_owners_who_go_at_once_one_stays(team: Team) -> None:
    people = {name: await team.add(name, "owner") for name in (f"Owner{n}" for n in range(19))}
    clients = [team.owner, *[await team.signed_in(name) for name in people]]
    ids = [team.owner_id, *people.values()]
    going = [
        client.post("/organisation/leave", headers=AS_JSON)
        if n % 3 == 0
        else set_role(client, ids[n], "member")
        if n % 3 == 1
        else remove(client, ids[(n + 1) % 20])  # the next one, who may be going just now
        for n, client in enumerate(clients)
    ]
    answers = await asyncio.gather(*going)
    assert list((await team.roles()).values()).count("owner") >= 1
    assert {a.status for a in answers} <= {303, 403, 404, 409, 503}
    assert 303 in {a.status for a in answers}


async def test_an_owner_of_a_moment_ago_changes_nothing(team: Team) -> None:
    mia, otto = await team.add("Mia"), await team.add("Otto", "owner")
    stale = await team.signed_in("Otto")
    # Another process took the role away; this one has not heard of it yet.
    await team.auth.running.admin("update membership set role = 'member' where user_id = $1", otto)
    for refused in (await set_role(stale, mia, "owner"), await remove(stale, mia)):
        assert (refused.status, refused.json["code"]) == (403, "auth.owners_only")
    assert (await team.roles())["Mia"] == "member"


async def test_members_look_and_owners_change(team: Team) -> None:
    mia, _ = await team.add("Mia"), await team.add("Vic", "viewer")
    member, viewer = await team.signed_in("Mia"), await team.signed_in("Vic")
    assert "Acme Owner" in (await member.get("/organisation")).text
    assert "Role" in (await member.get(f"/organisation/members/{mia}")).text
    for client, path in (
        (member, f"/organisation/members/{mia}/role"),
        (member, f"/organisation/members/{mia}/remove"),
        (member, "/organisation/name"),
        (viewer, "/organisation"),
    ):
        method = "GET" if path == "/organisation" else "POST"
        answer = await client.request(method, path, form={"role": "owner"}, headers=AS_JSON)
        assert (answer.status, answer.json["code"]) == (403, "permission.missing")
    assert (await viewer.post("/organisation/leave")).header("location") == "/organisations"
    assert "Vic" not in await team.roles()


async def test_a_neighbours_member_looks_like_none(team: Team) -> None:
    stranger = await team.add("Stranger", tenant_id=team.neighbour_id)
    for path in ("", "/role", "/remove"):
        method = "POST" if path else "GET"
        answers = [
            await team.owner.request(
                method, f"/organisation/members/{user_id}{path}", form={"role": "viewer"}, headers=AS_JSON
            )
            for user_id in (stranger, uuid.uuid4())
        ]
        assert [a.status for a in answers] == [404, 404]
        assert answers[0].body == answers[1].body
    assert "Stranger" not in (await team.owner.get("/organisation")).text
    rows = await team.auth.running.admin("select role from membership where user_id = $1", stranger)
    assert rows[0]["role"] == "member"


async def test_changes_are_in_the_organisations_trail(team: Team) -> None:
    mia = await team.add("Mia")
    await set_role(team.owner, mia, "viewer")
    await (await team.signed_in("Mia")).post("/organisation/leave")
    otto = await team.add("Otto")
    await remove(team.owner, otto)
    assert await team.trail() == ["auth.member_role_changed", "auth.member_left", "auth.member_removed"]

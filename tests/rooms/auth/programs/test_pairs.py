"""Pairs: one lineage whatever meets, and a copy that comes back ends it. Covers: pairs, bearer, web."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable
from typing import Any

from shipworthy.rooms.auth.programs.pairs import PROGRAMS_MAX
from tests.rooms.auth.conftest import AuthApp, add_owner
from tests.support.client import Answer, Client

TTL_S, GRACE_S, IDLE_S = 300, 30, 14 * 24 * 3600


async def begin(client: Client, name: str = "Night shift") -> dict[str, Any]:
    answer = await client.post("/api/programs", json_body={"name": name})
    assert answer.status == 201, answer.text
    pair: dict[str, Any] = answer.json
    return pair


def refresh(auth: AuthApp, token: str) -> Awaitable[Answer]:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return auth.client().post("/api/token", form=form)


async def me(auth: AuthApp, access: str, path: str = "/api/me", method: str = "GET") -> Answer:
    return await auth.client().request(method, path, headers={"authorization": f"Bearer {access}"})


async def assert_dead(auth: AuthApp, token: str) -> None:
    answer = await refresh(auth, token)
    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")


async def test_a_pair_acts_for_its_person_and_every_refresh_gives_another(auth: AuthApp) -> None:
    first = await begin(await auth.signed_in())
    assert (first["token_type"], first["expires_in"]) == ("Bearer", TTL_S)
    answer = await me(auth, first["access_token"])
    assert (answer.status, answer.json["email"], answer.json["role"]) == (200, auth.owner.email, "owner")
    second = await refresh(auth, first["refresh_token"])
    assert second.status == 200
    assert second.json["refresh_token"] != first["refresh_token"]
    assert (await me(auth, second.json["access_token"])).status == 200
    assert (await refresh(auth, second.json["refresh_token"])).status == 200


async def test_fifty_refreshes_at_once_leave_one_lineage_that_works(auth: AuthApp) -> None:
    first = await begin(await auth.signed_in())
    answers = await asyncio.gather(*(refresh(auth, first["refresh_token"]) for _ in range(50)))
    assert {a.status for a in answers} == {200}
    (successor,) = {a.json["refresh_token"] for a in answers}
    rows = await auth.running.admin("select counter, ended_at from program")
    assert [tuple(r) for r in rows if r["counter"]] == [(1, None)]
    assert (await refresh(auth, successor)).status == 200


async def test_within_the_grace_the_successor_comes_again_and_after_it_the_program_ends(
    auth: AuthApp,
) -> None:
    client = await auth.signed_in()
    stolen, bystander = await begin(client), await begin(client, "Other")
    theirs = (await refresh(auth, stolen["refresh_token"])).json
    auth.clock.move(GRACE_S)
    again = await refresh(auth, stolen["refresh_token"])
    assert again.json["refresh_token"] == theirs["refresh_token"]
    auth.clock.move(1)
    await assert_dead(auth, stolen["refresh_token"])
    await assert_dead(auth, theirs["refresh_token"])
    assert (await refresh(auth, bystander["refresh_token"])).status == 200
    assert await auth.work() >= 1
    told = [m for m in auth.mails if "was ended" in m.subject]
    assert [m.to for m in told] == [auth.owner.email]
    assert "&#" not in told[0].text and '"Night shift"' in told[0].text
    await assert_dead(auth, stolen["refresh_token"])
    assert await auth.work() == 0, "told once"


async def test_a_grandparent_ends_the_program_even_within_the_grace(auth: AuthApp) -> None:
    first = await begin(await auth.signed_in())
    second = (await refresh(auth, first["refresh_token"])).json
    third = (await refresh(auth, second["refresh_token"])).json
    await assert_dead(auth, first["refresh_token"])
    await assert_dead(auth, third["refresh_token"])


async def test_every_time_limit_holds(auth: AuthApp) -> None:
    client = await auth.signed_in()
    pair = await begin(client)
    auth.clock.move(TTL_S)
    late = await me(auth, pair["access_token"])
    assert (late.status, late.json["code"]) == (401, "session.token_invalid")
    assert late.header("www-authenticate") == 'Bearer error="invalid_token"'
    auth.clock.move(IDLE_S - TTL_S)
    await assert_dead(auth, pair["refresh_token"])
    kept = await begin(await auth.signed_in())
    for _ in range(7):
        auth.clock.move(IDLE_S - 1)
        answer = await refresh(auth, kept["refresh_token"])
        kept = answer.json
    assert answer.status == 400, "ninety days after it began it ends, however often it was used"


async def test_its_owner_ends_it_and_nobody_else_does(auth: AuthApp) -> None:
    client, (_, stranger) = await auth.signed_in(), await add_owner(auth.running, "Globex")
    pair = await begin(client)
    assert "Night shift" in (await client.get("/account")).text
    (program_id,) = [
        r["program_id"]
        for r in await auth.running.admin("select program_id from program where name = 'Night shift'")
    ]
    thief = auth.client()
    await auth.sign_in(thief, email=stranger.email)
    asked = {"accept": "application/json"}
    foreign = await thief.post(f"/account/programs/{program_id}/end", headers=asked)
    missing = await thief.post(f"/account/programs/{uuid.uuid4()}/end", headers=asked)
    assert (foreign.status, foreign.body) == (404, missing.body)
    assert (await refresh(auth, pair["refresh_token"])).status == 200
    assert (await client.post(f"/account/programs/{program_id}/end")).status == 303
    assert "Night shift" not in (await client.get("/account")).text
    assert (await me(auth, pair["access_token"])).status == 401
    await assert_dead(auth, (await refresh(auth, pair["refresh_token"])).json.get("refresh_token", ""))


async def test_it_gives_itself_up(auth: AuthApp) -> None:
    pair = await begin(await auth.signed_in())
    for token in ("nonsense", pair["access_token"]):
        assert (await auth.client().post("/api/token/revoke", form={"token": token})).status == 200
    assert (await refresh(auth, pair["refresh_token"])).status == 200
    for _ in range(2):
        answer = await auth.client().post("/api/token/revoke", form={"token": pair["refresh_token"]})
        assert (answer.status, answer.json) == (200, {})
    await assert_dead(auth, pair["refresh_token"])


async def test_a_person_who_may_not_come_in_any_more_has_no_programs(auth: AuthApp) -> None:
    for change in ("update app_user set status = 'disabled'", "delete from membership"):
        pair = await begin(await auth.signed_in())
        await auth.running.admin(f"{change} where user_id = $1", auth.owner.user_id)
        assert (await me(auth, pair["access_token"])).status == 401
        await assert_dead(auth, pair["refresh_token"])
        await auth.running.admin("update app_user set status = 'active'")


async def test_changing_the_password_ends_programs_and_renaming_does_not(auth: AuthApp) -> None:
    client = await auth.signed_in()
    pair = await begin(client)
    await client.post("/account/name", form={"name": "Somebody"})
    pair = (await refresh(auth, pair["refresh_token"])).json
    await client.post(
        "/account/password", form={"current": "seven quiet lanterns", "new": "nine loud drummers"}
    )
    await assert_dead(auth, pair["refresh_token"])


async def test_a_program_opens_no_page_and_begins_no_program(auth: AuthApp) -> None:
    pair = await begin(await auth.signed_in())
    page = await me(auth, pair["access_token"], "/account")
    assert "Sessions" not in page.text
    changed = await auth.client().post(
        "/account/name",
        json_body={"name": "Thief"},
        headers={"authorization": f"Bearer {pair['access_token']}"},
    )
    assert changed.status == 401
    begun = await auth.client().post(
        "/api/programs",
        json_body={"name": "Worm"},
        headers={"authorization": f"Bearer {pair['access_token']}"},
    )
    assert begun.status == 403


async def test_wrong_tokens_are_refused_and_never_a_cookie_instead(auth: AuthApp) -> None:
    client = await auth.signed_in()
    for wrong in ("", "x", "a.b.c", "Bearer", "\u00ff" * 50, "x" * 8000):
        answer = await client.get("/api/me", headers={"authorization": f"Bearer {wrong}"})
        assert (answer.status, answer.json["code"]) == (401, "session.token_invalid"), wrong
    assert (await client.get("/api/me", headers={"authorization": "Basic eDp5"})).status == 200
    assert (await auth.client().get("/api/me")).status == 401
    for form in ({}, {"grant_type": "password", "refresh_token": "x"}, {"grant_type": "refresh_token"}):
        assert (await auth.client().post("/api/token", form=form)).status == 422
    for token in ("", "swr1", "\u00ff", "x" * 3000):
        await assert_dead(auth, token)
    assert (await refresh(auth, "x" * 9000)).status == 413


async def test_a_person_has_so_many_programs_and_no_more(auth: AuthApp) -> None:
    client = await auth.signed_in()
    held = len(await auth.running.admin("select 1 from program where user_id = $1", auth.owner.user_id))
    for _ in range(PROGRAMS_MAX - held):
        await begin(client)
    full = await client.post("/api/programs", json_body={"name": "One more"})
    assert (full.status, full.json["code"]) == (409, "auth.programs_full")
    for name in ("", " ", "x" * 101, "\u202e"):
        assert (await client.post("/api/programs", json_body={"name": name})).status == 422


async def test_the_published_keys_verify_a_token_elsewhere(auth: AuthApp) -> None:
    from joserfc import jwt
    from joserfc.jwk import KeySet

    pair = await begin(await auth.signed_in())
    answer = await auth.client().get("/.well-known/jwks.json")
    assert answer.header("cache-control") == "public, max-age=3600"
    read = jwt.decode(pair["access_token"], KeySet.import_key_set(answer.json), algorithms=["ES256"])
    assert read.header["typ"] == "at+jwt"
    assert read.claims["sub"] == str(auth.owner.user_id)
    assert all("d" not in key for key in answer.json["keys"])

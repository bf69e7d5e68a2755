"""A change of how an account is opened gives its session another token: what was seen before opens nothing."""

from __future__ import annotations

import asyncio

from tests.rooms.auth.conftest import AuthApp
from tests.rooms.auth.test_account import change_password
from tests.support.client import Client


async def test_a_password_change_renews_the_cookie_and_keeps_the_session(auth: AuthApp) -> None:
    here = await auth.signed_in()
    thief = Client(here.app, cookies=dict(here.cookies))
    old, begun = here.cookies["sid"], await _session(auth)
    answer = await change_password(here)
    assert answer.status == 303
    assert here.cookies["sid"] != old
    assert (await here.get("/account")).status == 200
    assert (await thief.get("/account")).status == 303
    now = await _session(auth)
    kept = ("session_id", "created_at", "proven_at", "absolute_expires_at")
    assert [now[name] for name in kept] == [begun[name] for name in kept]


async def test_a_change_by_a_session_that_was_ended_meanwhile_is_taken_back(auth: AuthApp) -> None:
    here, there = await auth.signed_in(), await auth.signed_in()
    answers = await asyncio.gather(
        change_password(here), *(there.post("/account/sessions/end-others") for _ in range(3))
    )
    assert (await auth.sign_in()).status == (401 if answers[0].status == 303 else 303)


async def _session(auth: AuthApp) -> dict[str, object]:
    sql = "select * from session where user_id = $1 and revoked_at is null order by session_id desc limit 1"
    return dict((await auth.running.admin(sql, auth.owner.user_id))[0])

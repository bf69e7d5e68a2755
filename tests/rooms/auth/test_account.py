"""A person's own account."""

from __future__ import annotations

import re
import uuid

import pytest

from shipworthy.rooms.auth.seed import ELSEWHERE as SEEDED
from tests.rooms.auth.conftest import PASSWORD, AuthApp, add_owner
from tests.support.client import Answer, Client

NEW_PASSWORD = "nine loud drummers"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile Safari/604.1"


async def change_password(client: Client, current: str = PASSWORD, new: str = NEW_PASSWORD) -> Answer:
    return await client.post("/account/password", form={"current": current, "new": new})


async def victim_sessions(auth: AuthApp) -> list[uuid.UUID]:
    """Return the owner's sessions, the newest last."""
    sql = "select session_id from session where user_id = $1 order by session_id"
    return [row["session_id"] for row in await auth.running.admin(sql, auth.owner.user_id)]


async def _ends(client: Client) -> list[str]:
    """Return the addresses of the buttons that end a session."""
    page = (await client.get("/account")).text.replace("&#x2f;", "/")
    return re.findall(r"/account/sessions/[0-9a-f-]{36}/end", page)


async def test_the_page_shows_the_person_and_where_they_are_signed_in(auth: AuthApp) -> None:
    desk, phone = await auth.signed_in(), auth.client()
    form = {"email": auth.owner.email, "password": PASSWORD}
    await phone.post("/login", form=form, headers={"user-agent": PHONE})
    page = (await desk.get("/account")).text
    for shown in (auth.owner.email, "Acme Owner", "Acme", "Owner", "Safari on iPhone", "This session"):
        assert shown in page
    assert page.count("This session") == 1
    assert len(await _ends(desk)) == 1 + len(SEEDED)
    assert all(f"{auth.owner.marker}, {browser}" in page for browser in SEEDED)


async def test_ending_one_session_ends_that_one_and_stops_trusting_its_browser(auth: AuthApp) -> None:
    desk = await auth.signed_in()
    before = await _ends(desk)
    phone = await auth.signed_in()
    (end,) = set(await _ends(desk)) - set(before)
    answer = await desk.post(end)
    assert (answer.status, answer.header("location")) == (303, "/account")
    assert (await phone.get("/account")).status == 303
    assert (await desk.get("/account")).status == 200
    rows = await auth.running.admin("select count(*) as n from device")
    assert rows[0]["n"] == 1
    assert (await desk.post(end)).status == 404


async def test_nobody_ends_anothers_session(auth: AuthApp) -> None:
    _, stranger = await add_owner(auth.running, "Globex")
    victim = await auth.signed_in()
    session_id = (await victim_sessions(auth))[-1]
    thief = auth.client()
    await auth.sign_in(thief, email=stranger.email)
    foreign = await thief.post(f"/account/sessions/{session_id}/end", headers={"accept": "application/json"})
    missing = await thief.post(
        f"/account/sessions/{uuid.uuid4()}/end", headers={"accept": "application/json"}
    )
    assert (foreign.status, foreign.body) == (404, missing.body)
    await thief.post("/account/sessions/end-others")
    assert (await victim.get("/account")).status == 200


async def test_ending_all_others_keeps_this_one(auth: AuthApp) -> None:
    here, *others = [await auth.signed_in() for _ in range(3)]
    assert (await here.post("/account/sessions/end-others")).status == 303
    assert [(await other.get("/account")).status for other in others] == [303, 303]
    assert (await here.get("/account")).status == 200
    rows = await auth.running.admin("select count(*) as n from device")
    assert rows[0]["n"] == 1


async def test_a_new_name_shows_in_every_session(auth: AuthApp) -> None:
    here, there = await auth.signed_in(), await auth.signed_in()
    answer = await here.post("/account/name", form={"name": "  Ada   Berg "})
    assert (answer.status, answer.header("location")) == (303, "/account")
    for client in (here, there, await auth.signed_in()):
        assert "Ada Berg" in (await client.get("/account")).text
    for wrong in ("", "x" * 101, "a\u202eb"):
        page = await here.post("/account/name", form={"name": wrong})
        assert page.status == 422
        assert 'id="f-name-error"' in page.text
    assert "Ada Berg" in (await there.get("/account")).text


async def test_a_new_password_replaces_the_old_one_and_ends_the_other_sessions(auth: AuthApp) -> None:
    here, there = await auth.signed_in(), await auth.signed_in()
    assert (await change_password(here)).status == 303
    assert (await here.get("/account")).status == 200
    assert (await there.get("/account")).status == 303
    assert (await auth.sign_in()).status == 401
    assert (await auth.sign_in(password=NEW_PASSWORD)).status == 303


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong wrong wrong", NEW_PASSWORD, "current"),
        (PASSWORD, "short", "new"),
        (PASSWORD, "acme-owner-2026", "new"),
        (PASSWORD, "x" * 257, "new"),
        ("", NEW_PASSWORD, "current"),
    ],
)
async def test_a_password_change_that_is_not_in_order_changes_nothing(
    auth: AuthApp, current: str, new: str, field: str
) -> None:
    here, there = await auth.signed_in(), await auth.signed_in()
    page = await change_password(here, current, new)
    assert page.status == 422
    assert f'id="f-{field}-error"' in page.text
    assert (await there.get("/account")).status == 200
    assert (await auth.sign_in()).status == 303


async def test_a_stolen_session_gets_few_tries_at_the_password(auth: AuthApp) -> None:
    thief, owner = await auth.signed_in(), await auth.signed_in()
    statuses = [(await change_password(thief, f"guess number {n}")).status for n in range(12)]
    assert statuses == [422] * 10 + [429] * 2
    assert (await change_password(thief)).status == 429
    assert (await change_password(owner)).status == 303


async def test_signing_out_ends_the_session_and_clears_its_cookie(auth: AuthApp) -> None:
    client = await auth.signed_in()
    kept = dict(client.cookies)
    answer = await client.post("/logout")
    assert (answer.status, answer.header("location")) == (303, "/login")
    assert "sid" not in client.cookies
    assert "device" in client.cookies
    client.cookies = kept
    assert (await client.get("/account")).status == 303
    assert (await client.post("/logout")).status == 401
    assert "You are signed out." in (await _flashed(auth, answer)).text


async def test_the_account_is_for_the_signed_in_only(auth: AuthApp) -> None:
    stranger = auth.client()
    page = await stranger.get("/account")
    assert (page.status, page.header("location")) == (303, "/login?next=/account")
    for path in ("/account/name", "/account/password", "/account/sessions/end-others", "/logout"):
        assert (await stranger.post(path, form={})).status == 401
    signed_in = await auth.signed_in()
    cross = await signed_in.post("/account/sessions/end-others", origin="https://evil.example")
    assert cross.status == 403


async def test_changes_are_in_the_organisations_trail(auth: AuthApp) -> None:
    here = await auth.signed_in()
    await auth.signed_in()
    await here.post((await _ends(here))[0])
    await here.post("/account/sessions/end-others")
    await here.post("/account/name", form={"name": "Ada Berg"})
    await change_password(here)
    await here.post("/logout")
    rows = await auth.running.admin("select action, actor_id, detail::text from audit order by audit_id")
    assert [row["action"] for row in rows] == [
        "auth.session_ended",
        "auth.other_sessions_ended",
        "auth.renamed",
        "auth.password_changed",
        "auth.signed_out",
    ]
    assert {row["actor_id"] for row in rows} == {auth.owner.user_id}
    assert not [row for row in rows if "Ada" in row["detail"]]


async def _flashed(auth: AuthApp, answer: Answer) -> Answer:
    client = auth.client()
    flash = next(v for n, v in answer.headers if n == "set-cookie" and v.startswith("flash="))
    client.cookies["flash"] = flash.partition(";")[0].removeprefix("flash=")
    return await client.get("/login")

"""Signing in: what it gives, what it refuses, and what it does not tell."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from shipworthy.kernel.settings import AuthSection, DbSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.auth.hashing import STATE, HashPool
from shipworthy.rooms.auth.room import ROOM
from tests.rooms.auth.conftest import PASSWORD, AuthApp, add_owner, auth_settings
from tests.support.app import RunningApp, app_running
from tests.support.client import Answer
from tests.support.hashing import HeldHasher, full_line
from tests.support.page import without_nonces


async def test_the_form_leads_on_with_a_session_of_its_own(auth: AuthApp) -> None:
    client = auth.client()
    answer = await auth.sign_in(client)
    assert (answer.status, answer.header("location"), answer.body) == (303, "/account", b"")
    kept = dict(value.split("=", 1) for name, value in answer.headers if name == "set-cookie")
    assert set(kept) == {"sid", "device"}
    for cookie in kept.values():
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie
    assert auth.owner.email in (await client.get("/account")).text
    assert auth.owner.email not in (await auth.client().get("/account")).text


async def test_cookies_are_bound_to_host_and_tls_where_there_is_tls(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    from shipworthy.kernel.settings import HttpSection

    settings = auth_settings(http=HttpSection(public_scheme="https"))
    async with app_running(cluster, (ROOM,), tmp_path, settings=settings) as running:
        _, owner = await add_owner(running)
        form = {"email": owner.email, "password": PASSWORD}
        client = running.client()
        answer = await client.post("/login", form=form)
        kept = [value for name, value in answer.headers if name == "set-cookie"]
        assert [value.split("=")[0] for value in kept] == ["__Host-sid", "__Host-device"]
        assert all("; Secure" in value and "Domain" not in value for value in kept)
        assert (await client.get("/account")).status == 200


async def test_json_gets_json_and_the_same_session(auth: AuthApp) -> None:
    client = auth.client()
    body = {"email": auth.owner.email.upper(), "password": PASSWORD, "next": "/x"}
    answer = await client.post("/login", json_body=body)
    assert answer.status == 200
    assert answer.json == {
        "user_id": str(auth.owner.user_id),
        "email": auth.owner.email,
        "name": "Acme Owner",
        "role": "owner",
        "tenant_id": str(auth.owner_tenant_id),
        "next": "/x",
    }
    assert (await client.get("/account")).status == 200
    refused = await client.post("/login", json_body={**body, "password": "wrong wrong wrong"})
    assert (refused.status, refused.json["code"]) == (401, "auth.refused")
    malformed = await client.post("/login", json_body={"email": 7})
    assert (malformed.status, set(malformed.json["fields"])) == (422, {"email", "password"})


async def test_a_refused_form_comes_back_filled_in_without_the_password(auth: AuthApp) -> None:
    answer = await auth.sign_in(password="wrong <wrong> wrong", next="/invoices")
    assert answer.status == 401
    assert "do not belong together" in answer.text
    assert f'value="{auth.owner.email}"' in answer.text
    assert 'value="&#x2f;invoices"' in answer.text
    assert "wrong &lt;wrong" not in answer.text
    assert "set-cookie" not in dict(answer.headers)


async def test_nobody_learns_whether_an_address_has_an_account(auth: AuthApp) -> None:
    await auth.running.admin(
        "insert into app_user (realm_id, user_id, email_raw, email_canon, name, status, verified_at, created_at) values"
        " ($1, gen_random_uuid(), 'new@a.example', 'new@a.example', 'N', 'active', null, now()),"
        " ($1, gen_random_uuid(), 'off@a.example', 'off@a.example', 'O', 'disabled', now(), now())",
        auth.running.runtime.realm_id,
    )
    await auth.running.admin(
        "insert into credential (realm_id, credential_id, user_id, kind, password_hash, changed_at)"
        " select u.realm_id, gen_random_uuid(), u.user_id, 'password', c.password_hash, now()"
        " from app_user u, credential c where u.email_canon in ('new@a.example', 'off@a.example')"
    )
    tries = [
        (auth.owner.email, "wrong wrong wrong"),
        ("nobody@nowhere.example", PASSWORD),
        ("new@a.example", PASSWORD),  # not verified
        ("off@a.example", PASSWORD),  # disabled
        ("not an address", PASSWORD),
        ("a\x1fb@a.example", PASSWORD),
        (auth.owner.email, ""),
        (auth.owner.email, PASSWORD + "x" * 300),
    ]
    for media in ("form", "json_body"):
        answers = [
            await auth.client().post("/login", **{media: {"email": email, "password": password}})
            for email, password in tries
        ]
        assert {a.status for a in answers} == {401}
        assert len({_comparable(a, email) for a, (email, _) in zip(answers, tries, strict=True)}) == 1
        assert len({tuple(n for n, _ in a.headers) for a in answers}) == 1


async def test_every_try_costs_one_hash_whoever_is_meant(auth: AuthApp) -> None:
    hasher = HeldHasher()
    pool = HashPool(hasher, workers=1, queue_max=4, decoy="decoy")
    real, auth.running.runtime.state[STATE] = auth.running.runtime.state[STATE], pool
    for email in (auth.owner.email, "nobody@nowhere.example", "not an address"):
        assert (await auth.sign_in(email=email)).status == 401
    assert hasher.done == [PASSWORD] * 3
    pool.close()
    auth.running.runtime.state[STATE] = real


async def test_every_try_leaves_a_row_in_the_realms_trail_without_the_address(auth: AuthApp) -> None:
    await auth.sign_in()
    await auth.sign_in(password="wrong wrong wrong")
    await auth.sign_in(email="nobody@nowhere.example")
    rows = await auth.running.admin(
        "select action, object_id, detail::text from realm_audit order by audit_id"
    )
    owner = str(auth.owner.user_id)
    assert [tuple(row) for row in rows] == [
        ("auth.signed_in", owner, "{}"),
        ("auth.sign_in_refused", owner, "{}"),
        ("auth.sign_in_refused", "unknown", "{}"),
    ]


async def test_a_sign_in_runs_three_statements_and_so_does_a_refused_one(auth: AuthApp) -> None:
    home = await auth.signed_in()
    for client in (None, home):  # a stranger, and somebody in their own browser
        right = await _statements(auth, lambda client=client: auth.sign_in(client))
        # One more looks the session up that home still has.
        assert sum(right.values()) <= 3 + (client is home), right
    wrong = await _statements(auth, lambda: auth.sign_in(password="wrong wrong wrong"))
    unknown = await _statements(auth, lambda: auth.sign_in(email="nobody@nowhere.example"))
    assert wrong == unknown
    assert sum(wrong.values()) <= 3, wrong


async def test_a_session_is_checked_with_one_statement_and_then_from_the_cache(auth: AuthApp) -> None:
    client = await auth.signed_in()
    for minutes in (0, 2):  # also when it is time to write down that the person was here
        auth.clock.move(minutes * 60)
        auth.running.runtime.sessions._cache.clear()
        first = await _statements(auth, lambda: client.get("/login"))
        assert first == {"kernel.session_by_token": 1}
        assert await _statements(auth, lambda: client.get("/login")) == {}
    (row,) = await auth.running.admin(
        "select max(last_seen_at) as at from session where device_name = 'Unknown browser'"
    )
    assert row["at"] == auth.clock.at


async def test_no_connection_is_held_while_a_password_is_hashed(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    settings = auth_settings(db=DbSection(pool_size=1, acquire_timeout_s=2))
    async with app_running(cluster, (ROOM,), tmp_path, settings=settings) as running:
        _, owner = await add_owner(running)
        hasher = HeldHasher()
        pool = HashPool(hasher, workers=2, queue_max=8)
        running.runtime.state[STATE] = pool
        hasher.hold()
        form = {"email": owner.email, "password": PASSWORD}
        hashing = [asyncio.create_task(running.client().post("/login", form=form)) for _ in range(2)]
        for _ in hashing:
            assert await asyncio.to_thread(hasher.started.acquire, timeout=20)
        assert (await running.client().get("/-/readyz")).status == 200
        hasher.release()
        await asyncio.gather(*hashing)


async def test_a_hash_of_older_parameters_is_renewed_at_sign_in(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    async with app_running(cluster, (ROOM,), tmp_path, settings=auth_settings()) as running:
        _, owner = await add_owner(running)
        form = {"email": owner.email, "password": PASSWORD}
        before = await _stored(running)
        stronger = auth_settings(auth=AuthSection(hash_memory_kib=128, hash_passes=2))
        from shipworthy.rooms.auth.hashing import open_pool

        old, running.runtime.state[STATE] = running.runtime.state[STATE], open_pool(stronger)
        assert (await running.client().post("/login", form={**form, "password": "wrong"})).status == 401
        assert await _stored(running) == before
        assert (await running.client().post("/login", form=form)).status == 303
        after = await _stored(running)
        assert "m=64,t=1" in before
        assert "m=128,t=2" in after
        assert (await running.client().post("/login", form=form)).status == 303
        assert await _stored(running) == after
        old.close()


async def test_a_full_pool_refuses_before_it_touches_the_database(auth: AuthApp) -> None:
    async def refused() -> None:
        answer = await auth.sign_in()
        assert answer.status == 503
        assert int(answer.header("retry-after") or 0) in range(1, 5)
        assert "Many people are signing in" in answer.text
        assert f'value="{auth.owner.email}"' in answer.text

    async with full_line(auth.running.runtime):
        assert await _statements(auth, refused) == {}


async def test_a_sign_in_from_another_site_is_refused(auth: AuthApp) -> None:
    form = {"email": auth.owner.email, "password": PASSWORD}
    answer = await auth.client().post("/login", form=form, origin="https://evil.example")
    assert answer.status == 403
    too_large = await auth.client().post("/login", form={**form, "next": "x" * 9_000})
    assert too_large.status == 413


async def test_a_person_of_another_realm_is_nobody_here(
    auth: AuthApp, cluster: PostgresAddress, tmp_path: Path
) -> None:
    import uuid
    from dataclasses import replace

    from shipworthy.kernel.app import running as open_runtime
    from shipworthy.kernel.app import web_app

    other_realm = uuid.uuid4()
    await auth.running.admin("insert into realm (realm_id, name) values ($1, 'other')", other_realm)
    installation = replace(auth.running.installation, realm_id=other_realm)
    async with open_runtime(auth.running.runtime.settings, (ROOM,), installation, now=auth.clock) as runtime:
        other = RunningApp(runtime, web_app(runtime), cluster, auth.running.database_name, installation)
        form = {"email": auth.owner.email, "password": PASSWORD}
        assert (await other.client().post("/login", form=form)).status == 401
        session = await auth.signed_in()
        there = other.client()
        there.cookies = dict(session.cookies)
        assert (await there.get("/account")).status == 303  # to the door: this session is not of this realm

        # The same address may belong to another person there.
        other_tenant, other_owner = await add_owner(other)
        signed_in = await other.client().post("/login", json_body=form)
        assert signed_in.json["user_id"] == str(other_owner.user_id)
        assert signed_in.json["tenant_id"] == str(other_tenant)
        for _ in range(10):
            await other.client().post("/login", form={**form, "password": "wrong wrong wrong"})
        assert (await other.client().post("/login", form=form)).status == 429
    assert (await auth.sign_in()).status == 303


@pytest.mark.parametrize(("principal", "location"), [(False, "/login"), (True, "/account")])
async def test_the_start_leads_to_the_door_or_the_first_page(
    auth: AuthApp, principal: bool, location: str
) -> None:
    client = await auth.signed_in() if principal else auth.client()
    assert (await client.get("/")).header("location") == location


async def _stored(running: RunningApp) -> str:
    return str((await running.admin("select password_hash from credential"))[0]["password_hash"])


async def _statements(auth: AuthApp, act: Any) -> dict[str, int]:
    """Return how often each named query ran during `act`, as the database counted."""
    await auth.running.admin("select pg_stat_statements_reset()")
    await act()
    rows = await auth.running.admin(
        "select substring(query from '/\\* ([a-z_.]+) \\*/') as name, sum(calls)::int as calls from pg_stat_statements"
        " where dbid = (select oid from pg_database where datname = current_database()) group by 1"
    )
    return {row["name"]: row["calls"] for row in rows if row["name"]}


def _comparable(answer: Answer, email: str) -> str:
    from html import escape

    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", without_nonces(answer.text))
    shown = escape(email).replace("/", "&#x2f;")
    return text.replace(f'value="{shown}"', 'value="EMAIL"')


@pytest.mark.parametrize(
    "meanwhile",
    [
        "update app_user set status = 'disabled' where user_id = $1",
        "update credential set password_hash = 'hash of another' where user_id = $1",
    ],
)
async def test_what_was_closed_while_the_password_was_hashed_stays_closed(
    auth: AuthApp, meanwhile: str
) -> None:
    hasher, runtime = HeldHasher(), auth.running.runtime
    pool = HashPool(hasher, workers=1, queue_max=4)
    real, runtime.state[STATE] = runtime.state[STATE], pool
    judged = f"hash of {PASSWORD}"
    await auth.running.admin("update credential set password_hash = $1", judged)
    try:
        assert (await auth.sign_in()).status == 303, "it would have been let in"
        assert await asyncio.to_thread(hasher.started.acquire, timeout=20)
        hasher.hold()
        trying = asyncio.create_task(auth.sign_in())
        assert await asyncio.to_thread(hasher.started.acquire, timeout=20)
        await auth.running.admin(meanwhile, auth.owner.user_id)
        hasher.release()
        assert (await trying).status == 401
    finally:
        hasher.release()
        runtime.state[STATE] = real
        await asyncio.to_thread(pool.close)

"""The manifest says everything an examiner needs, and volume fills what plans are judged at.

Covers: describe, seed, app, own, room, route, runtime, context, errors.
"""

from __future__ import annotations

import json
import uuid

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.strict import decode, encode
from shipworthy.kernel.app import migrations_of
from shipworthy.kernel.context import Principal
from shipworthy.kernel.db.setup import prepare_database, role_url
from shipworthy.kernel.describe import describe
from shipworthy.kernel.runtime import uuid7
from shipworthy.kernel.seed import demo_tenants, seed_demo, seed_volume, tenant_id_of
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.toy import ROOM
from tests.support.app import PASSWORDS, RunningApp, make_settings


def test_the_manifest_survives_the_file_it_travels_in() -> None:
    manifest = describe(make_settings((ROOM,)), (ROOM,))
    assert decode(Manifest, json.loads(json.dumps(encode(manifest)))) == manifest
    create = next(r for r in manifest.routes if r.path == "/notes" and r.method == "POST")
    assert (create.idempotency, create.effect, create.permission, create.audit) == (
        "key",
        "create",
        "note.write",
        "note.created",
    )
    assert create.body is not None
    assert "text" in json.dumps(create.body)
    assert next(i for i in manifest.indexes if i.name == "session_user_device_idx").source.startswith(
        "kernel/0001"
    )
    assert {q.role for q in manifest.queries} == {"app", "worker"}


async def test_every_table_of_the_database_is_in_the_manifest(toy: RunningApp) -> None:
    named = {t.name for t in describe(make_settings((ROOM,)), (ROOM,)).tables} | {"note"}
    rows = await toy.admin(
        "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
    )
    assert {r["relname"] for r in rows} == named


async def test_every_tenant_and_realm_table_is_guarded(toy: RunningApp) -> None:
    for table in describe(make_settings((ROOM,)), (ROOM,)).tables:
        if table.scope in ("tenant", "realm"):
            [row] = await toy.admin(
                "select relrowsecurity and relforcerowsecurity as guarded from pg_class where oid = $1::regclass",
                table.name,
            )
            assert row["guarded"], table.name


async def test_seeding_twice_is_seeding_once(toy: RunningApp) -> None:
    tenants = demo_tenants(toy.runtime.realm_id, "secret")
    assert tenants[0].marker != tenants[1].marker
    assert await seed_demo(toy.runtime, tenants) is True
    assert await seed_demo(toy.runtime, tenants) is False
    assert len(await toy.admin("select from tenant")) == 2


async def test_volume_fills_one_large_tenant_and_many_neighbours_once(toy: RunningApp) -> None:
    tenants = demo_tenants(toy.runtime.realm_id, "secret")
    await seed_demo(toy.runtime, tenants)
    large = tenant_id_of(toy.runtime.realm_id, tenants[0])
    for _ in range(2):
        await seed_volume(toy.url("admin"), toy.runtime.realm_id, (ROOM,), large_tenant=large)
    assert len(await toy.admin("select from tenant")) > 1_000
    assert len(await toy.admin("select from audit")) > 1_000


async def test_preparing_twice_at_once_is_preparing_once(cluster: PostgresAddress) -> None:

    url, realm_id = cluster.url(f"prepare_{uuid.uuid4().hex[:8]}"), uuid.uuid4()

    async def prepare() -> object:
        return await prepare_database(
            url, passwords=PASSWORDS, rooms=migrations_of((ROOM,)), realm_id=realm_id, realm_name="x"
        )

    await prepare()
    assert await prepare() == []
    connection = await asyncpg.connect(role_url(url, "reader", PASSWORDS["reader"]))
    try:
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute("insert into note (note_id, text) values (gen_random_uuid(), 'x')")
    finally:
        await connection.close()


@given(st.integers(min_value=1, max_value=50))
def test_new_ids_are_version_7_unique_and_ordered_by_time(count: int) -> None:
    ids = [uuid7() for _ in range(count)]
    assert len(set(ids)) == count
    assert {i.version for i in ids} == {7}
    assert [i.int >> 80 for i in ids] == sorted(i.int >> 80 for i in ids)


def test_a_principal_is_a_value() -> None:
    made = Principal(uuid7(), uuid7(), None, None, "a@b.c")
    with pytest.raises(AttributeError):
        made.role = "owner"  # type: ignore[misc]

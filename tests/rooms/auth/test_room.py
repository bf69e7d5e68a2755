"""What the room declares: it fits the database, the roles and the examiner."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from shipworthy.kernel.app import migrations_of
from shipworthy.kernel.db.migrate import migrate_down, migrate_up
from shipworthy.kernel.describe import describe
from shipworthy.kernel.own import OWN
from shipworthy.kernel.room import NO_TENANT
from shipworthy.kernel.seed import seed_volume
from shipworthy.kernel.settings import SloSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.room import ROOM
from tests.rooms.auth.conftest import add_owner, auth_settings
from tests.support.app import RunningApp, app_running, fresh_database


@pytest.fixture
async def large(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[RunningApp]:
    """The room at volume: one tenant with 600 people, forty with a few."""
    async with app_running(cluster, (ROOM,), tmp_path, settings=auth_settings()) as running:
        tenant_id, _ = await add_owner(running)
        await seed_volume(running.url("admin"), running.runtime.realm_id, (ROOM,), large_tenant=tenant_id)
        yield running


async def test_every_query_uses_its_index_as_its_own_role_under_row_security(large: RunningApp) -> None:
    for query in q:
        async with _scoped(large, query.role, with_tenant=query.scope == "tenant") as connection:
            values = await _samples(connection, query.samples, query.sql)
            explained = await connection.fetchval(f"explain (analyze, format json) {query.sql}", *values)
        used, whole = _plan(json.loads(explained)[0]["Plan"])
        assert set(query.index) <= used, f"{query.name} uses {used}"
        assert not whole - {"tenant"}, f"{query.name} reads all of {whole}"


async def test_the_manifest_says_how_to_sign_in_and_what_it_promises(large: RunningApp) -> None:
    settings = replace(auth_settings(), slo=SloSection(login_p95_ms=120.0))
    manifest = describe(settings, (ROOM,))
    assert manifest.login is not None
    assert manifest.login.route in {f"{r.method} {r.path}" for r in manifest.routes}
    assert manifest.login.attempts_max > settings.auth.login_failures_max
    assert [(s.name, s.quantile, s.threshold_ms) for s in manifest.slos] == [("login", 0.95, 120.0)]
    assert {j.slo for j in manifest.journeys} == {"login"}
    for route in (route for route in manifest.routes if route.room == "auth"):
        assert route.queries_max is not None
        if route.method == "POST" and not route.path.endswith("/options"):  # those only ask for a passkey
            assert route.effect in ("change", "end")
            assert route.audit
            assert route.body_bytes_max or not route.body
    sample = ROOM.samples[0]
    async with _scoped(large, "app", with_tenant=True) as connection:
        assert await connection.fetchval(sample.sql)


async def test_every_table_is_declared_and_protected(large: RunningApp) -> None:
    rows = await large.admin(
        "select c.relname as name, c.relforcerowsecurity as forced, (select count(*) from pg_policy p"
        " where p.polrelid = c.oid and not p.polpermissive) as floors from pg_class c join pg_attribute a on"
        " a.attrelid = c.oid and a.attname = 'realm_id' where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace"
    )
    ours = {row["name"] for row in rows} - {table.name for table in OWN.tables}
    assert ours == {table.name for table in ROOM.tables if table.scope == "realm"}
    assert all(row["forced"] and row["floors"] == 1 for row in rows if row["name"] in ours)


async def test_all_that_hangs_on_a_person_goes_with_them(large: RunningApp) -> None:
    rows = await large.admin(
        "select conrelid::regclass::text as table, confdeltype::text as action from pg_constraint"
        " where contype = 'f' and confrelid = 'app_user'::regclass"
    )
    assert len(rows) >= 6
    assert {row["table"] for row in rows if row["action"] != "c"} == set()


async def test_the_worker_and_the_reader_cannot_read_hashes(large: RunningApp) -> None:
    for role, table in [("worker", "credential"), ("reader", "credential"), ("reader", "one_time_token"),
                        ("worker", "device"), ("worker", "identity"), ("worker", "program"), ("reader", "oauth_state"), ("worker", "login_bucket")]:  # fmt: skip
        async with _scoped(large, role) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"select * from {table}")
    async with _scoped(large, "app") as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("update app_user set verified_at = now()")


async def test_roles_hold_their_own_account_and_owners_their_people(large: RunningApp) -> None:
    own, read = ["account.read", "account.write"], ["members.read"]
    assert {role: sorted(held) for role, held in ROOM.permissions.items()} == {
        NO_TENANT: own,
        "owner": [*own, *read, "members.write"],
        "member": own + read,
        "viewer": own,
        "auditor": own + read,
    }
    asked = {route.permission for route in ROOM.routes} - {None}
    assert asked == ROOM.permissions["owner"]


async def test_the_migration_goes_down_and_up_again(cluster: PostgresAddress) -> None:
    name = await fresh_database(cluster, (ROOM,))
    url = cluster.url(name)
    labels = sorted(f"auth/{path.name.removesuffix('.up.sql')}" for path in ROOM.migrations.glob("*.up.sql"))
    undone = [m.label for _ in labels for m in await migrate_down(url, migrations_of((ROOM,)))]
    assert undone == labels[::-1]
    again = await migrate_up(url, migrations_of((ROOM,)))
    assert [m.label for m in again] == labels


class _scoped:
    """A connection of `role` inside a transaction with the realm set, rolled back at the end."""

    def __init__(self, app: RunningApp, role: str, *, with_tenant: bool = False) -> None:
        self._app, self._role, self._with_tenant = app, role, with_tenant

    async def __aenter__(self) -> Any:
        tenant = ""
        if self._with_tenant:
            tenant = str((await self._app.admin("select tenant_id from membership limit 1"))[0]["tenant_id"])
        self._connection = await asyncpg.connect(self._app.url(self._role))
        await self._connection.execute(
            f"begin; set local app.realm_id = '{self._app.runtime.realm_id}'; set local app.tenant_id = '{tenant}'"
        )
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()


async def _samples(connection: Any, samples: tuple[str, ...], sql: str) -> list[Any]:
    statement = await connection.prepare(sql)
    types = [
        await connection.fetchval("select format_type($1, null)", p.oid) for p in statement.get_parameters()
    ]
    if not types:
        return []
    casts = ", ".join(f"({sample})::{kind}" for sample, kind in zip(samples, types, strict=True))
    return list(await connection.fetchrow(f"select {casts}"))


def _plan(node: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Return the indexes a plan uses and the tables it reads whole."""
    used = {node["Index Name"]} if "Index Name" in node else set()
    whole = {node["Relation Name"]} if node["Node Type"] == "Seq Scan" else set()
    for child in node.get("Plans", []):
        below = _plan(child)
        used, whole = used | below[0], whole | below[1]
    return used, whole

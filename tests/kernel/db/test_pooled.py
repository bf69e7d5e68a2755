"""Behind a real PgBouncer in transaction mode, with one connection for everybody: nothing leaks, nothing breaks."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.tx import Database, open_database
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.room import ROOM
from tests.kernel.toy import ROOM as TOY
from tests.kernel.toy import q
from tests.rooms.invoicing.conftest import person
from tests.support.app import RunningApp, app_running
from tests.support.pgbouncer import Pooler, needs_pgbouncer, pgbouncer

pytestmark = needs_pgbouncer


@pytest.fixture
def pooler(cluster: PostgresAddress) -> Iterator[Pooler]:
    with pgbouncer(cluster.url()) as running:
        yield running


@pytest.fixture
async def pooled(cluster: PostgresAddress, pooler: Pooler, tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with app_running(cluster, (TOY,), tmp_path, pooled=pooler.url) as app:
        yield app


async def _notes_seen(database: Database, scope: Scope) -> set[str]:
    async with database.begin(scope) as tx:
        return {row["text"] for row in await tx.all(q.note_list)}


async def test_tenants_that_share_one_connection_see_their_own_and_the_next_client_nothing(
    pooled: RunningApp, pooler: Pooler
) -> None:
    database, realm = pooled.runtime.database, pooled.runtime.realm_id
    scopes = {name: Scope(realm, await pooled.add_tenant(name)) for name in ("Acme", "Globex")}

    async def write(name: str, number: int) -> None:
        async with database.begin(scopes[name]) as tx:
            await tx.run(q.note_create, note_id=uuid.uuid4(), text=f"{name} {number}")

    await asyncio.gather(*(write(name, n) for n in range(20) for name in scopes))
    for name, scope in scopes.items():
        assert await _notes_seen(database, scope) == {f"{name} {n}" for n in range(20)}
    # The control: what a client leaves in a session by SET is what the next one finds there.
    straight = pooler.url(pooled.url("app"))
    first = await asyncpg.connect(straight, statement_cache_size=0)
    second = await asyncpg.connect(straight, statement_cache_size=0)
    try:
        asked = "select current_setting('app.tenant_id', true), (select count(*) from note)"
        assert tuple(await second.fetchrow(asked)) in (("", 0), (None, 0))
        await first.execute(f"set app.tenant_id = '{scopes['Acme'].tenant_id}'")
        assert (await second.fetchrow(asked))[1] == 20
        await first.execute("reset app.tenant_id")
    finally:
        await first.close()
        await second.close()


async def test_statements_are_not_kept_for_a_connection_that_is_another_ones_next(
    cluster: PostgresAddress, pooled: RunningApp
) -> None:
    with pgbouncer(cluster.url(), connections=3) as wide:
        url = pooled.url("app")
        database = await open_database(wide.url(url), connections_max=8, acquire_timeout_s=20, direct_url=url)
        scope = Scope(pooled.runtime.realm_id, await pooled.add_tenant())
        try:
            for _ in range(5):  # the same statement again and again, each time on whatever is free
                await asyncio.gather(*(_notes_seen(database, scope) for _ in range(16)))
        finally:
            await database.close()


async def test_what_is_announced_is_heard_past_the_pooler(pooled: RunningApp) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    database = pooled.runtime.database
    listening = await database.listen("news", heard.put_nowait)
    try:
        async with database.begin(Scope(pooled.runtime.realm_id)) as tx:
            await tx.raw("select pg_notify('news', 'one')")
        assert await database.hears(listening, timeout_s=10)
        assert heard.get_nowait() == "one"
    finally:
        await database.unlisten(listening)


async def test_an_app_behind_it_keeps_two_tenants_apart_over_http(
    cluster: PostgresAddress, pooler: Pooler, tmp_path: Path
) -> None:
    async with app_running(cluster, (ROOM,), tmp_path, pooled=pooler.url) as app:
        people = {name: await person(app, name) for name in ("Acme", "Globex")}
        customers = {name: await each.customer(f"{name} customer") for name, each in people.items()}
        await asyncio.gather(*(people[n].issued(customers[n]) for _ in range(4) for n in people))
        for name, other in (("Acme", "Globex"), ("Globex", "Acme")):
            assert (await people[name].get(f"/api/customers/{customers[other]}")).status == 404
            mine = await people[name].get("/api/invoices")
            assert len(mine.json["invoices"]) == 4
            assert f"{other} customer" not in mine.text

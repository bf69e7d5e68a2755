"""Scoped transactions: nothing injects, nothing leaks, nothing is half done."""

from __future__ import annotations

import asyncio
import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.tx import Database, opening
from shipworthy.kernel.errors import Busy
from tests.kernel.toy import q
from tests.support.app import RunningApp

_OPENING = re.compile(
    r"BEGIN;SET LOCAL app\.realm_id='[0-9a-f-]{36}';SET LOCAL app\.tenant_id='([0-9a-f-]{36})?'"
)


@given(st.uuids(), st.none() | st.uuids())
def test_the_opening_statement_holds_two_uuids_and_nothing_else(
    realm: uuid.UUID, tenant: uuid.UUID | None
) -> None:
    assert _OPENING.fullmatch(opening(Scope(realm, tenant)))


@given(st.text() | st.integers() | st.binary())
def test_a_scope_takes_nothing_but_uuids(value: object) -> None:
    with pytest.raises(TypeError):
        Scope(value)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Scope(uuid.uuid4(), value)  # type: ignore[arg-type]


async def _settings_left(database: Database) -> list[str]:
    """What a connection still holds when it comes back to the pool."""
    connection = await database._pool.acquire()
    try:
        row = await connection.fetchrow(
            "select current_setting('app.tenant_id', true) t, current_setting('app.realm_id', true) r,"
            " (select count(*) from note) n"
        )
        return [row["t"] or "", row["r"] or "", str(row["n"])]
    finally:
        await database._pool.release(connection)


async def test_nothing_survives_a_release_after_commit_error_or_cancel(toy: RunningApp) -> None:
    tenant_id = await toy.add_tenant()
    scope = Scope(toy.runtime.realm_id, tenant_id)
    async with toy.role("app") as database:
        async with database.begin(scope) as tx:
            await tx.run(q.note_create, note_id=uuid.uuid4(), text="x")
        assert await _settings_left(database) == ["", "", "0"]

        with pytest.raises(ZeroDivisionError):
            async with database.begin(scope) as tx:
                await tx.run(q.note_create, note_id=uuid.uuid4(), text="rolled back")
                raise ZeroDivisionError
        assert await _settings_left(database) == ["", "", "0"]

        entered = asyncio.Event()

        async def hang() -> None:
            async with database.begin(scope) as tx:
                entered.set()
                await tx.raw("select pg_sleep(60)")

        task = asyncio.create_task(hang())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await _settings_left(database) == ["", "", "0"]
        async with database.begin(scope) as tx:
            assert [r["text"] for r in await tx.all(q.note_list)] == ["x"]


async def test_rows_of_another_tenant_cannot_be_seen_written_or_taken(toy: RunningApp) -> None:
    mine, theirs = await toy.add_tenant("Mine"), await toy.add_tenant("Theirs")
    realm = toy.runtime.realm_id
    async with toy.role("app") as database:
        async with database.begin(Scope(realm, theirs)) as tx:
            await tx.run(q.note_create, note_id=uuid.uuid4(), text="theirs")
        async with database.begin(Scope(realm, mine)) as tx:
            assert await tx.all(q.note_list) == []
            assert await tx.raw("update note set text = 'stolen' returning 1") == []
        with pytest.raises(Exception, match="row-level security"):
            async with database.begin(Scope(realm, mine)) as tx:
                await tx.raw(
                    "insert into note (tenant_id, note_id, text) values ($1, $2, 'x')", theirs, uuid.uuid4()
                )
        async with database.begin(Scope(realm)) as tx:
            assert await tx.all(q.note_list) == []


async def test_a_full_pool_and_a_held_lock_are_busy_not_errors(toy: RunningApp) -> None:
    tenant_id = await toy.add_tenant()
    scope = Scope(toy.runtime.realm_id, tenant_id)
    async with toy.role("app") as database, database.begin(scope) as first:
        await first.raw("select pg_advisory_xact_lock(7)")
        with pytest.raises(Busy):
            async with database.begin(scope) as second:
                await second.raw("set local lock_timeout = '50ms'")
                await second.raw("select pg_advisory_xact_lock(7)")


async def test_missing_and_unknown_parameters_are_named() -> None:
    with pytest.raises(TypeError, match="toy.note_get needs 'note_id'"):
        q.note_get.arguments({})
    with pytest.raises(TypeError, match="does not take colour"):
        q.note_get.arguments({"note_id": 1, "colour": 2})


async def test_a_killed_connection_is_busy_and_a_wrong_argument_is_our_crash(toy: RunningApp) -> None:
    scope = Scope(toy.runtime.realm_id, await toy.add_tenant())
    with pytest.raises(Busy, match="does not answer"):
        async with toy.runtime.database.begin(scope) as tx:
            await toy.admin("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'")
            await tx.all(q.note_list)
    with pytest.raises(Exception, match="invalid input for query argument"):
        async with toy.runtime.database.begin(scope) as tx:
            await tx.all(q.note_get, note_id="no uuid")
    async with toy.runtime.database.begin(scope) as tx:
        assert await tx.all(q.note_list) == []


async def test_a_listening_connection_that_answers_has_delivered_what_was_said_before(
    toy: RunningApp,
) -> None:
    heard: list[str] = []
    database = toy.runtime.database
    connection = await database.listen("toy_changed", heard.append)
    try:
        await toy.admin("select pg_notify('toy_changed', 'first')")
        assert await database.hears(connection, timeout_s=5)
        assert heard == ["first"]
        await toy.admin(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and usename = 'app'"
        )
        assert not await database.hears(connection, timeout_s=5)
    finally:
        await database.unlisten(connection)
    async with database.begin(Scope(toy.runtime.realm_id)):
        pass  # the pool replaced what was cut

"""Migrations: up, down and up again leave the same schema; an edit or a missing half is refused.

Covers: migrate, setup.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import uuid
from pathlib import Path

import asyncpg
import pytest

from shipworthy.kernel.db.migrate import (
    MigrationRefused,
    RoomMigrations,
    bootstrap,
    migrate_down,
    migrate_up,
    status,
)
from shipworthy.kernel.db.setup import prepare_database
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.toy import FOLDER
from tests.support.app import PASSWORDS

SHAPE = """
select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
where table_schema = 'public' and table_name not like 'pg%' order by 1, 2
"""
POLICIES = (
    "select tablename, policyname, permissive, roles::text, qual, with_check from pg_policies order by 1, 2"
)


@pytest.fixture
def toy_rooms(tmp_path: Path) -> tuple[RoomMigrations, ...]:
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER / "migrations", folder)
    return (RoomMigrations("toy", folder),)


@pytest.fixture
async def url(cluster: PostgresAddress) -> str:
    url = cluster.url(f"migrate_{uuid.uuid4().hex[:8]}")
    await prepare_database(url, passwords=PASSWORDS, rooms=(), realm_id=uuid.uuid4(), realm_name="test")
    return url


async def shape(url: str) -> list[object]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(r) for r in await connection.fetch(SHAPE)] + [
            tuple(r) for r in await connection.fetch(POLICIES)
        ]
    finally:
        await connection.close()


async def test_up_down_up_leaves_the_same_schema(url: str, toy_rooms: tuple[RoomMigrations, ...]) -> None:
    before = await shape(url)
    applied = await migrate_up(url, toy_rooms)
    assert [m.label for m in applied] == ["toy/0001_pre_note"]
    after = await shape(url)
    assert after != before
    assert [m.label for m in await migrate_down(url, toy_rooms)] == ["toy/0001_pre_note"]
    assert await shape(url) == before
    await migrate_up(url, toy_rooms)
    assert await shape(url) == after
    assert await migrate_up(url, toy_rooms) == []


async def test_everything_can_be_taken_back_and_put_on_again(
    url: str, toy_rooms: tuple[RoomMigrations, ...]
) -> None:
    await migrate_up(url, toy_rooms)
    full = await shape(url)
    await migrate_down(url, toy_rooms, steps=99)
    assert not [m for m in await status(url, toy_rooms) if m.applied]
    await migrate_up(url, toy_rooms)
    assert await shape(url) == full


async def test_an_edited_file_is_refused(url: str, toy_rooms: tuple[RoomMigrations, ...]) -> None:
    await migrate_up(url, toy_rooms)
    up = toy_rooms[0].folder / "0001_pre_note.up.sql"
    up.write_text(up.read_text() + "-- innocent\n")
    with pytest.raises(MigrationRefused, match="was edited after it was applied"):
        await migrate_up(url, toy_rooms)


async def test_a_migration_without_its_way_back_is_refused(
    url: str, toy_rooms: tuple[RoomMigrations, ...]
) -> None:
    (toy_rooms[0].folder / "0001_pre_note.down.sql").unlink()
    with pytest.raises(MigrationRefused, match="how to take itself back"):
        await migrate_up(url, toy_rooms)


async def test_a_failing_statement_applies_nothing_of_its_file(
    url: str, toy_rooms: tuple[RoomMigrations, ...]
) -> None:
    before = await shape(url)
    up = toy_rooms[0].folder / "0001_pre_note.up.sql"
    up.write_text(up.read_text() + "select 1/0;\n")
    with pytest.raises(MigrationRefused, match="division by zero; nothing of it was applied"):
        await migrate_up(url, toy_rooms)
    assert await shape(url) == before


async def test_a_locked_table_is_one_sentence_and_nothing_is_applied(
    url: str, toy_rooms: tuple[RoomMigrations, ...]
) -> None:
    await migrate_up(url, toy_rooms)
    (toy_rooms[0].folder / "0002_pre_stars.up.sql").write_text("alter table note add column stars int;")
    (toy_rooms[0].folder / "0002_pre_stars.down.sql").write_text("alter table note drop column stars;")
    holder = await asyncpg.connect(url)
    try:
        async with holder.transaction():
            await holder.execute("lock table note in access share mode")
            with pytest.raises(MigrationRefused, match="stayed locked for 2s"):
                await migrate_up(url, toy_rooms)
    finally:
        await holder.close()
    assert [m.label for m in await migrate_up(url, toy_rooms)] == ["toy/0002_pre_stars"]


async def test_two_migrations_at_once_are_refused(url: str, toy_rooms: tuple[RoomMigrations, ...]) -> None:
    holder = await asyncpg.connect(url)
    try:
        await holder.execute("select pg_advisory_lock($1)", 0x5317_0001)
        with pytest.raises(MigrationRefused, match="another migration is running"):
            await migrate_up(url, toy_rooms)
    finally:
        await holder.close()


async def test_one_that_is_killed_half_way_twice_leaves_nothing_and_the_next_goes_on(
    url: str, toy_rooms: tuple[RoomMigrations, ...]
) -> None:
    before = await shape(url)
    up = toy_rooms[0].folder / "0001_pre_note.up.sql"
    quick = up.read_text()
    up.write_text(f"{quick}\nselect pg_sleep(600);\n")
    looking = await asyncpg.connect(url)
    try:
        for _ in range(2):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _MIGRATING, url, str(toy_rooms[0].folder)
            )
            while not await looking.fetchval(_SLEEPS):
                assert process.returncode is None
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGKILL)
            await process.wait()
    finally:
        await looking.close()
    up.write_text(quick)
    assert [m.label for m in await status(url, toy_rooms) if not m.applied] == ["toy/0001_pre_note"]
    assert await shape(url) == before
    assert [m.label for m in await migrate_up(url, toy_rooms)] == ["toy/0001_pre_note"]


_SLEEPS = (
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
)
_MIGRATING = """
import asyncio, sys
from pathlib import Path
from shipworthy.kernel.db.migrate import RoomMigrations, migrate_up
asyncio.run(migrate_up(sys.argv[1], (RoomMigrations("toy", Path(sys.argv[2])),)))
"""


async def test_bootstrap_refuses_a_password_that_could_break_out(url: str) -> None:
    with pytest.raises(ValueError, match="URL-safe"):
        await bootstrap(url, passwords={**PASSWORDS, "app": "x'; drop table realm; --"})
    await bootstrap(url, passwords=PASSWORDS)

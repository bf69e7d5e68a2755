"""Migrations: numbered SQL pairs per room, each in one transaction with short timeouts.

The phase in a file's name says when it may run. `NNNN_pre_what.up.sql` expands: it runs before the new
code, and the old code goes on working. `NNNN_post_what.up.sql` contracts: it takes away what only the old
code needs, so it runs when that is gone, and nothing goes back behind it. Every one has its `.down.sql`.
Applied files are remembered with a checksum: an edited one is an error, not a surprise. A lock on the
database lets one migration run at a time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from shipworthy.kernel.db.tx import connect_admin

KERNEL_MIGRATIONS = Path(__file__).parent / "migrations"
_BOOTSTRAP = Path(__file__).parent / "bootstrap.sql"
_NAME = re.compile(r"^(\d{4})_(pre|post)_([a-z0-9_]+)\.up\.sql$")
_ADVISORY_LOCK = 0x5317_0001  # one migration at a time; any constant would do
_LOCK_TIMEOUT = "2s"
_STATEMENT_TIMEOUT = "60s"
# One that was killed is rolled back this soon, and not when its statement is through: the next run need not wait.
_GONE_CLIENT_SEEN = "500ms"

_QUEUE_INDEXES = """
create index if not exists pgqueuer_flow_idx on pgqueuer (left(dedupe_key, 36), id) where status = 'queued';
create index if not exists pgqueuer_line_idx on pgqueuer (priority desc, id) where status = 'queued';
"""

LOGIN_ROLES = ("app", "worker", "reader", "auditor")


@dataclass(frozen=True)
class Migration:
    """One numbered pair of files of one room."""

    room: str
    number: int
    phase: str
    name: str
    up: Path
    down: Path
    applied: bool = False

    @property
    def label(self) -> str:
        return f"{self.room}/{self.number:04d}_{self.phase}_{self.name}"

    @property
    def is_contract(self) -> bool:
        """Say whether a release that does not know it stops working once it is applied."""
        return self.phase == "post"

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.up.read_bytes()).hexdigest()


class MigrationRefused(RuntimeError):
    """A migration cannot run; the message says which, why and what to do."""


@dataclass(frozen=True)
class RoomMigrations:
    """Where one room's migrations stand."""

    room: str
    folder: Path


async def bootstrap(admin_url: str, *, passwords: Mapping[str, str]) -> None:
    """Create roles, these passwords and the policy generator. Safe to run again.

    A role without a password here keeps the one it has; a new one has none and cannot sign in.
    Errors:  ValueError for a password that cannot be used.
    """
    connection = await connect_admin(admin_url)
    try:
        await connection.execute("select pg_advisory_lock($1)", _ADVISORY_LOCK)
        await connection.execute(_BOOTSTRAP.read_text(encoding="utf-8"))
        for role in LOGIN_ROLES:
            secret = passwords.get(role)
            if secret is None:
                continue
            if not re.fullmatch(r"[A-Za-z0-9_-]{16,}", secret):
                raise ValueError(f"the password of role {role} must be 16 or more URL-safe characters")
            await connection.execute(f"alter role {role} password '{secret}'")
    finally:
        await connection.close()


async def status(admin_url: str, rooms: Sequence[RoomMigrations]) -> list[Migration]:
    """Return every known migration with whether it is applied."""
    async with _session(admin_url) as connection:
        return await _known(connection, rooms)


async def migrate_up(
    admin_url: str, rooms: Sequence[RoomMigrations], *, phases: Iterable[str] = ("pre", "post")
) -> list[Migration]:
    """Apply what is pending, in order, kernel first; return what was applied.

    Errors:  MigrationRefused when an applied file was edited, a down part is missing, or a lock
             or statement timed out; earlier migrations of the run stay applied.
    """
    wanted = set(phases)
    async with _session(admin_url) as connection:
        known = await _known(connection, rooms)
        pending = [m for m in known if not m.applied and m.phase in wanted]
        for migration in pending:
            await _apply(connection, migration, up=True)
        await _install_queue(connection)
        return pending


async def migrate_down(admin_url: str, rooms: Sequence[RoomMigrations], *, steps: int = 1) -> list[Migration]:
    """Undo the last `steps` applied migrations, newest first; return what was undone."""
    async with _session(admin_url) as connection:
        applied = [m for m in await _known(connection, rooms) if m.applied]
        undone = applied[::-1][:steps]
        for migration in undone:
            await _apply(connection, migration, up=False)
        return undone


@asynccontextmanager
async def _session(admin_url: str) -> AsyncIterator[Any]:
    connection = await connect_admin(admin_url)
    try:
        await connection.execute(
            f"set lock_timeout = '{_LOCK_TIMEOUT}'; set statement_timeout = '{_STATEMENT_TIMEOUT}'; "
            f"set client_connection_check_interval = '{_GONE_CLIENT_SEEN}'"
        )
        try:
            await connection.execute("select pg_advisory_lock($1)", _ADVISORY_LOCK)
        except asyncpg.LockNotAvailableError:
            raise MigrationRefused(
                "another migration is running on this database; wait for it to end"
            ) from None
        yield connection
    finally:
        await connection.close()


async def _known(connection: Any, rooms: Sequence[RoomMigrations]) -> list[Migration]:
    applied = {
        (r["room"], r["number"]): r["checksum"]
        for r in await connection.fetch("select * from schema_migration")
    }
    found = []
    for room in (RoomMigrations("kernel", KERNEL_MIGRATIONS), *rooms):
        for path in sorted(room.folder.glob("*.up.sql")):
            found.append(_read(room.room, path, applied))
    return found


def _read(room: str, path: Path, applied: dict[tuple[str, int], str]) -> Migration:
    match = _NAME.match(path.name)
    if not match:
        raise MigrationRefused(
            f"{room}/{path.name} is not named NNNN_pre_what.up.sql or NNNN_post_what.up.sql"
        )
    down = path.with_name(path.name.replace(".up.sql", ".down.sql"))
    if not down.exists():
        raise MigrationRefused(
            f"{room}/{path.name} has no {down.name}; a migration must say how to take itself back"
        )
    number = int(match.group(1))
    migration = Migration(room, number, match.group(2), match.group(3), path, down, (room, number) in applied)
    if migration.applied and applied[room, number] != migration.checksum:
        raise MigrationRefused(
            f"{migration.label} was edited after it was applied; undo the edit and write a new migration instead"
        )
    return migration


async def _apply(connection: Any, migration: Migration, *, up: bool) -> None:
    text = (migration.up if up else migration.down).read_text(encoding="utf-8")
    try:
        async with connection.transaction():
            await connection.execute("set local role owner")
            await connection.execute(text)
            if up:
                await connection.execute(
                    "insert into schema_migration (room, number, phase, name, checksum) values ($1, $2, $3, $4, $5)",
                    migration.room,
                    migration.number,
                    migration.phase,
                    migration.name,
                    migration.checksum,
                )
            else:
                await connection.execute(
                    "delete from schema_migration where room = $1 and number = $2",
                    migration.room,
                    migration.number,
                )
    except asyncpg.LockNotAvailableError as held:
        raise MigrationRefused(
            f"{migration.label}: a table stayed locked for {_LOCK_TIMEOUT}; nothing of it was applied, run it again when traffic is lower"
        ) from held
    except asyncpg.PostgresError as wrong:
        raise MigrationRefused(f"{migration.label}: {wrong}; nothing of it was applied") from wrong


async def _install_queue(connection: Any) -> None:
    """Install pgqueuer's own tables; ids only, worked on by the worker role (D18). Our indexes are for our own
    statements on them: the jobs of one tenant in their order, and the line of all."""
    if await connection.fetchval("select to_regclass('public.pgqueuer')"):
        if not await connection.fetchval("select to_regclass('public.pgqueuer_line_idx')"):
            await connection.execute(_QUEUE_INDEXES)
        return
    from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment  # 1 s to import: here only

    async with connection.transaction():
        await connection.execute("set local role owner")
        await connection.execute(QueryBuilderEnvironment().build_install_query())
        await connection.execute(
            """
            revoke all on pgqueuer, pgqueuer_log, pgqueuer_schedules, pgqueuer_statistics from public;
            grant insert, select (id, dedupe_key, status) on pgqueuer to app;
            grant insert on pgqueuer_log to app;
            grant usage on sequence pgqueuer_id_seq to app;
            grant all on pgqueuer, pgqueuer_log, pgqueuer_schedules, pgqueuer_statistics to worker;
            grant usage on all sequences in schema public to worker;
            """
        )
        await connection.execute(_QUEUE_INDEXES)

"""The fault database.lock: nobody but us may write to one table, for a bounded time.

The lock lives in a transaction of ours on which the server itself sets an end (the lease), so
that it is gone even if the examiner is killed. Readers are not held up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.db import GONE, Database, PostgresError
from shipworthy.gauntlet.exam import Exam

NAME = "database.lock"
LOCK_WAIT_S = 5.0  # how long writers that are already there may take to finish
_POLL_S = 0.02
# The second exists since PostgreSQL 17; either alone ends a transaction that nobody ends.
_LEASE = """
select set_config(name, $1, true) from pg_settings
where name in ('idle_in_transaction_session_timeout', 'transaction_timeout')
"""
# The first conflicts with every writer's lock and with itself, and lets readers pass; the second lets nobody pass.
_WRITERS, _EVERYBODY = "share row exclusive", "access exclusive"
_LOCK = "lock table {table} in {mode} mode"
_WAITERS = """
select pid from pg_locks where relation = $1::oid and not granted and $2 = any(pg_blocking_pids(pid))
"""


class TableLock:
    """A lock that is held. `release` ends it, any number of times."""

    def __init__(self, holding: AsyncExitStack, watching: Any, *, pid: int, oid: int) -> None:
        self._holding, self._watching = holding, watching
        self._pid, self._oid = pid, oid

    async def waiters(self, *, at_least: int, timeout_s: float) -> list[int]:
        """Wait until `at_least` sessions wait for the lock; return the server's pids of all that do.

        Fewer are returned when the time is over.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            found = [row["pid"] for row in await self._watching.fetch(_WAITERS, self._oid, self._pid)]
            if len(found) >= at_least or time.monotonic() > deadline:
                return found
            await asyncio.sleep(_POLL_S)

    async def cut_off(self, pids: list[int]) -> None:
        """End sessions of the server whose client is dead, so that none finishes a statement for it."""
        for pid in pids:
            await self._watching.execute("select pg_terminate_backend($1)", pid)

    async def release(self) -> None:
        await self._holding.aclose()


async def lock_table(exam: Exam, table: str, *, lease_s: float, readers_too: bool = False) -> TableLock:
    """Take the lock on a table (quoted, as SQL writes it) as the administrator; `readers_too` wait only where asked.

    It is released when the check ends, at the latest when the lease does.
    Errors:  Undecided when the database does not give it.
    """
    admin = exam.database("admin")
    holding = AsyncExitStack()
    try:
        connection = await holding.enter_async_context(_held(admin, lease_s))
        watching = await holding.enter_async_context(admin.connection())
        oid = await watching.fetchval("select $1::regclass::oid", table)
        await connection.execute(_LOCK.format(table=table, mode=_EVERYBODY if readers_too else _WRITERS))
    except (*GONE, PostgresError) as refused:
        await holding.aclose()
        raise Undecided(f"The table {table} could not be locked: {refused}") from refused
    except BaseException:
        await holding.aclose()
        raise
    lock = TableLock(holding, watching, pid=connection.get_server_pid(), oid=oid)
    exam.heal_later(f"{table} was locked", lock.release)
    return lock


@asynccontextmanager
async def _held(admin: Database, lease_s: float) -> AsyncIterator[Any]:
    """Yield a connection in a transaction that the server itself ends when the lease is over."""
    async with admin.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(_LEASE, f"{lease_s * 1000:.0f}")
        await connection.execute("select set_config('lock_timeout', $1, true)", f"{LOCK_WAIT_S * 1000:.0f}")
        try:
            yield connection
        finally:
            # When the lease ended first there is no connection any more, and no lock either.
            with suppress(*GONE, PostgresError):
                await transaction.rollback()

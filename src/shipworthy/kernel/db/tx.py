"""Scoped transactions: the one door to the database.

`Database.begin(scope)` sends BEGIN and both SET LOCALs in one round trip and never resets a
connection: everything it sets is local to the transaction (D5; measured +63 % transactions a
second against the plain form). The ids are interpolated because SET takes no parameters and
Citus forwards only this form; `Scope` admits nothing but `uuid.UUID`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import asyncpg

from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.queries import NamedQuery
from shipworthy.kernel.errors import Busy, Upstream
from shipworthy.kernel.language import _
from shipworthy.kernel.telemetry.spans import CLIENT, Attributes, Trace
from shipworthy.kernel.telemetry.trace import current

Record = Mapping[str, Any]  # what asyncpg.Record offers

UniqueViolation = asyncpg.UniqueViolationError
CheckViolation = asyncpg.CheckViolationError
ForeignKeyViolation = asyncpg.ForeignKeyViolationError

# What another transaction's lock or a timeout does to ours: not an error of the request.
_CONTENTION = (
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)

# What says that the connection was cut. One that is cut in mid-sentence is asyncpg's "internal" error.
_CUT = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ConnectionError,
)
_GONE = (*_CUT, OSError)  # TimeoutError is an OSError


class Tx:
    """A running transaction. Takes named queries only; counts what it ran, and times it where that is sampled."""

    __slots__ = ("_connection", "_trace", "queries_run", "scope")

    def __init__(self, connection: Any, scope: Scope) -> None:
        self._connection = connection
        self._trace = current()
        self.scope = scope
        self.queries_run = 0

    async def all(self, query: NamedQuery, /, **values: object) -> list[Record]:
        """Return every row."""
        self.queries_run += 1
        rows: list[Record] = await self._ask(query, self._connection.fetch, query.arguments(values))
        return rows

    async def one(self, query: NamedQuery, /, **values: object) -> Record:
        """Return the one row that must be there. Errors: LookupError when it is not."""
        row = await self.maybe(query, **values)
        if row is None:
            raise LookupError(f"{query.full_name} returned no row")
        return row

    async def maybe(self, query: NamedQuery, /, **values: object) -> Record | None:
        """Return the first row, or None."""
        self.queries_run += 1
        row: Record | None = await self._ask(query, self._connection.fetchrow, query.arguments(values))
        return row

    async def run(self, query: NamedQuery, /, **values: object) -> int:
        """Run a statement; return how many rows it touched."""
        self.queries_run += 1
        status: str = await self._ask(query, self._connection.execute, query.arguments(values))
        last = status.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    async def many(self, query: NamedQuery, rows: Iterable[dict[str, object]], /) -> None:
        """Run one statement for many rows in one round trip's pipeline."""
        self.queries_run += 1
        await self._ask(query, self._connection.executemany, ([query.arguments(row) for row in rows],))

    async def raw(self, sql: str, *values: object) -> list[Record]:
        """Run SQL that is not in a catalogue: migrations, seeding and tests only."""
        rows: list[Record] = await _answered(self._connection.fetch, sql, *values)
        return rows

    def _ask(
        self, query: NamedQuery, ask: Callable[..., Awaitable[Any]], arguments: Sequence[object]
    ) -> Awaitable[Any]:
        if self._trace is None:
            return _answered(ask, query.sql, *arguments)
        return _timed(self._trace, query, ask, arguments)


class Database:
    """A pool of one role's connections.

    With `direct_url` a pooler that hands out a connection a transaction stands before the database: whatever
    has to stay with one connection goes by that address instead.
    """

    def __init__(self, pool: Any, *, acquire_timeout_s: float, direct_url: str | None = None) -> None:
        self._pool = pool
        self._acquire_timeout_s = acquire_timeout_s
        self._direct_url = direct_url

    @asynccontextmanager
    async def begin(self, scope: Scope) -> AsyncIterator[Tx]:
        """Open a transaction scoped to `scope`; commit on a clean exit, roll back otherwise.

        Errors:  Busy when no connection comes free in time or the database is away.
        """
        connection = await self._opened(scope)
        try:
            try:
                yield Tx(connection, scope)
                await _answered(connection.execute, "COMMIT")
            except Busy as busy:
                # One that does not answer would not answer ROLLBACK either, and its caller has waited
                # long enough; the server rolls back when the connection is gone.
                if busy.code == "database.away":
                    _terminate(connection)
                else:
                    await _abandon(connection)
                raise
            except BaseException:
                await _abandon(connection)
                raise
        finally:
            await asyncio.shield(self._release(connection))

    async def listen(self, channel: str, callback: Any) -> Any:
        """Hold one connection that calls `callback(payload)` on each NOTIFY; returns it for closing."""
        connection = await self._acquire_to_keep()
        try:
            await _answered(connection.add_listener, channel, lambda _c, _p, _ch, payload: callback(payload))
        except BaseException:
            await self.unlisten(connection)
            raise
        return connection

    async def hears(self, connection: Any, *, timeout_s: float) -> bool:
        """Ask over a listening connection. True: every NOTIFY committed before this was asked has been
        delivered, because the answer comes behind them."""
        try:
            await asyncio.wait_for(connection.execute("select 1"), timeout=timeout_s)
            return True
        except (*_GONE, *_CONTENTION):
            return False

    async def unlisten(self, connection: Any) -> None:
        _terminate(connection)
        if self._direct_url is None:
            await self._release(connection)

    async def ping(self) -> float:
        """Return how long one round trip takes, in seconds. Errors: Busy when it does not come back."""
        connection = await self._acquire()
        try:
            started = time.perf_counter()
            await _answered(partial(connection.execute, timeout=self._acquire_timeout_s), "select 1")
            return time.perf_counter() - started
        except Busy:
            _terminate(connection)
            raise
        finally:
            await asyncio.shield(self._release(connection))

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self._pool.close(), timeout=5)
        except TimeoutError:
            self._pool.terminate()

    async def _opened(self, scope: Scope) -> Any:
        """Return a connection inside its transaction. Connections that died in the pool (the
        database was restarted) are replaced here, where nothing has been done yet."""
        statement = opening(scope)
        for _attempt in range(self._pool.get_max_size()):
            connection = await self._acquire()
            try:
                await asyncio.wait_for(connection.execute(statement), timeout=self._acquire_timeout_s)
                return connection
            except _CUT:
                _terminate(connection)
                await self._release(connection)
            except BaseException as failed:
                await _abandon(connection)
                await asyncio.shield(self._release(connection))
                if isinstance(failed, TimeoutError):
                    raise _away() from failed
                raise
        raise _away()

    async def _acquire(self) -> Any:
        try:
            return await self._pool.acquire(timeout=self._acquire_timeout_s)
        except (TimeoutError, asyncpg.TooManyConnectionsError) as late:
            raise _busy() from late
        except (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, OSError) as gone:
            raise _away() from gone

    async def _acquire_to_keep(self) -> Any:
        """Return a connection that stays the same one, whatever stands before the database."""
        if self._direct_url is None:
            return await self._acquire()
        try:
            return await asyncpg.connect(self._direct_url, timeout=self._acquire_timeout_s)
        except (TimeoutError, asyncpg.TooManyConnectionsError) as late:
            raise _busy() from late
        except (asyncpg.PostgresError, OSError) as gone:
            raise _away() from gone

    async def _release(self, connection: Any) -> None:
        await self._pool.release(connection)


async def _timed(
    trace: Trace, query: NamedQuery, ask: Callable[..., Awaitable[Any]], arguments: Sequence[object]
) -> Any:
    """Ask in a span that is called like the query. What was asked with stays out of it."""
    facts: Attributes = {"db.system.name": "postgresql", "db.query.summary": query.full_name}
    with trace.span(query.full_name, CLIENT, facts):
        return await _answered(ask, query.sql, *arguments)


async def _answered(ask: Callable[..., Awaitable[Any]], *arguments: object) -> Any:
    """Ask the database and await its answer. Errors: Busy when it is away, too slow or in contention."""
    try:
        return await ask(*arguments)
    except _GONE as gone:
        raise _away() from gone
    except _CONTENTION as slow:
        raise _busy() from slow


def opening(scope: Scope) -> str:
    """Return the one statement string that opens a scoped transaction."""
    tenant = "" if scope.tenant_id is None else str(scope.tenant_id)
    return f"BEGIN;SET LOCAL app.realm_id='{scope.realm_id}';SET LOCAL app.tenant_id='{tenant}'"


async def open_database(
    url: str,
    *,
    connections_max: int,
    acquire_timeout_s: float,
    command_timeout_s: float = 10.0,
    direct_url: str | None = None,
) -> Database:
    """Connect a pool to `url`, by a pooler in transaction mode where `direct_url` leads past it.

    Errors:  Busy when the database does not answer.
    """
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=min(2, connections_max),
            max_size=connections_max,
            timeout=acquire_timeout_s,
            command_timeout=command_timeout_s,
            reset=_nothing_to_reset,
            # A named statement belongs to a server's connection, and the next transaction has another.
            statement_cache_size=0 if direct_url else 100,
            init=_codecs,
        )
    except (OSError, asyncpg.PostgresError, TimeoutError) as gone:
        raise _away() from gone
    return Database(pool, acquire_timeout_s=acquire_timeout_s, direct_url=direct_url)


async def connect_admin(url: str) -> Any:
    """Return one connection of an administrator, for setting up and migrating.

    Errors:  Upstream `database.unreachable`, which says why and never shows the address's password.
    """
    try:
        return await asyncpg.connect(url, timeout=10)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as failed:
        reason = str(failed) or "no answer within 10 s"
        raise Upstream(
            "database.unreachable",
            f"The administrator's database cannot be reached ({reason}). Check SHIPWORTHY_DB_URL_ADMIN.",
        ) from failed


async def _nothing_to_reset(_connection: Any) -> None:
    """All state is transaction-local (a test proves it), so a release needs no round trip."""


async def _codecs(connection: Any) -> None:
    import msgspec

    async with connection.transaction():  # asking for a type takes two messages: both to one server
        await _set_codecs(connection, msgspec.json)


async def _set_codecs(connection: Any, json: Any) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=lambda value: json.encode(value).decode(),
            decoder=json.decode,
        )


async def _abandon(connection: Any) -> None:
    """Roll back; a connection that cannot even do that is not worth keeping."""
    try:
        await asyncio.shield(asyncio.wait_for(connection.execute("ROLLBACK"), timeout=2))
    except Exception:
        _terminate(connection)


def _terminate(connection: Any) -> None:
    with suppress(asyncpg.InterfaceError):  # a dead one has left the pool by itself
        connection.terminate()


def _busy() -> Busy:
    return Busy(
        "database.busy",
        _("The database is busy. Nothing was changed; try again in a moment."),
        retry_after_s=2,
    )


def _away() -> Busy:
    return Busy(
        "database.away",
        _("The database does not answer. Nothing was changed; try again in a moment."),
        retry_after_s=5,
    )

"""What the scoped transaction costs against the plain asyncpg form, pair by pair on one server."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable

import asyncpg
import uvloop

from benchmarks.app import App
from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.queries import NamedQuery
from shipworthy.kernel.db.tx import open_database

_CONNECTIONS, _ROUND_S, _PAIRS = 8, 1.0, 9
_SQL = ("select tenant_id, name from tenant limit 1", "select site_id, title from site limit 1")


def tenant_tx_ratio(app: App) -> tuple[float, list[float]]:
    """Return the median ratio of transactions a second, ours to plain, and every pair's ratio.

    Both run the same two queries under row security in one transaction on eight connections.
    Plain: asyncpg's `transaction()`, one `set_config` per setting, the pool's default reset.
    """
    return uvloop.run(_measure(app))


async def _measure(app: App) -> tuple[float, list[float]]:
    url, person = app.handle.database_urls["app"], app.handle.tenants[0]
    scope = Scope(uuid.UUID(person.realm_id), uuid.UUID(person.tenant_id))
    database = await open_database(url, connections_max=_CONNECTIONS, acquire_timeout_s=10)
    queries = [
        NamedQuery("bench", f"q{i}", "", sql, (), (), (), 1, "app", "tenant", False, "")
        for i, sql in enumerate(_SQL)
    ]
    pool = await asyncpg.create_pool(url, min_size=_CONNECTIONS, max_size=_CONNECTIONS)

    async def ours() -> None:
        async with database.begin(scope) as tx:
            for query in queries:
                await tx.maybe(query)

    async def plain() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("select set_config('app.realm_id', $1, true)", person.realm_id)
            await connection.execute("select set_config('app.tenant_id', $1, true)", person.tenant_id)
            for sql in _SQL:
                await connection.fetchrow(sql)

    await _rate(ours), await _rate(plain)  # warm both
    ratios = []
    for pair in range(_PAIRS):
        first, second = (ours, plain) if pair % 2 == 0 else (plain, ours)
        rates = {first: await _rate(first), second: await _rate(second)}
        ratios.append(rates[ours] / rates[plain])
    await pool.close()
    await database.close()
    return statistics.median(ratios), ratios


async def _rate(transaction: Callable[[], Awaitable[None]]) -> float:
    done, end = 0, time.perf_counter() + _ROUND_S

    async def client() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await transaction()
            done += 1

    await asyncio.gather(*(client() for _ in range(_CONNECTIONS)))
    return done / _ROUND_S

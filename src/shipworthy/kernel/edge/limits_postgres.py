"""Limits in PostgreSQL, shared by all processes where there is no Valkey: one statement on an unlogged table.

A key is locked while it is judged and its time is the server's. After a crash of the database the table is empty, and
everybody has a full budget: the safe way to fail. While the database is away nothing is limited here; what
needs it fails by itself.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Database
from shipworthy.kernel.edge.gcra import Rate
from shipworthy.kernel.errors import Busy
from shipworthy.kernel.telemetry.log import log

q = load_queries(Path(__file__).parents[1] / "queries.sql", room="kernel")
_PURGE_EVERY = 500  # each time so many were counted, keys that owe nothing are taken out


class PostgresLimits:
    """The keys of one realm. Cost: a transaction without a disk flush, about 0.4 ms."""

    def __init__(self, database: Database, *, realm_id: uuid.UUID) -> None:
        self._database, self._scope = database, Scope(realm_id)
        self._counted = 0

    async def wait_s(self, key: bytes, rate: Rate) -> float:
        self._counted += 1
        try:
            async with self._database.begin(self._scope) as tx:
                row = await tx.one(q.limit_take, key=key, each_s=rate.each_s, tolerance_s=rate.tolerance_s)
                if self._counted % _PURGE_EVERY == 0:
                    await tx.run(q.limit_purge)
        except Busy as away:
            log.warning("the database is away; nothing is limited meanwhile", extra={"reason": str(away)})
            return 0.0
        return float(row["wait_s"])

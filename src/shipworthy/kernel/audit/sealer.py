"""The sealer: a worker's loop that chains fresh audit rows, tenant by tenant, within a second."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

from shipworthy.kernel.audit.chain import GENESIS, seal
from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Database
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.telemetry.log import log

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")

_PERIOD_S = 0.5  # half of the second that D19 promises


async def seal_forever(database: Database, *, stop: asyncio.Event) -> None:
    """Seal until told to stop. The list of due tenants is emptied only in a round that sealed them
    all, so a failed round is simply tried again."""
    while not stop.is_set():
        try:
            await seal_due(database)
        except Refusal as away:
            log.warning("audit sealer waits", extra={"reason": away.code})
        try:
            await asyncio.wait_for(stop.wait(), timeout=_PERIOD_S)
        except TimeoutError:
            continue


async def seal_due(database: Database) -> int:
    """Seal every tenant whose chain grew; return how many rows were sealed."""
    anywhere = Scope(uuid.UUID(int=0))
    async with database.begin(anywhere) as tx:
        due = {(row["realm_id"], row["tenant_id"]) for row in await tx.all(q.audit_due_take)}
        sealed = 0
        for realm_id, tenant_id in sorted(due):
            sealed += await seal_tenant(database, Scope(realm_id, tenant_id))
        return sealed


async def seal_tenant(database: Database, scope: Scope) -> int:
    """Chain this tenant's unsealed rows in their order; return how many."""
    total = 0
    while True:
        async with database.begin(scope) as tx:
            head = await tx.maybe(q.audit_head_lock)
            seq, prev = (head["seq"], bytes(head["hash"])) if head else (0, GENESIS)
            rows = await tx.all(q.audit_unsealed)
            if not rows:
                return total
            sealed = []
            for row in rows:
                seq += 1
                digest = seal(row, seq=seq, prev=prev)
                sealed.append({"audit_id": row["audit_id"], "seq": seq, "prev": prev, "hash": digest})
                prev = digest
            await tx.many(q.audit_seal, sealed)
            await tx.run(q.audit_head_move, seq=seq, hash=prev)
            total += len(rows)

"""Verification: walk a tenant's sealed chain from its start and compare it with its head."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from shipworthy.kernel.app import Installation
from shipworthy.kernel.audit.chain import GENESIS, Break, first_break
from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Database, open_database

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")


@dataclass(frozen=True)
class Report:
    """How many rows hold, how many wait to be sealed, and where the chain breaks."""

    sealed: int
    unsealed: int
    broken: Break | None


async def verify_tenant(installation: Installation, tenant_id: uuid.UUID) -> Report:
    """Verify one tenant's chain with the installation's role."""
    database = await open_database(installation.database_url, connections_max=1, acquire_timeout_s=5)
    try:
        return await verify_chain(database, Scope(installation.realm_id, tenant_id))
    finally:
        await database.close()


async def verify_chain(database: Database, scope: Scope) -> Report:
    """Walk the chain a page at a time; a head beyond the last row means that the tail was cut."""
    seq, prev = 0, GENESIS
    async with database.begin(scope) as tx:
        while rows := await tx.all(q.audit_chain, after=seq):
            if broken := first_break(rows, seq=seq, prev=prev):
                return Report(broken.seq - 1, 0, broken)
            seq, prev = rows[-1]["seq"], bytes(rows[-1]["hash"])
        head = await tx.maybe(q.audit_head_get)
        unsealed = (await tx.one(q.audit_unsealed_count))["rows"]
    if (head["seq"], bytes(head["hash"])) != (seq, prev) if head else seq:
        return Report(
            seq,
            unsealed,
            Break(seq + 1, "the chain ends before its recorded head: rows were cut off its end"),
        )
    return Report(seq, unsealed, None)

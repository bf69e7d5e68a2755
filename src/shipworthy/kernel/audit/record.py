"""Record a change in the transaction that makes it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Tx

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")


def entry(
    ctx: Ctx, action: str, *, of: str, id: object, detail: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the values of one audit row, for a statement that writes it together with the change itself."""
    ctx.extra["audited"] = True
    return {
        "audit_id": ctx.new_id(),
        "at": ctx.now(),
        "actor_id": ctx.principal.user_id if ctx.principal else None,
        "action": action,
        "object_type": of,
        "object_id": str(id),
        "detail": detail or {},
        "trace_id": ctx.trace_id,
    }


async def record(
    ctx: Ctx, action: str, *, of: str, id: object, detail: dict[str, Any] | None = None, tx: Tx | None = None
) -> uuid.UUID:
    """Write one audit row: `action` happened to the `of` with this `id`; return the row's id.

    Goes to the tenant's chain, or to the realm's trail when no tenant is known yet. `detail`
    holds facts, never secrets; personal values are named, not copied (or committed to: personal.py).
    """
    transaction = tx or ctx.db
    query = q.audit_write if transaction.scope.tenant_id else q.realm_audit_write
    row = entry(ctx, action, of=of, id=id, detail=detail)
    await transaction.run(query, **row)
    written: uuid.UUID = row["audit_id"]
    return written


def unchanged(ctx: Ctx) -> None:
    """Say that a request that may change something found nothing to change: no row is owed."""
    ctx.extra["audited"] = True

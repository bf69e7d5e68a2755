"""The ledger of objects: what each takes is written with the row that says it is there, so storage is exact.

Source of a ledger line is the object's key below its tenant. Whoever changes a tenant's storage holds its one budget
row until the commit: many uploads at once do not take more than there is.
"""

from __future__ import annotations

from datetime import datetime

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.quotas.budget import Exhausted, Standing, q, standing_of
from shipworthy.kernel.quotas.meters import STORAGE_BYTES, day_of


async def require_storage(ctx: Ctx, more_bytes: int = 0, *, field: str = "") -> Standing:
    """Hold the tenant's storage and refuse where there is no room for so much more. Errors: Exhausted."""
    await ctx.db.run(q.stored_hold)
    standing = await standing_of(ctx.db, STORAGE_BYTES, ctx.runtime.settings.quotas, now=ctx.now())
    if standing.is_full or not standing.allows(more_bytes):
        raise Exhausted(standing, now=ctx.now(), field=field)
    return standing


async def keep_stored(tx: Tx, source: str, size_bytes: int, *, now: datetime) -> None:
    """Write down that an object takes so much; one that is there already is replaced. Never refuses: the object of
    a document that must be kept is stored whatever the budget says."""
    await tx.run(q.stored_hold)
    await tx.run(q.stored_put, source=source, amount=size_bytes, day=day_of(now), now=now)


async def drop_stored(tx: Tx, source: str, *, now: datetime) -> None:
    """Write down that an object is gone. One that was never written down changes nothing."""
    await tx.run(q.stored_hold)
    await tx.run(q.stored_drop, source=source, day=day_of(now), now=now)

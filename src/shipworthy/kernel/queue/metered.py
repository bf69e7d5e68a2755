"""Jobs that use a budget: let in while there is some, counted in their own transaction, kept waiting when it is used up."""

from __future__ import annotations

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.quotas.budget import commit, counted, q, release, reserve, standing_of
from shipworthy.kernel.quotas.meters import METERS

SOFT_WEIGHT = 4  # a tenant above its soft limit gets a quarter of the turns while others wait
_SOFT = "over_soft_limit"


async def admit(ctx: Ctx, meter_name: str, kind: str, source: str) -> bool:
    """Reserve what the job may use, in a transaction of its own; False: it waits, and is queued again by itself."""
    if ctx.scope.tenant_id is None:
        return True  # nobody's: a letter before there is a tenant
    meter, now = METERS[meter_name], ctx.now()
    async with ctx.begin() as tx:
        standing = await standing_of(tx, meter, ctx.runtime.settings.quotas, now=now)
        ctx.extra[_SOFT] = standing.is_soft
        if await reserve(tx, standing, _source(kind, source), now=now):
            return True
        await tx.run(
            q.job_wait, kind=kind, source=source, meter=meter.name, renews_at=standing.renews_at, now=now
        )
        return False


async def settle(ctx: Ctx, meter_name: str, kind: str, source: str) -> None:
    """Count what the job used, in the transaction of its effect."""
    if ctx.scope.tenant_id is not None:
        used = counted(ctx, meter_name)
        await commit(ctx.db, METERS[meter_name], _source(kind, source), used, now=ctx.now())


async def give_up(ctx: Ctx, meter_name: str, kind: str, source: str) -> None:
    """Give back what was reserved for a job that nobody tries any more."""
    if ctx.scope.tenant_id is not None:
        async with ctx.begin() as tx:
            await release(tx, METERS[meter_name], _source(kind, source))


def weight_of(ctx: Ctx) -> int:
    """Return how dear the job's cost is in the line."""
    return SOFT_WEIGHT if ctx.extra.get(_SOFT) else 1


def _source(kind: str, source: str) -> str:
    return f"{kind}:{source}"

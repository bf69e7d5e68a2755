"""The keeper: a worker's loop that looks at the tenants whose budgets moved or begin anew.

It tells what is to be told, queues jobs that waited for a budget there is again, gives back what dead jobs reserved, and
checks that every budget says what its events say.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import timedelta

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.quotas.budget import q
from shipworthy.kernel.quotas.notices import note_notices
from shipworthy.kernel.quotas.overview import Budget, budgets_of
from shipworthy.kernel.quotas.telling import ways_of
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.telemetry.log import log

_PERIOD_S = 2.0
_AGAIN = timedelta(seconds=5)
_CRAWL_KEPT = timedelta(days=2)  # what crawlers fetched, batch by batch; after that a line a day
_HOLD_KEPT = timedelta(days=2)  # longer than any job is tried


async def keep_forever(runtime: Runtime, *, stop: asyncio.Event) -> None:
    """Look until told to stop. The list of tenants is emptied only in a round that looked at them all."""
    while not stop.is_set():
        try:
            await look_at_due(runtime)
        except Refusal as away:
            log.warning("the keeper of budgets waits", extra={"reason": away.code})
        try:
            await asyncio.wait_for(stop.wait(), timeout=_PERIOD_S)
        except TimeoutError:
            continue


async def look_at_due(runtime: Runtime) -> int:
    """Look at every tenant that is due; return how many."""
    async with runtime.database.begin(Scope(uuid.UUID(int=0))) as tx:
        due = {(r["realm_id"], r["tenant_id"]) for r in await tx.all(q.usage_due_take, now=runtime.now())}
        for realm_id, tenant_id in sorted(due):
            await _look_at(runtime, Scope(realm_id, tenant_id))
        return len(due)


async def _look_at(runtime: Runtime, scope: Scope) -> None:
    ctx = Ctx(scope=scope, runtime=runtime, trace_id=runtime.new_id().hex)
    async with ctx.begin() as tx:
        await tx.run(q.usage_hold_old, before=ctx.now() - _HOLD_KEPT)
        await tx.run(q.usage_fold, before=ctx.now() - _CRAWL_KEPT)
        budgets = await budgets_of(tx, runtime.settings.quotas, now=ctx.now())
        await note_notices(ctx, tx, budgets, ways=ways_of(runtime.settings))
        await _let_go_on(ctx, tx, budgets)
        for wrong in await tx.all(q.usage_drift):
            log.error(
                "a budget does not add up", extra={"meter": wrong["meter"], "period": str(wrong["period"])}
            )


async def _let_go_on(ctx: Ctx, tx: Tx, budgets: Sequence[Budget]) -> None:
    """Queue what waited for a budget that has room again. What is still in the queue under its key stays here, and is
    looked at again: the worker that put it here may not have taken it off the queue yet."""
    for budget in budgets:
        if not budget.waiting:
            continue
        standing = budget.standing
        if not standing.allows(standing.meter.estimate):
            if standing.renews_at is not None:
                await tx.run(q.usage_due_add, at=standing.renews_at)
            continue
        waiting = await tx.all(q.job_waiting_next, meter=standing.meter.name)
        queued = [job for job in waiting if await enqueue(ctx, job["kind"], job["source"], tx=tx)]
        for job in queued:
            await tx.run(q.job_waiting_drop, kind=job["kind"], source=job["source"])
        if budget.waiting > len(queued):
            await tx.run(q.usage_due_add, at=ctx.now() + _AGAIN)

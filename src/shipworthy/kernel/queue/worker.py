"""The worker: takes jobs from pgqueuer, runs each in one scoped transaction, acknowledges after.

A job is acknowledged only when its transaction has committed. A worker that dies leaves its
jobs picked; another picks them up when their heartbeat is old. So a job may run twice, and its
unique row makes that one effect. Which job is next, and of whom: `claim.py`.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.applications import PgQueuer
from pgqueuer.domain.models import Job
from pgqueuer.errors import RetryRequested

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.language import speaking
from shipworthy.kernel.queue.claim import FairQueries, Line
from shipworthy.kernel.queue.job import JobKind, Payload
from shipworthy.kernel.queue.metered import admit, give_up, settle, weight_of
from shipworthy.kernel.quotas.budget import counted
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.telemetry.log import log
from shipworthy.kernel.telemetry.spans import CONSUMER, Attributes
from shipworthy.kernel.telemetry.trace import following

# A live worker beats every 2 s; 4 s of silence is a dead one. Longer makes recovery slower,
# shorter re-runs the jobs of a worker that merely waits for a core.
_HEARTBEAT_TIMEOUT_S = 4.0
_POLL_S = 1.0
_BATCH = 4  # jobs one worker holds: few, so that a death leaves little to repeat
_OF_ONE_TENANT = (
    6  # running at once of the 8 a worker can run: who comes next need not wait for a long one to end
)
_RETRY_FIRST_S = 1.0
_RETRY_MAX_S = 60.0


async def work(
    url: str, runtime: Runtime, kinds: Iterable[JobKind], *, stop: asyncio.Event, on_ready: Callable[[], None]
) -> None:
    """Run jobs until `stop` is set. The queue's own connections belong to the worker role."""
    pool = await asyncpg.create_pool(url, min_size=2, max_size=6, timeout=5, command_timeout=30)
    try:
        line, driver = Line(runtime.database), AsyncpgPoolDriver(pool)
        queue = PgQueuer(driver, queries=FairQueries(driver, line, flow_jobs_max=_OF_ONE_TENANT))
        for kind in kinds:
            queue.entrypoint(kind.kind, on_failure="hold", accepts_context=False)(
                _runner(kind, runtime, line)
            )
        stopper = asyncio.create_task(_stop_when(stop, queue))
        on_ready()
        try:
            await queue.qm.run(
                dequeue_timeout=timedelta(seconds=_POLL_S),
                batch_size=_BATCH,
                max_concurrent_tasks=2 * _BATCH,
                heartbeat_timeout=timedelta(seconds=_HEARTBEAT_TIMEOUT_S),
            )
        finally:
            stopper.cancel()
    finally:
        pool.terminate()


def _runner(kind: JobKind, runtime: Runtime, line: Line) -> Any:
    async def run(job: Job) -> None:
        await run_job(kind, runtime, job.payload or b"", attempt=job.attempts, on_cost=line.charge)

    return run


async def run_job(
    kind: JobKind,
    runtime: Runtime,
    payload: bytes,
    *,
    attempt: int,
    on_cost: Callable[[str, int], None] = lambda _flow, _ms: None,
) -> None:
    """Run one job in its tenant's (or, before there is one, its realm's) transaction; tell whose it was and
    what it cost, in milliseconds.

    Errors:  RetryRequested with growing delay until `attempts_max`; then the failure itself,
             and the job is held for a person to look at.
    """
    facts = msgspec.json.decode(payload, type=Payload)
    scope = Scope(uuid.UUID(facts.realm), uuid.UUID(facts.tenant) if facts.tenant else None)
    name = f"job {kind.kind}"
    trace = runtime.tracer.begin(facts.trace, facts.span, name, CONSUMER, is_sampled=bool(facts.span))
    ctx = Ctx(scope=scope, runtime=runtime, trace_id=facts.trace)
    failed: Exception | None = None
    began_s = time.perf_counter()
    try:
        with speaking(runtime.settings.app.locale), following(facts.trace, trace):
            await _run_once(kind, ctx, facts.source, attempt=attempt)
    except Exception as failure:  # the job edge
        failed = failure
        raise
    finally:
        took_ms = round((time.perf_counter() - began_s) * 1000)
        # What it printed, where it did: its turn at the press is others' time, not its own.
        on_cost(facts.tenant or facts.realm, (counted(ctx, "pdf_ms") or took_ms) * weight_of(ctx))
        told: Attributes = {"job.source": facts.source, "job.attempt": attempt + 1}
        if facts.tenant:
            told["app.tenant.id"] = facts.tenant
        cause = failed.__cause__ if isinstance(failed, RetryRequested) else failed
        runtime.tracer.end(trace, trace_id=facts.trace, name=name, kind=CONSUMER, facts=told, failure=cause)


async def _run_once(kind: JobKind, ctx: Ctx, source: str, *, attempt: int) -> None:
    try:
        async with asyncio.timeout(kind.timeout_s):
            if kind.meter and not await admit(ctx, kind.meter, kind.kind, source):
                return
            async with ctx.begin() as tx:
                ctx.tx = tx
                await kind.handler(ctx, source)
                if kind.meter:
                    await settle(ctx, kind.meter, kind.kind, source)
        for later in ctx.after_commit:
            result = later()
            if result is not None:
                await result
    except Exception as failure:
        delay_s = min(_RETRY_FIRST_S * 2**attempt, _RETRY_MAX_S)
        last = attempt + 1 >= kind.attempts_max
        log.exception("job failed", extra={"kind": kind.kind, "attempt": attempt + 1, "held": last})
        if last:
            if kind.meter:
                await give_up(ctx, kind.meter, kind.kind, source)
            raise
        raise RetryRequested(delay=timedelta(seconds=delay_s), reason=type(failure).__name__) from failure


async def _stop_when(stop: asyncio.Event, queue: PgQueuer) -> None:
    await stop.wait()
    queue.shutdown.set()

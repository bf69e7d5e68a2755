"""Jobs: exist with the change or not at all, run at least once, acknowledged after they worked.

Covers: worker, job.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import pytest

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.queue.job import JobKind, Payload, enqueue
from shipworthy.kernel.queue.worker import run_job, work
from tests.kernel.toy import q
from tests.support.app import RunningApp


async def waiting(app: RunningApp) -> list[str]:
    return [r["dedupe_key"] for r in await app.admin("select dedupe_key from pgqueuer order by id")]


async def test_a_job_exists_if_and_only_if_the_change_does(toy: RunningApp) -> None:
    tenant_id = await toy.add_tenant()
    ctx = toy.ctx(tenant_id=tenant_id)
    with pytest.raises(ZeroDivisionError):
        async with ctx.begin() as tx:
            assert await enqueue(ctx, "toy.mail", 7, tx=tx)
            raise ZeroDivisionError
    assert await waiting(toy) == []
    async with ctx.begin() as tx:
        assert await enqueue(ctx, "toy.mail", 7, tx=tx) is True
        assert await enqueue(ctx, "toy.mail", 7, tx=tx) is False
        assert await enqueue(ctx, "toy.mail", 8, tx=tx) is True
    assert await waiting(toy) == [f"{tenant_id}:toy.mail:7", f"{tenant_id}:toy.mail:8"]


async def _worker(app: RunningApp, kind: JobKind, done: asyncio.Event, *, timeout_s: float = 20.0) -> None:
    """Run a real worker until `done`; it must stop by itself then."""
    stop, ready = asyncio.Event(), asyncio.Event()
    async with app.role("worker") as database:
        runtime = replace(app.runtime, database=database)
        task = asyncio.create_task(work(app.url("worker"), runtime, [kind], stop=stop, on_ready=ready.set))
        async with asyncio.timeout(timeout_s):
            await ready.wait()
            await done.wait()
            stop.set()
            await task


async def test_a_worker_runs_each_job_in_its_tenants_transaction(toy: RunningApp) -> None:
    tenants = [await toy.add_tenant("A"), await toy.add_tenant("B")]
    done = asyncio.Event()
    left = {str(t) for t in tenants}

    async def write(ctx: Ctx, source: str) -> None:
        await ctx.db.run(q.note_create, note_id=uuid.UUID(source), text="by the worker")

        def tick() -> None:
            left.discard(str(ctx.tenant_id))
            if not left:
                done.set()

        ctx.after_commit.append(tick)

    for tenant_id in tenants:
        ctx = toy.ctx(tenant_id=tenant_id)
        async with ctx.begin() as tx:
            await enqueue(ctx, "toy.note", uuid.uuid4(), tx=tx)
    await _worker(toy, JobKind(kind="toy.note", handler=write, title="write a note"), done)
    rows = await toy.admin("select tenant_id, text from note")
    assert {r["tenant_id"] for r in rows} == set(tenants)
    assert await waiting(toy) == []


async def test_a_failing_job_is_tried_again_and_rolls_back_each_time(toy: RunningApp) -> None:
    tenant_id = await toy.add_tenant()
    done, tries = asyncio.Event(), []

    async def fails_once(ctx: Ctx, source: str) -> None:
        await ctx.db.run(q.note_create, note_id=uuid.uuid4(), text=f"try {len(tries)}")
        tries.append(source)
        if len(tries) == 1:
            raise ConnectionResetError("flaky")
        ctx.after_commit.append(done.set)

    ctx = toy.ctx(tenant_id=tenant_id)
    async with ctx.begin() as tx:
        await enqueue(ctx, "toy.flaky", 1, tx=tx)
    await _worker(toy, JobKind(kind="toy.flaky", handler=fails_once, title="fails once"), done)
    assert [r["text"] for r in await toy.admin("select text from note")] == ["try 1"]


async def test_the_last_try_raises_so_that_the_job_is_held(toy: RunningApp) -> None:
    from pgqueuer.errors import RetryRequested

    tenant_id = await toy.add_tenant()

    async def always(_ctx: Ctx, _source: str) -> None:
        raise ConnectionResetError

    kind = JobKind(kind="toy.dead", handler=always, title="fails", attempts_max=3)
    payload = _payload(toy, tenant_id)
    with pytest.raises(RetryRequested):
        await run_job(kind, toy.runtime, payload, attempt=1)
    with pytest.raises(ConnectionResetError):
        await run_job(kind, toy.runtime, payload, attempt=2)


async def test_a_job_over_its_time_is_stopped_and_leaves_nothing(toy: RunningApp) -> None:
    from pgqueuer.errors import RetryRequested

    tenant_id = await toy.add_tenant()

    async def slow(ctx: Ctx, _source: str) -> None:
        await ctx.db.run(q.note_create, note_id=uuid.uuid4(), text="half")
        await asyncio.Event().wait()

    kind = JobKind(kind="toy.slow", handler=slow, title="slow", timeout_s=0.2)
    with pytest.raises(RetryRequested):
        await run_job(kind, toy.runtime, _payload(toy, tenant_id), attempt=0)
    async with toy.runtime.database.begin(Scope(toy.runtime.realm_id, tenant_id)) as tx:
        assert await tx.all(q.note_list) == []


def _payload(app: RunningApp, tenant_id: uuid.UUID) -> Any:
    import msgspec

    return msgspec.json.encode(Payload(str(app.runtime.realm_id), str(tenant_id), "1", "0" * 32))

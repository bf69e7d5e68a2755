"""Killing workers while their jobs use budgets: what is known before, and what must be true after."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.queue.job import enqueue
from tests.support.app import RunningApp

KIND = "toy.metered"


def cost_ms_of(source: str) -> int:
    """Return what a job uses: known from its name, so that the sum of all is known before."""
    return int(source) % 17 + 1


async def queue_jobs(app: RunningApp, tenants: Sequence[uuid.UUID], *, each: int) -> None:
    for tenant_id in tenants:
        ctx = Ctx(scope=Scope(app.runtime.realm_id, tenant_id), runtime=app.runtime, trace_id="0" * 32)
        async with ctx.begin() as tx:
            for number in range(each):
                await enqueue(ctx, KIND, number, tx=tx)


async def worker(app: RunningApp, state: Path, *, most: int) -> asyncio.subprocess.Process:
    """Start a worker process; return it when it works."""
    arguments = (app.url("worker"), str(app.runtime.realm_id), str(state), str(most))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.metered_worker", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def killed_at_random(app: RunningApp, state: Path, *, kills: int, most: int, seed: int) -> int:
    """Let workers run and kill each at a moment of its own; return in how many rounds jobs were running then."""
    moments, caught = random.Random(seed), 0
    for _ in range(kills):
        process = await worker(app, state, most=most)
        await asyncio.sleep(moments.uniform(0.02, 0.4))
        rows = await app.admin("select count(*) as picked from pgqueuer where status = 'picked'")
        caught += bool(rows[0]["picked"])
        process.send_signal(signal.SIGKILL)
        await process.wait()
    return caught


async def finished(app: RunningApp, state: Path, *, most: int, timeout_s: float = 60.0) -> None:
    """Let one worker do the rest."""
    process = await worker(app, state, most=most)
    try:
        async with asyncio.timeout(timeout_s):
            while await app.admin("select from pgqueuer where entrypoint = $1 limit 1", KIND):
                await asyncio.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def errors(app: RunningApp, tenants: Sequence[uuid.UUID], *, each: int) -> list[str]:
    """Return what is wrong with the budgets, in words: nothing, when every job counted once and nothing is reserved."""
    wanted = {"pdf_ms": sum(cost_ms_of(str(n)) for n in range(each)), "storage_bytes": 3 * each}
    rows: list[Any] = await app.admin(
        """select b.tenant_id, b.meter, b.used, b.reserved,
             (select coalesce(sum(amount), 0) from usage_event e
               where (e.tenant_id, e.meter, e.period) = (b.tenant_id, b.meter, b.period))::bigint as counted,
             (select count(*) from usage_hold h where h.tenant_id = b.tenant_id) as holds
           from budget b"""
    )
    found = {(row["tenant_id"], row["meter"]): row for row in rows}
    wrong = []
    for tenant_id in tenants:
        for meter, amount in wanted.items():
            row = found.get((tenant_id, meter))
            if row is None or (row["used"], row["counted"], row["reserved"], row["holds"]) != (
                amount,
                amount,
                0,
                0,
            ):
                wrong.append(f"{meter} of {tenant_id}: {dict(row) if row else None}, not {amount}")
    return wrong

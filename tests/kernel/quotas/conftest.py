"""The toy app with budgets, a clock that a test moves, and its jobs run by hand."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.queue.job import JobKind
from shipworthy.kernel.queue.worker import run_job
from shipworthy.kernel.quotas.budget import commit, count
from shipworthy.kernel.quotas.keeper import look_at_due
from shipworthy.kernel.quotas.meters import METERS
from shipworthy.kernel.quotas.section import QuotasSection
from shipworthy.kernel.quotas.telling import JOBS
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.toy import ROOM
from tests.support.app import RunningApp, app_running, make_settings

START = datetime(2026, 11, 2, 12, tzinfo=UTC)  # a Monday


@dataclass
class Clock:
    """What time it is; a test moves it."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


async def _print(ctx: Ctx, source: str) -> None:
    """A job that uses as many milliseconds as its source says behind the dash."""
    count(ctx, "pdf_ms", int(source.partition("-")[2] or 10))


PRINT = JobKind(kind="toy.print", handler=_print, title="print", meter="pdf_ms")
ROOM_WITH_USAGE = replace(ROOM, jobs=(PRINT,))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def app(cluster: PostgresAddress, tmp_path: Path, clock: Clock) -> AsyncIterator[RunningApp]:
    quotas = QuotasSection(pdf_ms_max=1_000, storage_bytes_max=10_000, mails_max=100)
    settings = make_settings((ROOM_WITH_USAGE,), quotas=quotas)
    async with app_running(cluster, (ROOM_WITH_USAGE,), tmp_path, settings=settings, now=clock) as running:
        yield running


async def use(app: RunningApp, tenant_id: uuid.UUID, meter: str, amount: int, source: str = "") -> None:
    """Let a tenant use something now."""
    ctx = app.ctx(tenant_id=tenant_id)
    async with ctx.begin() as tx:
        await commit(tx, METERS[meter], source or uuid.uuid4().hex, amount, now=ctx.now())


async def run_queue(app: RunningApp, *kinds: JobKind) -> int:
    """Run every job that waits, as the worker's role; return how many."""
    known = {job.kind: job for job in (*JOBS, *(kinds or (PRINT,)))}
    rows = await app.admin("delete from pgqueuer returning id, entrypoint, payload")
    async with app.role("worker") as database:
        runtime = replace(app.runtime, database=database)
        for row in sorted(rows, key=lambda row: row["id"]):
            await run_job(known[row["entrypoint"]], runtime, row["payload"], attempt=0)
    return len(rows)


async def keep(app: RunningApp) -> int:
    """Let the keeper look once, as the worker's role; return at how many tenants."""
    async with app.role("worker") as database:
        return await look_at_due(replace(app.runtime, database=database))


async def adds_up(app: RunningApp) -> list[Any]:
    """Return every budget that does not say what its events and holds say."""
    return await app.admin(
        """select b.* from budget b where used <> (select coalesce(sum(amount), 0) from usage_event e
             where (e.tenant_id, e.meter, e.period) = (b.tenant_id, b.meter, b.period))
           or reserved <> (select coalesce(sum(amount), 0) from usage_hold h
             where (h.tenant_id, h.meter, h.period) = (b.tenant_id, b.meter, b.period))"""
    )

"""`make bench NAME=fairness`: one tenant floods, twenty want one PDF each; four are backlogged alike; workers are killed.

PostgreSQL runs with fsync, full_page_writes and synchronous_commit on. The jobs print real invoices through the product's
press and are metered; the worker is the product's, in this process. Beside it the same jobs in the order they came (what
pgqueuer does by itself, and without a PDF: only their order counts). `claims_per_s` are jobs taken and acknowledged by
four workers, eight at a time, of twenty tenants. About two minutes.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.applications import PgQueuer
from tests.kernel.toy import ROOM
from tests.support.app import RunningApp, app_running
from tests.support.metered import errors, finished, killed_at_random, queue_jobs

from benchmarks.pdf.facts import facts
from benchmarks.pdf.ours import document
from benchmarks.report import Figure, Report, publish, show_table
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.queue.claim import FairQueries, Line
from shipworthy.kernel.queue.job import JobKind, Payload, enqueue
from shipworthy.kernel.queue.worker import work
from shipworthy.kernel.quotas.budget import count
from shipworthy.kernel.quotas.limits import drifts_of
from shipworthy.kernel.settings import PdfSection
from shipworthy.local.postgres import EmbeddedPostgres
from shipworthy.rooms.invoicing.printing.press import Press

FLOOD, QUIET = 5_000, 20
LINES = (1, 20, 60, 120)  # of the invoices of four tenants
BACKLOG, SERVED_S = 1_500, 20.0
CLAIMED, CLAIMERS, AT_ONCE = 8_000, 4, 8
KILLS, EACH, TENANTS = 8, 150, 4
PDF = "bench.pdf"
_BOUNDS = {
    "last_quiet_position": "150 owed",
    "jain_index": "0.95 owed",
    "claims_per_s": "1,000 owed",
    "budget_errors": "0 owed",
}


@dataclass
class Run:
    """What one run of workers did: whose job began when, and how many milliseconds each was printed for."""

    order: list[uuid.UUID] = field(default_factory=list)
    printed_ms: dict[uuid.UUID, int] = field(default_factory=dict)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="shipworthy-fairness-") as folder:
        directory = Path(folder)
        directory.chmod(0o755)
        database = EmbeddedPostgres(directory / ".shipworthy")
        try:
            figures, notes = asyncio.run(_measured(database.start(), directory))
        finally:
            database.stop()
    publish(Report(name="fairness", figures=figures, notes=notes), bounds=_BOUNDS)
    return 0


async def _measured(address: Any, directory: Path) -> tuple[dict[str, Figure], list[str]]:
    figures: dict[str, Figure] = {}
    press = Press(PdfSection())
    await press.render(document(facts(1, lines=1)))
    try:
        async with _app(address, directory) as app:
            figures["last_quiet_position"] = await _flooded(app, press)
        async with _app(address, directory) as app:
            figures["fifo_last_quiet_position"] = await _in_order(app)
        async with _app(address, directory) as app:
            figures["jain_index"], served = await _backlogged(app, press)
            drifts = len(await drifts_of(app.url("admin")))
    finally:
        await press.close()
    async with _app(address, directory) as app:
        figures["claims_per_s"] = round(await _claims_per_s(app))
    async with _app(address, directory) as app:
        caught, wrong = await _killed(app, directory)
    figures["budget_errors"] = drifts + len(wrong)
    show_table(
        "PDF milliseconds served", ("lines of an invoice", "ms"), [(str(k), v) for k, v in served.items()]
    )
    return figures, [f"{KILLS} workers were killed, {caught} of them in the middle of jobs.", *wrong]


def _app(address: Any, directory: Path) -> Any:
    return app_running(address, (ROOM,), directory)


def _pdf_job(run: Run, press: Press, lines: Callable[[uuid.UUID], int]) -> JobKind:
    """No two invoices are alike: a printer keeps what it has laid out before."""

    async def print_one(ctx: Ctx, _source: str) -> None:
        run.order.append(ctx.tenant_id)

        def printed(ms: int) -> None:
            count(ctx, "pdf_ms", ms)
            run.printed_ms[ctx.tenant_id] = run.printed_ms.get(ctx.tenant_id, 0) + ms

        paper = document(facts(len(run.order), lines=lines(ctx.tenant_id)))
        await press.render(paper, on_printed=printed)

    return JobKind(kind=PDF, handler=print_one, title="print", meter="pdf_ms", timeout_s=120.0)


async def _enqueued(app: RunningApp, tenant_id: uuid.UUID, jobs: int) -> None:
    ctx = app.ctx(tenant_id=tenant_id)
    async with ctx.begin() as tx:
        for number in range(jobs):
            await enqueue(ctx, PDF, number, tx=tx)


async def _flooded(app: RunningApp, press: Press) -> int:
    """Return at which place the last of the twenty began."""
    _flood, quiet = await _tenants(app)
    run = Run()
    await _worked(app, _pdf_job(run, press, lambda _: 1), lambda: quiet <= set(run.order))
    return max(run.order.index(tenant_id) + 1 for tenant_id in quiet)


async def _in_order(app: RunningApp) -> int:
    """The same, in pgqueuer's own order: every job has the same priority."""
    _flood, quiet = await _tenants(app)
    order: list[str] = []
    async with asyncpg.create_pool(app.url("worker"), min_size=2, max_size=6) as pool:
        queue = PgQueuer(AsyncpgPoolDriver(pool))

        @queue.entrypoint(PDF)
        async def note(job: Any) -> None:
            order.append(msgspec.json.decode(job.payload, type=Payload).tenant)
            if set(map(str, quiet)) <= set(order):
                queue.shutdown.set()

        await queue.qm.run(dequeue_timeout=timedelta(seconds=1), batch_size=4, max_concurrent_tasks=8)
    return max(order.index(str(tenant_id)) + 1 for tenant_id in quiet)


async def _tenants(app: RunningApp) -> tuple[uuid.UUID, set[uuid.UUID]]:
    """The flood first, so that all of it stands before the others."""
    flood = await app.add_tenant("Flood")
    await _enqueued(app, flood, FLOOD)
    quiet = {await app.add_tenant(f"Quiet{n}") for n in range(QUIET)}
    for tenant_id in quiet:
        await _enqueued(app, tenant_id, 1)
    return flood, quiet


async def _backlogged(app: RunningApp, press: Press) -> tuple[float, dict[int, int]]:
    """Return Jain's index of what four tenants were served while all of them waited, and how much each was."""
    tenants = {await app.add_tenant(f"Lines{lines}"): lines for lines in LINES}
    for tenant_id in tenants:
        await _enqueued(app, tenant_id, BACKLOG)
    run, until = Run(), time.monotonic() + SERVED_S
    job = _pdf_job(run, press, lambda tenant_id: tenants[tenant_id])
    await _worked(app, job, lambda: time.monotonic() > until)
    assert max(run.order.count(tenant_id) for tenant_id in tenants) < BACKLOG, (
        "a tenant had nothing left to wait for"
    )
    served = [run.printed_ms.get(tenant_id, 0) for tenant_id in tenants]
    jain = sum(served) ** 2 / (len(served) * sum(ms**2 for ms in served))
    return round(jain, 4), {lines: run.printed_ms.get(tenant_id, 0) for tenant_id, lines in tenants.items()}


async def _worked(app: RunningApp, job: JobKind, is_done: Callable[[], bool]) -> None:
    """Let the product's worker run this kind of job until it is done."""
    stop, ready = asyncio.Event(), asyncio.Event()
    async with app.role("worker") as database:
        runtime = replace(app.runtime, database=database)
        task = asyncio.create_task(work(app.url("worker"), runtime, [job], stop=stop, on_ready=ready.set))
        await ready.wait()
        while not is_done() and not task.done():  # noqa: ASYNC110 - looked at from outside, as one looks at a queue
            await asyncio.sleep(0.02)
        stop.set()
        await task


async def _claims_per_s(app: RunningApp) -> float:
    """Return how many jobs of twenty tenants are taken and acknowledged in a second."""
    for number in range(QUIET):
        await _enqueued(app, await app.add_tenant(f"T{number}"), CLAIMED // QUIET)
    connections = [await asyncpg.connect(app.url("worker")) for _ in range(CLAIMERS)]
    async with app.role("worker") as database:
        began = time.perf_counter()
        done = await asyncio.gather(*(_claim(connection, Line(database)) for connection in connections))
        took_s = time.perf_counter() - began
    for connection in connections:
        await connection.close()
    assert sum(done) == CLAIMED, f"{sum(done)} jobs were taken, not {CLAIMED}"
    return CLAIMED / took_s


async def _claim(connection: Any, line: Line) -> int:
    queries, worker, done = FairQueries(AsyncpgDriver(connection), line, flow_jobs_max=1_000), uuid.uuid4(), 0
    while jobs := await queries.dequeue(AT_ONCE, {PDF: None}, worker, None, timedelta(seconds=60)):
        await queries.log_jobs([(job, "successful", None) for job in jobs])
        done += len(jobs)
    return done


async def _killed(app: RunningApp, directory: Path) -> tuple[int, list[str]]:
    """Return how many workers died with jobs in hand, and what is wrong with the budgets after it."""
    tenants = [await app.add_tenant(f"T{n}") for n in range(TENANTS)]
    await queue_jobs(app, tenants, each=EACH)
    caught = await killed_at_random(app, directory, kills=KILLS, most=10**9, seed=3)
    await finished(app, directory, most=10**9)
    return caught, await errors(app, tenants, each=EACH)


if __name__ == "__main__":
    sys.exit(main())

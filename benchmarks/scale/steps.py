"""What a second web process, and a second and fourth worker bring."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import subprocess
import time

import asyncpg

from benchmarks.app import App, cold_start_s, memory_mb, running_app, samples_of, stop
from benchmarks.closed_loop import closed_loop
from benchmarks.numbering import drafts_of, issue_all
from benchmarks.report import Figure, show_table
from benchmarks.scale.growth import signed_in
from shipworthy.contract.manifest import Journey, Slo, Step
from shipworthy.gauntlet.load.plan import LoadPlan, LoadUser
from shipworthy.gauntlet.load.process import run_in_process

WEB, WORKERS = (1, 2), (1, 2, 4)
_PATH = "/api/invoices"
_RATE_PER_S, _THROUGHPUT_S, _ROUNDS = 60.0, 4.0, 3
_JOBS = 240
_DRAIN_S_MAX = 120.0


def measure_steps() -> dict[str, Figure]:
    """Measure each step, print the tables, return the figures."""
    figures: dict[str, Figure] = {}
    rows = []
    for processes in WEB:
        with running_app(seed="demo", settings=f"[http]\nworkers = {processes}\n") as app:
            throughput = asyncio.run(_throughput(app))
            p95_ms, rss_mb, start_s = _p95_ms(app), memory_mb(app.pid("web")), cold_start_s(app)
        rows.append((str(processes), throughput, p95_ms, rss_mb, start_s))
        for name, value in zip(("throughput", "p95_ms", "rss_mb", "start_s"), rows[-1][1:], strict=True):
            figures[f"{name}_web_{processes}"] = round(float(value), 2)
    show_table(
        f"GET {_PATH} by web processes: as many as it answers; p95 at {_RATE_PER_S:g} a second",
        ("web processes", "requests/s", "p95 ms", "memory MB", "start s"),
        rows,
    )
    with running_app(rooms="invoicing", seed="demo") as app:
        found = asyncio.run(_drained(app))
    show_table(
        f"{_JOBS} invoices issued, their PDFs made, by workers", ("workers", "jobs/s", "memory MB"),
        [(str(workers), rate, rss) for workers, rate, rss in found],
    )  # fmt: skip
    for workers, rate, rss in found:
        figures[f"throughput_workers_{workers}"], figures[f"rss_mb_workers_{workers}"] = (
            round(rate, 1),
            round(rss, 1),
        )
    return figures


async def _throughput(app: App) -> float:
    host, cookie = await signed_in(app)
    port = int(host.rpartition(":")[2])
    rates = []
    for _ in range(_ROUNDS):
        answered = await closed_loop(
            port, [_PATH], host=host, seconds=_THROUGHPUT_S, headers={"cookie": cookie}
        )
        if set(answered.counts) != {"200"}:
            raise RuntimeError(f"{_PATH} answers {answered.counts}")
        rates.append(answered.requests / answered.seconds)
    return statistics.median(rates)


def _p95_ms(app: App) -> float:
    slo = Slo(name="any", quantile=0.95, threshold_ms=1_000)
    steps = (Step(method="GET", path=_PATH),)
    plan = LoadPlan(
        name="list",
        base_url=app.handle.base_url,
        site_url=app.handle.site_url,
        journeys=(Journey(name="list", slo="any", rate_per_s=_RATE_PER_S, steps=steps, login=True),),
        slos=(slo,),
        users=tuple(LoadUser(credential=p, samples=samples_of(app, p)) for p in app.handle.tenants),
        login=app.manifest.login,
        blocks=8,
        block_s=1.5,
        warmup_s=2.0,
    )
    return run_in_process(plan).journey("list").latency_ms(0.95)


async def _drained(app: App) -> list[tuple[int, float, float]]:
    """Let so many jobs wait while the app's own worker is held, then let others do them."""
    os.kill(app.pid("worker"), signal.SIGSTOP)
    try:
        found = []
        for workers in WORKERS:
            ids, cookie = await drafts_of(app, app.handle.tenants[0], _JOBS)
            await issue_all(app, cookie, ids)
            found.append((workers, *await _by(app, workers)))
        return found
    finally:
        os.kill(app.pid("worker"), signal.SIGCONT)


async def _by(app: App, workers: int) -> tuple[float, float]:
    """Return PDFs a second from the first that is there to the last, and the workers' memory in MB."""
    admin = await asyncpg.connect(app.handle.database_urls["admin"])
    running: list[subprocess.Popen[bytes]] = []
    try:
        before = made = await _made(admin)
        running += [app.start("work") for _ in range(workers)]
        began = time.perf_counter()
        at, first = began, before
        while made < before + _JOBS:
            if time.perf_counter() - began > _DRAIN_S_MAX:
                raise RuntimeError(f"{before + _JOBS - made} PDFs are still missing")
            await asyncio.sleep(0.02)
            made = await _made(admin)
            if first == before and made > before:  # the workers are up: from here on it counts
                first, at = made, time.perf_counter()
        rss_mb = sum(memory_mb(process.pid) for process in running)
        return (made - first) / (time.perf_counter() - at), rss_mb
    finally:
        for process in running:
            stop(process)
        await admin.close()


async def _made(admin: asyncpg.Connection) -> int:
    return int(await admin.fetchval("select count(*) from invoice_document where kind = 'pdf'"))

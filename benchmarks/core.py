"""`make bench NAME=core`: what one request of each kind costs on the whole app, and our own tools.

Everything goes through HTTP with all a user gets: sign-in, row security, idempotency, audit,
jobs. PostgreSQL runs with fsync, full_page_writes and synchronous_commit on. The web process,
PostgreSQL and the generator share the machine's cores; CPU per request of the web process is
the claim, times are context.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
import urllib.request

from argon2 import PasswordHasher

from benchmarks import load_engine
from benchmarks.app import App, cold_start_s, cpu_s, running_app, samples_of
from benchmarks.report import Report, publish
from benchmarks.transactions import tenant_tx_ratio
from shipworthy.contract.manifest import Journey, Slo, Step
from shipworthy.gauntlet.load.plan import LoadPlan, LoadUser
from shipworthy.gauntlet.load.process import run_in_process
from shipworthy.gauntlet.load.result import LoadResult

_BOUNDS = {
    "page_hit_cpu_us": "60 aimed",
    "page_hit_p95_ms": "150 owed, 5 aimed",
    "page_miss_p95_ms": "150 owed, 40 aimed",
    "invoice_create_cpu_us": "1,500 aimed",
    "invoice_create_p95_ms": "700 owed, 50 aimed",
    "invoice_list_p95_ms": "25 aimed",
    "login_overhead_cpu_ms": "2 aimed",
    "tenant_tx_ratio": "1.4 owed",
    "load_cpu_us_saturated": "25 owed",
    "load_cpu_us_open_2000": "100 owed",
    "load_lag_p99_ms_2000": "2 owed, 1 aimed",
    "cold_start_s": "1.0 aimed",
}
_SLO = Slo(name="any", quantile=0.95, threshold_ms=1_000)


def main() -> None:
    figures: dict[str, float] = {}
    notes: list[str] = []
    valid = True
    with running_app() as app:
        for name, rate_per_s, steps, signed_in in _KINDS:
            result, cpu_us = _offered(app, name, rate_per_s, _steps(app, steps), signed_in)
            journey = result.journey(name)
            figures[f"{name}_cpu_us"], figures[f"{name}_p95_ms"] = (
                round(cpu_us, 1),
                round(journey.latency_ms(0.95), 2),
            )
            failed = sum(journey.failures.values())
            if failed or sum(b.void for b in journey.blocks) > len(journey.blocks) // 5:
                valid = False
                notes.append(
                    f"{name}: {failed} failed {journey.failures}, {sum(b.void for b in journey.blocks)} void blocks"
                )
        figures["page_miss_p95_ms"] = round(_cold_pages_p95_ms(app), 2)
        figures["login_overhead_cpu_ms"] = round(figures.pop("login_cpu_us") / 1000 - _hash_cpu_ms(), 2)
        figures["login_p95_ms"] = figures.pop("login_p95_ms")
        ratio, pairs = tenant_tx_ratio(app)
        figures["tenant_tx_ratio"] = round(ratio, 3)
        notes.append(f"tenant_tx_ratio by pair: {', '.join(f'{r:.2f}' for r in pairs)}")
        figures["cold_start_s"] = round(statistics.median(cold_start_s(app) for _ in range(5)), 3)
    engine, engine_valid, engine_notes = load_engine.measured()
    figures |= engine
    publish(
        Report(name="core", figures=figures, valid=valid and engine_valid, notes=[*notes, *engine_notes]),
        bounds=_BOUNDS,
    )


# name, offered rate, which journeys' steps, signed in
_KINDS = (
    ("page_hit", 400.0, "page", False),
    ("invoice_create", 40.0, "invoice_create", True),
    ("invoice_list", 60.0, "invoice_list", True),
    ("login", 8.0, "login", False),
)


def _steps(app: App, journey: str) -> tuple[Step, ...]:
    steps = next(j.steps for j in app.manifest.journeys if j.name == journey)
    return steps[:1]


def _offered(
    app: App, name: str, rate_per_s: float, steps: tuple[Step, ...], signed_in: bool
) -> tuple[LoadResult, float]:
    """Offer one journey alone; return the result and the web process's CPU per request."""
    journey = Journey(name=name, slo="any", rate_per_s=rate_per_s, steps=steps, login=signed_in)
    plan = LoadPlan(
        name=name,
        base_url=app.handle.base_url,
        site_url=app.handle.site_url,
        journeys=(journey,),
        slos=(_SLO,),
        users=tuple(LoadUser(credential=p, samples=samples_of(app, p)) for p in app.handle.tenants),
        login=app.manifest.login,
        blocks=10,
        block_s=1.5,
        warmup_s=2.0,
    )
    web = app.pid("web")

    before = cpu_s(web)
    result = run_in_process(plan)
    # Warm-up and sign-in are in the count of arrivals as well as in the CPU.
    return result, (cpu_s(web) - before) / max(result.offered, 1) * 1e6


def _cold_pages_p95_ms(app: App) -> float:
    """Ask 200 pages nobody asked for before, one after the other: look-up and rendering."""
    site = app.handle.site_url or ""
    port = site.rpartition(":")[2]
    host = site.removeprefix("http://")
    times = []
    for path in _page_paths(app)[:200]:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host})
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
            assert answer.headers["x-cache"] == "miss", f"{path} was {answer.headers['x-cache']}"
        times.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(times, n=20)[18]


def _page_paths(app: App) -> list[str]:
    import asyncio

    import asyncpg

    async def read() -> list[str]:
        connection = await asyncpg.connect(app.handle.database_urls["admin"])
        try:
            rows = await connection.fetch(
                "select path from page where status = 'published' and tenant_id = $1::uuid and path <> '/'"
                " and not exists (select from page_render r where r.tenant_id = page.tenant_id and r.path = page.path)"
                " order by page_id limit 200",
                app.handle.tenants[0].tenant_id,
            )
            return [row["path"] for row in rows]
        finally:
            await connection.close()

    return asyncio.run(read())


def _hash_cpu_ms() -> float:
    """Return what the hash alone costs here: the median of 15 verifications in this process."""
    hasher = PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1)
    known = hasher.hash("correct horse battery")
    times = []
    for _ in range(15):
        began = time.process_time()
        hasher.verify(known, "correct horse battery")
        times.append((time.process_time() - began) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    sys.exit(main())

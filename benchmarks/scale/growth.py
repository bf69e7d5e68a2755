"""What a request costs as rows and tenants become more: CPU and buffers, and the exponent they grow by."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg
import numpy as np

from benchmarks.app import App, cold_start_s, filled, running_app, tree_cpu_s
from benchmarks.closed_loop import closed_loop
from benchmarks.report import Figure, show_table
from shipworthy.gauntlet.http import HttpSession, sign_in
from shipworthy.rooms.invoicing.room import ROOM as INVOICING
from shipworthy.rooms.site.room import ROOM as SITE

INVOICES = (10_000, 100_000, 1_000_000)
PAGES = (1_000, 10_000, 100_000)
TENANTS = (10, 100, 1_000, 10_000)
_ROUNDS, _ROUND_S = 5, 2.0
_COLD_PAGES = 150  # a round
_STARTS = 5
_TOLD_S = 1.5  # a backend tells what it read within a second
_COPIED = ("customer", "invoice", "invoice_line", "invoice_tax")
_LISTS = ("/api/invoices", "/invoices")


@dataclass(frozen=True)
class Cost:
    """What one request cost: microseconds of CPU, and buffers of 8 kB that PostgreSQL looked at."""

    size: int
    cpu_us: float
    buffers: float


def measure_growth() -> dict[str, Figure]:
    """Measure each size, print the tables, return the exponents."""
    lists, pages, look_ups, starts = [], [], [], []
    for invoices, site_pages in zip(INVOICES, PAGES, strict=True):
        with running_app(seed="demo") as app:
            asyncio.run(filled(app, INVOICING, invoices))
            asyncio.run(filled(app, SITE, 2 * site_pages))
            lists.append(asyncio.run(_list_cost(app, invoices)))
            pages.append(asyncio.run(_page_cost(app, site_pages)))
    with running_app(seed="demo") as app:
        asyncio.run(filled(app, INVOICING, 20))
        for tenants in TENANTS:
            asyncio.run(_add_tenants(app, tenants))
            look_ups.append(asyncio.run(_look_up_cost(app, tenants)))
            starts.append((tenants, statistics.median(cold_start_s(app) for _ in range(_STARTS))))
    figures: dict[str, Figure] = {}
    for name, title, costs in (
        ("list", "list page, by invoices of the tenant", lists),
        ("page", "page nobody asked for before, by pages of the site", pages),
        ("isolation", "look-up of an invoice, by tenants", look_ups),
    ):
        show_table(
            title, ("size", "CPU us", "buffers"), [(f"{c.size:,}", c.cpu_us, c.buffers) for c in costs]
        )
        sizes = [cost.size for cost in costs]
        figures[f"exponent_{name}_cpu"] = exponent(sizes, [cost.cpu_us for cost in costs])
        figures[f"exponent_{name}_buffers"] = exponent(sizes, [cost.buffers for cost in costs])
        figures[f"exponent_{name}"] = max(
            float(figures[f"exponent_{name}_cpu"]), float(figures[f"exponent_{name}_buffers"])
        )
    show_table("start of a web process, by tenants", ("tenants", "s"), [(f"{n:,}", s) for n, s in starts])
    figures["exponent_start"] = exponent([n for n, _ in starts], [s for _, s in starts])
    return figures


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return b of cost = a * size ** b, by least squares through the logarithms."""
    slope, _ = np.polyfit(np.log(sizes), np.log(np.maximum(costs, 1e-9)), 1)
    return round(float(slope), 4)


async def _list_cost(app: App, size: int) -> Cost:
    host, cookie = await signed_in(app)
    return await _loop_cost(app, size, _LISTS, host=host, cookie=cookie)


async def _look_up_cost(app: App, size: int) -> Cost:
    host, cookie = await signed_in(app)
    admin = await asyncpg.connect(app.handle.database_urls["admin"])
    try:
        ids = await admin.fetch(
            "select invoice_id from invoice where tenant_id = $1::uuid order by invoice_id limit 20",
            app.handle.tenants[0].tenant_id,
        )
    finally:
        await admin.close()
    paths = [f"/api/invoices/{row['invoice_id']}" for row in ids]
    return await _loop_cost(app, size, paths, host=host, cookie=cookie)


async def _loop_cost(app: App, size: int, paths: Sequence[str], *, host: str, cookie: str) -> Cost:
    """Ask for these addresses over and over; the median of the rounds."""
    port = int(host.rpartition(":")[2])

    async def ask() -> int:
        answered = await closed_loop(port, paths, host=host, seconds=_ROUND_S, headers={"cookie": cookie})
        if set(answered.counts) != {"200"}:
            raise RuntimeError(f"{paths[0]} answers {answered.counts}")
        return answered.requests

    await ask()  # caches, prepared statements
    return _median(size, [await _cost(app, size, ask) for _ in range(_ROUNDS)])


async def _page_cost(app: App, size: int) -> Cost:
    """Ask for pages that nobody asked for before, one after the other."""
    admin = await asyncpg.connect(app.handle.database_urls["admin"])
    try:
        rows = await admin.fetch(
            "select path from page where status = 'published' and path like '/volume/%' and tenant_id = $1::uuid "
            "order by page_id limit $2",
            app.handle.tenants[0].tenant_id,
            _ROUNDS * _COLD_PAGES,
        )
    finally:
        await admin.close()
    paths = [row["path"] for row in rows]
    session = HttpSession(app.handle.site_url or "")

    async def ask() -> int:
        asked, paths[:] = paths[: len(rows) // _ROUNDS], paths[len(rows) // _ROUNDS :]
        for path in asked:
            answer = await session.get(path)
            if answer.status != 200:
                raise RuntimeError(f"{path} answers {answer.status}")
        return len(asked)

    try:
        await session.get("/")
        costs = [await _cost(app, size, ask) for _ in range(_ROUNDS)]
    finally:
        await session.close()
    return _median(size, costs)


def _median(size: int, costs: Sequence[Cost]) -> Cost:
    return Cost(size, statistics.median(c.cpu_us for c in costs), statistics.median(c.buffers for c in costs))


async def _cost(app: App, size: int, ask: Callable[[], Awaitable[int]]) -> Cost:
    buffers, cpu_s = await _buffers(app), _cpu_s(app)
    requests = await ask()
    cpu_us = (_cpu_s(app) - cpu_s) / requests * 1e6
    return Cost(size, cpu_us, (await _buffers(app) - buffers) / requests)


def _cpu_s(app: App) -> float:
    return tree_cpu_s(app.pid("web")) + tree_cpu_s(app.pid("database"))


async def _buffers(app: App) -> int:
    """Return what PostgreSQL has looked at so far in the app's database."""
    await asyncio.sleep(_TOLD_S)
    admin = await asyncpg.connect(app.handle.database_urls["admin"])
    try:
        return int(
            await admin.fetchval(
                "select blks_hit + blks_read from pg_stat_database where datname = current_database()"
            )
        )
    finally:
        await admin.close()


async def signed_in(app: App) -> tuple[str, str]:
    """Return the host to ask, and the cookies of the first tenant's person."""
    session = HttpSession(app.handle.base_url)
    try:
        assert app.manifest.login is not None
        await sign_in(session, app.manifest.login, app.handle.tenants[0])
        cookie = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    finally:
        await session.close()
    return app.handle.base_url.removeprefix("http://"), cookie


async def _add_tenants(app: App, count: int) -> None:
    """Let there be so many tenants, each with the first one's customers and invoices, under ids of the same name."""
    first = app.handle.tenants[0]
    admin = await asyncpg.connect(app.handle.database_urls["admin"])
    try:
        async with admin.transaction():
            await admin.execute(f"set local app.realm_id = '{first.realm_id}'")
            made = await admin.fetch(
                "insert into tenant (realm_id, tenant_id, name, slug) "
                "select $1::uuid, gen_random_uuid(), 'Many ' || n, 'many-' || n "
                "from generate_series((select count(*) from tenant) + 1, $2::bigint) n returning tenant_id",
                first.realm_id,
                count,
            )
            for table in _COPIED:
                names = await admin.fetchval(
                    "select string_agg(column_name, ', ') from information_schema.columns "
                    "where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER'",
                    table,
                )
                await admin.execute(
                    f"insert into {table} ({names}) select {', '.join(f'r.{n}' for n in names.split(', '))} "
                    f"from {table} t, unnest($1::uuid[]) x, lateral jsonb_populate_record(null::{table}, "
                    "to_jsonb(t) || jsonb_build_object('tenant_id', x)) r where t.tenant_id = $2::uuid",
                    [row["tenant_id"] for row in made],
                    first.tenant_id,
                )
        await admin.execute("vacuum analyze")
    finally:
        await admin.close()

"""Every list page of a tenant with 100,000 invoices: how many statements it takes, beside a tenant with few, and how long."""

from __future__ import annotations

import asyncio
import re
import statistics

from benchmarks.app import App, filled, running_app
from benchmarks.report import Figure, show_table
from shipworthy.contract.manifest import Route
from shipworthy.gauntlet.http import HttpSession, sign_in
from shipworthy.rooms.invoicing.room import ROOM

INVOICES = 100_000
_TIMES = 20  # a page is asked for so often; the first is not counted
_COUNTED = re.compile(r'^http_server_queries_total\{route="([^"]+)"\} (\S+)$', re.MULTILINE)


def measure_lists(invoices: int = INVOICES) -> dict[str, Figure]:
    """Count the statements of each page twice, with the demo's few rows and then with all; return the figures."""
    with running_app(rooms="invoicing", seed="demo") as app:
        return asyncio.run(_measured(app, invoices))


async def _measured(app: App, invoices: int) -> dict[str, Figure]:
    person = HttpSession(app.handle.base_url)
    try:
        assert app.manifest.login is not None
        await sign_in(person, app.manifest.login, app.handle.tenants[0])
        pages = [route for route in app.manifest.routes if _is_list(route)]
        few = [await _statements(person, route) for route in pages]
        await filled(app, ROOM, invoices)
        many = [await _statements(person, route) for route in pages]
        times_ms = [await _times_ms(person, route) for route in pages]
    finally:
        await person.close()
    rows = zip((route.path for route in pages), few, many, map(statistics.median, times_ms), strict=True)
    show_table(
        f"list pages of a tenant with {invoices:,} invoices",
        ("page", "statements, few rows", "statements, all", "ms, median"),
        list(rows),
    )
    return {
        "invoices": invoices,
        "list_pages": len(pages),
        "pages_with_more_statements": sum(b > a for a, b in zip(few, many, strict=True)),
        "statements_max": max(many),
        "list_page_ms_median": round(statistics.median(ms for page in times_ms for ms in page), 1),
        "list_page_ms_slowest": round(max(map(statistics.median, times_ms)), 1),
    }


def _is_list(route: Route) -> bool:
    """A page, or an answer for programs, that shows many and belongs to no single one. A form to fill in lists nothing."""
    is_shown = route.room == "invoicing" and route.method == "GET" and route.media != "file"
    return is_shown and "{" not in route.path and not route.path.endswith(("/new", "/import"))


async def _statements(person: HttpSession, route: Route) -> float:
    await _page(person, route)
    before = await _counted(person, route)
    await _page(person, route)
    return await _counted(person, route) - before


async def _counted(person: HttpSession, route: Route) -> float:
    told = dict(_COUNTED.findall((await person.get("/-/metrics")).text))
    return float(told[f"{route.method} {route.path}"])


async def _times_ms(person: HttpSession, route: Route) -> list[float]:
    return [(await _page(person, route)) for _ in range(_TIMES + 1)][1:]


async def _page(person: HttpSession, route: Route) -> float:
    answer = await person.get(route.path)
    if answer.status != 200:
        raise RuntimeError(f"{route.path} answers {answer.status}: {answer.text[:200]}")
    return answer.elapsed_ms

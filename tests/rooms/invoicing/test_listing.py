"""Lists: every row exactly once whichever way, in a constant number of statements."""

from __future__ import annotations

import asyncio
import base64
import uuid
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.route import Route
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.listing import list_customers, list_invoices
from shipworthy.rooms.invoicing.room import ROOM
from shipworthy.rooms.invoicing.wanted import Wanted
from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.test_draft import queries_counted
from tests.support.app import RunningApp, app_running


@settings(max_examples=12, deadline=None)
@given(
    days=st.lists(st.integers(0, 4), max_size=120),
    drafts=st.lists(st.booleans(), min_size=120, max_size=120),
)
def test_paging_covers_each_invoice_exactly_once_both_ways(
    cluster: PostgresAddress, tmp_path_factory: pytest.TempPathFactory, days: list[int], drafts: list[bool]
) -> None:
    """Few days for many rows: most neighbours differ by their id alone."""

    async def check() -> None:
        async with app_running(cluster, (ROOM,), tmp_path_factory.mktemp("state")) as app:
            tenant_id = await app.add_tenant()
            await insert_invoices(app, tenant_id, days, drafts)
            ctx = app.ctx(tenant_id=tenant_id)
            async with ctx.begin() as tx:
                ctx.tx = tx
                for status in (None, "draft", "open"):
                    expected = [
                        row["invoice_id"]
                        for row in await app.admin(
                            "select invoice_id from invoice where $1::text is null or status = $1"
                            " order by issue_date desc, invoice_id desc",
                            status,
                        )
                    ]
                    onward, back = await walk(ctx, status)
                    assert onward == expected
                    assert back == onward

    asyncio.run(check())


async def walk(ctx: Ctx, status: str | None) -> tuple[list[object], list[object]]:
    """Page to the end and back again; return what was shown on each way."""
    pages, cursor = [], None
    while True:
        page = await list_invoices(ctx, Wanted(status=status), cursor=cursor)
        pages.append(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    back = [pages[-1]]
    while back[-1].previous_cursor:
        back.append(await list_invoices(ctx, Wanted(status=status), cursor=back[-1].previous_cursor))
    ids = [[row["invoice_id"] for page in way for row in page.rows] for way in (pages, back[::-1])]
    return ids[0], ids[1]


async def insert_invoices(app: RunningApp, tenant_id: uuid.UUID, days: list[int], drafts: list[bool]) -> None:
    await app.admin(
        "insert into customer (tenant_id, customer_id, name, created_at) values ($1, $1, 'C', now())",
        tenant_id,
    )
    await app.admin(
        """
        insert into invoice (tenant_id, invoice_id, customer_id, status, currency, exponent, issue_date, due_date,
          payment_days, net_minor, tax_minor, gross_minor, created_at, series_id, period, seq, number, seller, buyer, issued_at)
        select $1, gen_random_uuid(), $1, case when draft then 'draft' else 'open' end, 'EUR', 2,
          date '2026-01-01' + day, date '2026-03-01', 14, 1, 0, 1, now(),
          case when not draft then 'invoice' end, case when not draft then '2026' end, case when not draft then n end,
          case when not draft then n::text end, case when not draft then '{}'::jsonb end,
          case when not draft then '{}'::jsonb end, case when not draft then now() end
        from unnest($2::int[], $3::bool[]) with ordinality as row (day, draft, n)
        """,
        tenant_id,
        days,
        drafts[: len(days)],
    )


OF_ONE = (
    "/customers/{customer_id}",
    "/invoices/{invoice_id}",
    "/invoices/{invoice_id}/mails",
    "/api/invoices/{invoice_id}/mails",
)
LISTS = [
    route
    for route in ROOM.routes
    if route.method == "GET"
    and (route.path in OF_ONE or not route.params)
    and route.media != "file"
    and not route.path.endswith(("/new", "/import"))  # a form lists nothing
]
SIZES = (1, 2, 25, 26, 100)


async def test_no_page_asks_more_statements_for_a_hundred_rows_than_for_one(app: RunningApp) -> None:
    """Every page and every answer that may hold a list, of an app with so many of everything."""
    counted = {}
    for rows in SIZES:
        who = await person(app, f"With{rows}")
        await fill(app, who.tenant_id, rows)
        counted[rows] = {f"{r.method} {r.path}": await statements_of(app, who, r) for r in LISTS}
    assert len(LISTS) > 25
    ran = {name: [counted[rows][name] for rows in SIZES] for name in counted[1]}
    assert {name: counts for name, counts in ran.items() if len(set(counts)) > 1 or not counts[0]} == {}


async def fill(app: RunningApp, tenant_id: uuid.UUID, rows: int) -> None:
    """So many invoices, customers and products, as the plans of large tenants are judged by."""
    connection = await asyncpg.connect(app.url("admin"))
    try:
        async with connection.transaction():
            await connection.execute(
                f"set local app.realm_id = '{app.runtime.realm_id}'; set local app.tenant_id = '{tenant_id}';"
                f"set local volume.rows = {rows}"
            )
            assert ROOM.volume_sql
            await connection.execute(ROOM.volume_sql)
    finally:
        await connection.close()


async def statements_of(app: RunningApp, who: Person, route: Route) -> float:
    """How many statements a page takes. What it is the page of is the newest invoice, or that one's customer."""
    (newest,) = await app.admin(
        "select invoice_id, customer_id from invoice where tenant_id = $1 and kind = 'invoice' and status = 'open'"
        " order by issue_date desc, invoice_id desc limit 1",
        who.tenant_id,
    )
    return await cost(app, who, route.path.format(**newest), of=route.path)


async def cost(app: RunningApp, acme: Person, path: str, *, of: str = "") -> float:
    route = f"GET {of or path.partition('?')[0]}"
    before = queries_counted(app, route)
    answer = await acme.get(path)
    assert answer.status == 200, (route, answer.text[:300])
    return queries_counted(app, route) - before


async def test_the_api_pages_by_its_cursor_and_names_customers(acme: Person) -> None:
    customer_id = await acme.customer("Kiosk")
    drafts = [await acme.draft(customer_id) for _ in range(30)]
    first = (await acme.get("/api/invoices?status=draft")).json
    second = (await acme.get(f"/api/invoices?status=draft&cursor={first['next_cursor']}")).json
    seen = [i["invoice_id"] for i in first["invoices"] + second["invoices"]]
    assert (len(first["invoices"]), second["next_cursor"]) == (25, None)
    assert seen == [d["invoice_id"] for d in reversed(drafts)]
    assert {i["customer_name"] for i in first["invoices"]} == {"Kiosk"}
    assert (await acme.get("/api/invoices?status=open")).json["invoices"] == []


async def test_customers_page_by_name_whatever_its_case_both_ways(app: RunningApp, acme: Person) -> None:
    names = [f"{'aB'[n % 2]}{n:03d}" for n in range(120)]
    await asyncio.gather(*(acme.customer(name) for name in names))
    ctx = app.ctx(tenant_id=acme.tenant_id)
    async with ctx.begin() as tx:
        ctx.tx = tx
        pages: list[Any] = [await list_customers(ctx, cursor=None)]
        while pages[-1].next_cursor:
            pages.append(await list_customers(ctx, cursor=pages[-1].next_cursor))
        back = [pages[-1]]
        while back[-1].previous_cursor:
            back.append(await list_customers(ctx, cursor=back[-1].previous_cursor))
    shown = [row["name"] for page in pages for row in page.rows]
    assert shown == sorted(names, key=str.lower)
    assert [row["name"] for page in reversed(back) for row in page.rows] == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "next/2026-01-01",
        "sideways/2026-01-01/" + "0" * 32,
        "next/2026-02-30/" + "0" * 32,
        "\x00",
        "\ud7ff",
    ],
)
async def test_a_cursor_that_is_none_of_ours_is_refused(acme: Person, text: str) -> None:
    cursor = base64.urlsafe_b64encode(text.encode()).decode() or "!"
    for path in ("/api/invoices", "/api/customers"):
        refused = await acme.get(f"{path}?cursor={cursor}")
        if path == "/api/customers" and text.startswith("next/2026-02-30"):
            continue  # any text is a name
        assert (refused.status, refused.json["code"]) == (422, "invoicing.cursor_invalid")


async def test_an_unknown_status_is_refused_by_name(acme: Person) -> None:
    refused = await acme.get("/api/invoices?status=lost")
    assert (refused.status, refused.json["code"]) == (422, "invoicing.status_unknown")
    assert list(refused.json["fields"]) == ["status"]


async def test_neighbours_lists_are_their_own(app: RunningApp, acme: Person) -> None:
    globex = await person(app, "Globex")
    await acme.draft()
    theirs = await globex.draft()
    assert [i["invoice_id"] for i in (await globex.get("/api/invoices")).json["invoices"]] == [
        theirs["invoice_id"]
    ]

"""A tenant with a hundred thousand invoices: whatever is looked for reads few blocks, as the app's own role.

Covers: listing.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import asyncpg
import pytest
import pytest_asyncio

from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.queries import NamedQuery
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.listing import CUSTOMERS_SEARCHED_MAX
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import person
from tests.rooms.invoicing.test_listing import LISTS, statements_of
from tests.rooms.invoicing.test_plans import Volume, explain, nodes, used_indexes
from tests.support.app import RunningApp, app_running

# Headers alone: no list reads a line. In ten: one draft, three open, six paid; ten thousand customers; neighbours.
_FILL = """
insert into customer (tenant_id, customer_id, name, city, created_at)
select t, md5(t::text || n)::uuid, (array['Atelier', 'Bakery', 'Clinic', 'Depot'])[1 + n % 4] || ' ' || n, 'Hamburg', now()
from unnest($1::uuid[]) with ordinality as tenants (t, place), generate_series(1, case place when 1 then 10000 else 50 end) as n;
insert into customer_word (tenant_id, word, customer_id)
select tenant_id, word, customer_id from customer, unnest(search_words(name || ' ' || city)) as word;
insert into invoice (tenant_id, invoice_id, customer_id, status, currency, exponent, issue_date, due_date, payment_days,
  net_minor, tax_minor, gross_minor, paid_minor, series_id, period, seq, number, seller, buyer, created_at, issued_at, paid_at)
select t, md5(t::text || '/' || n)::uuid, md5(t::text || (1 + n % case place when 1 then 10000 else 50 end))::uuid, status, 'EUR', 2, day, day + 14, 14,
  n, 0, n, case status when 'paid' then n else 0 end,
  case when status <> 'draft' then 'invoice' end, case when status <> 'draft' then '2026' end, case when status <> 'draft' then n end,
  case when status <> 'draft' then '2026-' || lpad(n::text, 6, '0') end, case when status <> 'draft' then '{}'::jsonb end,
  case when status <> 'draft' then '{}'::jsonb end, now(), case when status <> 'draft' then now() end, case status when 'paid' then now() end
from unnest($1::uuid[]) with ordinality as tenants (t, place), generate_series(1, case place when 1 then 100000 else 500 end) as n,
  lateral (select case when n % 10 = 0 then 'draft' when n % 10 <= 3 then 'open' else 'paid' end as status, current_date - n % 1095 as day) as x;
"""


@dataclass(frozen=True)
class Large(Volume):
    """The app over that database, and its tenants: of a hundred thousand invoices, and of five hundred."""

    app: RunningApp
    tenants: list[uuid.UUID]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def large(cluster: PostgresAddress, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Large]:
    async with app_running(cluster, (ROOM,), tmp_path_factory.mktemp("state")) as app:
        tenants = [await app.add_tenant(name) for name in ("Large", "Small", "Tiny")]
        connection = await asyncpg.connect(app.url("admin"))
        try:
            await connection.execute(
                "set session_replication_role = replica"
            )  # no foreign key is asked: they hold
            # One of its own would hold back what ours may call visible, and with it the walks in an index alone.
            for table in ("customer", "customer_word", "invoice"):
                await connection.execute(f"alter table {table} set (autovacuum_enabled = false)")
            for statement in _FILL.split(";\n")[:-1]:
                await connection.execute(statement, *([tenants] if "$1" in statement else []))
            await connection.execute("vacuum analyze customer, customer_word, invoice")
        finally:
            await connection.close()
        yield Large(
            admin_url=app.url("admin"),
            scope=Scope(app.runtime.realm_id, tenants[0]),
            table_rows={},
            app=app,
            tenants=tenants,
        )


# What is asked for, in SQL, beside the samples of the query; and how many blocks of 8 kB it may read. None: it adds up or
# walks all there is, in the index alone (how many rows that spares depends on the last vacuum, so it is not counted).
_ALL = {
    "statuses": "'{draft,open,paid,credited,uncollectible,void}'",
    "maxs_minor": "array[9e15::bigint, 9e15::bigint, 9e15::bigint, 9e15::bigint, 9e15::bigint]",
}
_NO_NUMBER = {"starts": "'{}'", "ends": "'{}'", "seq": "null::bigint"}
_NOBODY = {"customer_ids": "'{}'"}
_SOME = "array(select customer_id from customer_word where word = 'depot' limit %d)"
CASES: list[tuple[str, dict[str, str], int, int | None]] = [
    ("customer_find", {"text": "'depot 77'"}, 1, 3000),
    ("customer_find", {"text": "'9999'"}, 1, 60),
    ("customer_matches", {"text": "'9999'"}, 1, 60),
    ("invoice_search", {**_ALL, **_NO_NUMBER, "customer_ids": _SOME % 1}, 5, 250),
    ("invoice_search", {**_ALL, **_NO_NUMBER, "customer_ids": _SOME % CUSTOMERS_SEARCHED_MAX}, 26, 8000),
    ("invoice_search", {**_ALL, **_NOBODY, "starts": "'{2026-054321}'", "ends": "'{2026-054321~}'", "seq": "null::bigint"}, 1, 60),
    ("invoice_search", {**_ALL, **_NOBODY, "starts": "'{}'", "ends": "'{}'", "seq": "54321"}, 1, 60),
    ("invoice_find", {**_ALL}, 26, 400),
    ("invoice_find", {**_ALL, "mins_minor": "'{54321,54321,54321,54321,54321}'", "maxs_minor": "'{54321,54321,54321,54321,54321}'"}, 1, None),
    ("invoice_find_newer", {**_ALL}, 26, 400),
    ("figures_owed", {}, 5, None),
    ("figures_invoiced", {}, 10, None),
    ("figures_customers", {}, 5, None),
    ("ageing_today", {}, 3000, None),
]  # fmt: skip


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("plan_cache_mode", ["force_custom_plan", "force_generic_plan"])
async def test_what_is_looked_for_reads_few_blocks(large: Large, plan_cache_mode: str) -> None:
    for name, samples, rows_min, blocks_max in CASES:
        query: NamedQuery = getattr(ROOM.queries, name)
        values = (samples.get(p, s) for p, s in zip(query.parameters, query.samples, strict=True))
        plan, rows = await explain(large, replace(query, samples=tuple(values)), plan_cache_mode)
        blocks = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        assert rows >= rows_min, (name, samples, rows)
        assert blocks_max is None or blocks <= blocks_max, (name, samples, blocks, used_indexes(plan))
        kinds = {node["Node Type"] for node in nodes(plan) if str(node.get("Relation Name")) == "invoice"}
        assert blocks_max is not None or "Index Only Scan" in kinds, (name, kinds)
        assert not [node for node in nodes(plan) if node["Node Type"] == "Seq Scan"], name


@pytest.mark.asyncio(loop_scope="module")
async def test_no_page_asks_more_statements_than_for_a_tenant_of_five_hundred(large: Large) -> None:
    many, few = [await person(large.app, tenant_id=tenant_id) for tenant_id in large.tenants[:2]]
    pages = [
        route for route in LISTS if not route.params
    ]  # only headers were filled in: no invoice's own page
    for route in pages:
        assert (
            await statements_of(large.app, many, route) == await statements_of(large.app, few, route) > 0
        ), route.path
    assert len(pages) > 20

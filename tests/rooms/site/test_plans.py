"""Every query of the room at volume: its index is used under row security, whatever plan is cached.

Covers: catalogue.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.queries import NamedQuery
from shipworthy.kernel.db.tx import opening
from shipworthy.kernel.seed import seed_volume
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.site.room import ROOM
from tests.support.app import app_running

LARGE_TABLE_ROWS = 1000


@dataclass(frozen=True)
class Volume:
    """A database with one large tenant among many small ones."""

    admin_url: str
    scope: Scope
    table_rows: dict[str, int]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def volume(cluster: PostgresAddress, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Volume]:
    async with app_running(cluster, (ROOM,), tmp_path_factory.mktemp("state")) as app:
        large = await app.add_tenant("Large")
        await seed_volume(app.url("admin"), app.runtime.realm_id, (ROOM,), large_tenant=large)
        counted = await app.admin(
            "select relname, reltuples::bigint as rows from pg_class where relkind = 'r'"
        )
        yield Volume(
            admin_url=app.url("admin"),
            scope=Scope(app.runtime.realm_id, large),
            table_rows={row["relname"]: row["rows"] for row in counted},
        )


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("plan_cache_mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("query", list(ROOM.queries), ids=lambda query: query.name)
async def test_query_uses_its_index_and_keeps_its_bound(
    volume: Volume, query: NamedQuery, plan_cache_mode: str
) -> None:
    """Tables of a few rows are read whole, and rightly so: there it is asked whether the index could be used."""
    assert volume.table_rows["page"] > LARGE_TABLE_ROWS
    plan, rows = await explain(volume, query, plan_cache_mode)
    scanned = [table for table in scanned_tables(plan) if volume.table_rows[table] > LARGE_TABLE_ROWS]
    assert not scanned, f"{query.name} reads all of {scanned}"
    assert rows <= (query.rows_max or 0)
    able, _ = await explain(volume, query, plan_cache_mode, without_scans=True)
    used = used_indexes(plan) | used_indexes(able)
    assert set(query.index) <= used, f"{query.name} declares {query.index} and uses {used}"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "name",
    [
        "published_page",
        "published_paths",
        "page_list",
        "page_list_newer",
        "page_get",
        "page_at",
    ],
)
async def test_the_pages_a_query_reads_follow_from_what_it_returns(volume: Volume, name: str) -> None:
    plan, rows = await explain(volume, getattr(ROOM.queries, name), "force_generic_plan")
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 60 + 2 * rows


@pytest.mark.asyncio(loop_scope="module")
async def test_a_dropped_index_is_noticed(volume: Volume) -> None:
    query = ROOM.queries.page_list
    kept, _ = await explain(volume, query, "force_custom_plan")
    lost, _ = await explain(volume, query, "force_custom_plan", drop_index=query.index[0])
    assert query.index[0] in used_indexes(kept)
    assert query.index[0] not in used_indexes(lost)


async def explain(
    volume: Volume,
    query: NamedQuery,
    plan_cache_mode: str,
    *,
    drop_index: str = "",
    without_scans: bool = False,
) -> tuple[dict[str, Any], int]:
    """Run the query as its role in the large tenant's scope; return its plan and row count; roll back."""
    connection = await asyncpg.connect(volume.admin_url)
    try:
        await connection.execute(opening(volume.scope))
        if drop_index:
            await connection.execute(f"drop index {drop_index}")
        if without_scans:
            await connection.execute("set local enable_seqscan = off; set local enable_hashjoin = off")
        await connection.execute(
            f"set local role {query.role}; set local plan_cache_mode = {plan_cache_mode}"
        )
        values = [
            await connection.fetchval(f"select quote_nullable(({expression})::text)")
            for expression in query.samples
        ]
        await connection.execute(f"prepare examined as {query.sql}")
        given = f"({', '.join(values)})" if values else ""
        text = await connection.fetchval(f"explain (analyze, buffers, format json) execute examined{given}")
        plan = json.loads(text)[0]["Plan"]
        return plan, int(plan["Actual Rows"])
    finally:
        await connection.close()


def scanned_tables(plan: dict[str, Any]) -> set[str]:
    return {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}


def used_indexes(plan: dict[str, Any]) -> set[str]:
    return {node["Index Name"] for node in nodes(plan) if "Index Name" in node}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)

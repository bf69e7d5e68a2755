"""Every query of the room at volume: its index is used under row security, whatever plan is cached.

Covers: catalogue.
"""

from __future__ import annotations

import json
import uuid
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
from shipworthy.rooms.invoicing.room import ROOM
from tests.support.app import PASSWORDS, app_running

LARGE_TABLE_ROWS = 1000


@dataclass(frozen=True)
class Volume:
    """A database with one large tenant among many small ones."""

    urls: dict[str, str]
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
            urls={role: app.url(role) for role in PASSWORDS},
            scope=Scope(app.runtime.realm_id, large),
            table_rows={row["relname"]: row["rows"] for row in counted},
        )


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("plan_cache_mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("query", list(ROOM.queries), ids=lambda query: query.name)
async def test_query_uses_its_index_and_keeps_its_bound(
    volume: Volume, query: NamedQuery, plan_cache_mode: str
) -> None:
    plan, rows = await explain(volume, query, plan_cache_mode)
    used = {node["Index Name"] for node in nodes(plan) if "Index Name" in node}
    assert set(query.index) <= used, f"{query.name} declares {query.index} and uses {used}"
    scanned = [
        node["Relation Name"]
        for node in nodes(plan)
        if node["Node Type"] == "Seq Scan" and volume.table_rows[node["Relation Name"]] > LARGE_TABLE_ROWS
    ]
    assert not scanned, f"{query.name} reads all of {scanned}"
    assert rows <= query.rows_max


@pytest.mark.asyncio(loop_scope="module")
async def test_a_query_without_its_index_would_be_noticed(volume: Volume) -> None:
    """The check above has teeth: take the index away and the plan changes."""
    query = ROOM.queries.invoice_list_by_status
    drop = f"drop index {query.index[0]}"
    plan, _ = await explain(volume, query, "force_custom_plan", before=drop)
    assert query.index[0] not in {node.get("Index Name") for node in nodes(plan)}


async def explain(
    volume: Volume, query: NamedQuery, plan_cache_mode: str, *, before: str = ""
) -> tuple[dict[str, Any], int]:
    """Run the query as its role in the large tenant's scope and return its plan and row count; roll back."""
    connection = await asyncpg.connect(volume.urls["worker" if query.role == "worker" else "app"])
    try:
        await connection.execute(f"{opening(volume.scope)};set local plan_cache_mode = {plan_cache_mode}")
        values = []
        for expression in query.samples:
            values.append(await connection.fetchval(f"select quote_nullable(({expression})::text)"))
        name = f"p_{uuid.uuid4().hex[:8]}"
        await connection.execute(f"prepare {name} as {query.sql}")
        given = f"({', '.join(values)})" if values else ""
        text = await connection.fetchval(f"explain (analyze, format json) execute {name}{given}")
        plan = json.loads(text)[0]["Plan"]
        return plan, int(plan["Actual Rows"])
    finally:
        await connection.close()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)

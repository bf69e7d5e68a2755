"""plans.harvest: an app that names no query is judged by what its routes made the database do."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Journey, Manifest, Route, Step
from shipworthy.contract.target import Handle, Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.conftest import check_named
from tests.support.ledger import Ledger, served

HARVEST = check_named("plans.harvest")
SCHEMA = """
create extension if not exists pg_stat_statements;
create table item (id serial primary key, owner text not null, kind text not null, name text not null);
insert into item (owner, kind, name) select 'o' || n % 500, case when n % 100 = 0 then 'rare' else 'usual' end, 'n' || n
  from generate_series(1, 5000) n;
create index on item (id) where kind = 'rare';
create table little (id int, name text);
insert into little values (1, 'a');
analyze;
"""
SQL = {
    "/mine": "select name from item where owner = 'o7' order by id desc limit 20",
    "/one": "select name from item where id = 7",
    "/rare": "select name from item where kind = 'rare' and id > 4000",
    "/first": "select name from item limit 20",
    "/little": "select name from little where id = 1",
}


class _Shelf:
    def __init__(self, pool: Any) -> None:
        self.pool = pool

    def asgi(self) -> Starlette:
        return Starlette(routes=[Path(path, self.show) for path in SQL])

    async def show(self, request: Request) -> Response:
        return JSONResponse([row["name"] for row in await self.pool.fetch(SQL[request.url.path])])


@asynccontextmanager
async def shelf(cluster: PostgresAddress, *paths: str, journey: str = "") -> AsyncIterator[tuple[Exam, Any]]:
    name = f"shelf_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(cluster.url())
    await admin.execute(f'create database "{name}" strategy file_copy')
    pool = await asyncpg.create_pool(cluster.url(name), min_size=1, max_size=2)
    try:
        await pool.execute(SCHEMA)
        routes = tuple(Route(name=p, room="", method="GET", path=p, auth="public") for p in paths)
        steps = (Step(method="GET", path=journey),) if journey else ()
        journeys = (Journey(name="walk", slo="x", rate_per_s=1.0, steps=steps, login=False),)
        manifest = Manifest(app="Shelf", routes=routes, journeys=journeys)
        async with served(_Shelf(pool).asgi()) as base_url:
            handle = Handle(base_url=base_url, database_urls={"app": cluster.url(name)})
            exam = Exam(
                Target(name="Shelf", kind="command", manifest=manifest), StartedInstance(handle, None)
            )
            exam.begin(PlannedCheck(check=HARVEST))
            yield exam, pool
            await exam.close()
    finally:
        await pool.close()
        await admin.execute(f'drop database if exists "{name}" with (force)')
        await admin.close()


async def ask(cluster: PostgresAddress, *paths: str, journey: str = "") -> dict[str, Finding]:
    """Return the findings by the route whose statement they are about."""
    async with shelf(cluster, *paths, journey=journey) as (exam, _pool):
        found = list(await HARVEST.run(exam))
    by_sql = {}
    for finding in found:
        beginning = finding.evidence[0].text.partition("$")[0]  # constants are forgotten
        by_sql.update({path: finding for path, sql in SQL.items() if sql.startswith(beginning)})
    return by_sql


async def test_a_large_table_read_whole_fails_with_an_index_that_was_seen_to_help(
    cluster: PostgresAddress,
) -> None:
    found = await ask(cluster, "/mine", "/one", "/little")
    failed = found["/mine"]
    assert failed.verdict is Verdict.FAIL
    assert "reads all 5,000 rows of item" in failed.title
    assert failed.fix == "create index concurrently on public.item (owner, id desc);"
    assert "It ran once" in failed.cause
    plan, tried = failed.evidence[1].text, failed.evidence[-1].text
    assert "Seq Scan on item" in plan
    assert "rolled back: the estimated cost falls" in tried and "Index Scan using item_owner_id_idx" in tried
    assert found["/one"].verdict is Verdict.PASS
    assert found["/little"].verdict is Verdict.NOT_MEASURED
    assert "little has 1 rows" in found["/little"].cause


async def test_the_index_that_was_tried_is_gone_again(cluster: PostgresAddress) -> None:
    async with shelf(cluster, "/mine") as (exam, pool):
        await HARVEST.run(exam)
        assert await pool.fetchval("select count(*) from pg_indexes where tablename = 'item'") == 2


async def test_what_a_limit_or_a_partial_index_bounds_is_no_defect(cluster: PostgresAddress) -> None:
    found = await ask(cluster, "/first", "/rare")
    assert {path: finding.verdict for path, finding in found.items()} == dict.fromkeys(
        ["/first", "/rare"], Verdict.PASS
    )


async def test_the_steps_of_journeys_are_walked_too(cluster: PostgresAddress) -> None:
    assert (await ask(cluster, "/one", journey="/mine"))["/mine"].verdict is Verdict.FAIL


async def test_an_app_that_asks_another_database_is_told(cluster: PostgresAddress) -> None:
    async with shelf(cluster, "/nowhere") as (exam, _pool):
        with pytest.raises(Undecided, match="ran no statement"):
            await HARVEST.run(exam)


async def test_without_statistics_it_is_not_measured_and_says_which_lines_enable_it(
    cluster: PostgresAddress,
) -> None:
    async with shelf(cluster, "/one") as (exam, pool):
        await pool.execute("drop extension pg_stat_statements")
        with pytest.raises(Unmeasurable) as missing:
            await HARVEST.run(exam)
    assert "shared_preload_libraries = 'pg_stat_statements'" in missing.value.fix
    assert "create extension pg_stat_statements;" in missing.value.fix


async def test_an_app_under_row_security_is_planned_as_its_own_role(ledger: Ledger) -> None:
    async def verdicts() -> dict[str, Verdict]:
        exam = ledger.exam(HARVEST)
        try:
            found = await HARVEST.run(exam)
        finally:
            await exam.close()
        return {f.evidence[0].text.split("*/")[0]: f.verdict for f in found}

    assert set((await verdicts()).values()) == {Verdict.PASS}
    await ledger.admin("drop index book_tenant_status_at_idx")
    await ledger.admin("alter table book drop constraint book_pkey cascade")
    assert (await verdicts())["select /* ledger.book_list "] is Verdict.FAIL

"""scale.queries_slope: an N+1 is seen by what changes when the data grows, whatever a bound allows."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Manifest, Route
from shipworthy.contract.target import Handle, Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.ledger import Ledger, ledger_manifest, served

SLOPE, BUDGET = check_named("scale.queries_slope"), check_named("budget.queries_per_route")


async def ask_ledger(ledger: Ledger, check: Check = SLOPE, *, queries_max: int = 2) -> dict[str, Finding]:
    routes = tuple(
        replace(r, queries_max=queries_max) if r.path == "/books" else r for r in ledger_manifest().routes
    )
    exam = ledger.exam(check, routes=routes)
    try:
        return by_subject(list(await check.run(exam)))
    finally:
        await exam.close()


async def test_every_reading_route_costs_a_large_tenant_as_much_as_a_small_one(ledger: Ledger) -> None:
    found = await ask_ledger(ledger)
    assert set(found) == {"GET /books", "GET /books/{book_id}", "GET /me"}
    assert {finding.verdict for finding in found.values()} == {Verdict.PASS}, found
    assert "for the tenant with few rows, 2" in found["GET /books"].title


async def test_a_loop_the_bound_allows_and_no_statement_betrays_fails_by_its_slope(ledger: Ledger) -> None:
    ledger.faults.add("grows")  # each statement reads differently, so that none runs twice
    assert (await ask_ledger(ledger, BUDGET, queries_max=50))["GET /books"].verdict is Verdict.PASS
    failed = (await ask_ledger(ledger, queries_max=50))["GET /books"]
    assert failed.verdict is Verdict.FAIL
    assert "queries more for the tenant with many" in failed.title
    assert "from book limit" in failed.evidence[0].text
    assert failed.source == "ledger/app.py:1"


async def test_the_statement_that_runs_more_often_is_named_with_both_counts(ledger: Ledger) -> None:
    ledger.faults.add("n_plus_one")
    found = await ask_ledger(ledger)
    failed = found["GET /books"]
    assert failed.verdict is Verdict.FAIL
    assert "one of them 16 times more" in failed.cause
    assert failed.evidence[0].text.startswith("-- 20 x with more data, 4 x with less")
    assert "ledger.notes_of_book" in failed.evidence[0].text
    assert found["GET /books/{book_id}"].verdict is Verdict.PASS


# A stranger of whom one tenant and no administrator is known: two rows, and a route that makes more.


class _Items:
    def __init__(self, pool: Any, faults: set[str]) -> None:
        self.pool, self.faults = pool, faults

    def asgi(self) -> Starlette:
        return Starlette(
            routes=[Path("/items", self.show), Path("/items", self.add, methods=["POST"])],
        )

    async def show(self, _request: Request) -> Response:
        rows = await self.pool.fetch("select id, name from item order by id limit 100")
        if "loops" in self.faults:
            for row in rows:
                await self.pool.fetch("select name from item where id = $1", row["id"])
        return JSONResponse([row["name"] for row in rows])

    async def add(self, request: Request) -> Response:
        if "is_full" in self.faults:
            return JSONResponse({}, 409)
        await self.pool.execute("insert into item (name) values ($1)", (await request.json())["name"])
        return JSONResponse({}, 201)


@asynccontextmanager
async def stranger(
    cluster: PostgresAddress, faults: set[str], *, makes: bool = True
) -> AsyncIterator[tuple[Target, StartedInstance]]:
    name = f"items_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(cluster.url())
    await admin.execute(f'create database "{name}" strategy file_copy')
    pool = await asyncpg.create_pool(cluster.url(name), min_size=1, max_size=2)
    try:
        await pool.execute("create extension if not exists pg_stat_statements")
        await pool.execute("create table item (id serial primary key, name text)")
        await pool.execute("insert into item (name) values ('a'), ('b')")
        routes = (
            Route(name="list", room="", method="GET", path="/items", auth="public"),
            Route(
                name="add", room="", method="POST", path="/items", auth="public", statuses=(201,),
                example={"name": "c"}, effect="change",
            ),
        )  # fmt: skip
        async with served(_Items(pool, faults).asgi()) as base_url:
            manifest = Manifest(app="Items", routes=routes if makes else routes[:1])
            handle = Handle(base_url=base_url, database_urls={"app": cluster.url(name)})
            yield Target(name="Items", kind="command", manifest=manifest), StartedInstance(handle, None)
    finally:
        await pool.close()
        await admin.execute(f'drop database if exists "{name}" with (force)')
        await admin.close()


async def ask_stranger(
    cluster: PostgresAddress, *faults: str, check: Check = SLOPE, makes: bool = True
) -> Finding:
    async with stranger(cluster, set(faults), makes=makes) as (target, instance):
        exam = Exam(target, instance)
        exam.begin(PlannedCheck(check=check))
        try:
            return by_subject(list(await check.run(exam)))["GET /items"]
        finally:
            await exam.close()


async def test_a_strangers_loop_over_two_rows_passes_every_bound_and_fails_by_its_slope(
    cluster: PostgresAddress,
) -> None:
    assert (await ask_stranger(cluster, "loops", check=BUDGET)).verdict is Verdict.PASS
    failed = await ask_stranger(cluster, "loops")
    assert failed.verdict is Verdict.FAIL
    assert failed.title == "GET /items runs 8 queries more after 8 more"
    assert "-- 10 x with more data, 2 x with less" in failed.evidence[0].text
    assert "select name from item where id" in failed.evidence[0].text
    assert (await ask_stranger(cluster)).verdict is Verdict.PASS


async def test_data_that_cannot_be_made_to_grow_is_not_measured_and_says_how(
    cluster: PostgresAddress,
) -> None:
    full = await ask_stranger(cluster, "loops", "is_full")
    assert full.verdict is Verdict.NOT_MEASURED
    assert "POST /items succeeded 0 times" in full.cause
    nothing = await ask_stranger(cluster, "loops", makes=False)
    assert nothing.verdict is Verdict.NOT_MEASURED
    assert "[[route]]" in nothing.fix

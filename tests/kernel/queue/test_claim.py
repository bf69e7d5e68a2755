"""Taking jobs: in the fair order, of one tenant no more than it may have running, and nothing lost by moving the base."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver

from shipworthy.kernel.db.tx import Database
from shipworthy.kernel.queue.claim import FairQueries, Line
from shipworthy.kernel.queue.fair import WINDOW
from shipworthy.kernel.queue.job import Payload, enqueue
from tests.support.app import RunningApp

WORKER = uuid.UUID(int=7)


async def queue_jobs(app: RunningApp, tenant_id: uuid.UUID, count: int, *, first: int = 0) -> None:
    ctx = app.ctx(tenant_id=tenant_id)
    async with ctx.begin() as tx:
        for number in range(first, first + count):
            await enqueue(ctx, "toy.job", number, tx=tx)


async def take(
    queries: FairQueries, most: int, *, worker: uuid.UUID = WORKER, at_once: int = 100, silent_s: float = 60
) -> list[str]:
    """Take jobs; return whose they are."""
    jobs: list[Any] = await queries.dequeue(
        most, {"toy.job": None}, worker, at_once, timedelta(seconds=silent_s)
    )
    return [msgspec.json.decode(job.payload, type=Payload).tenant for job in jobs]


@pytest.fixture
async def connection(toy: RunningApp) -> Any:
    connection = await asyncpg.connect(toy.url("worker"))
    yield connection
    await connection.close()


async def test_a_flood_does_not_stand_before_those_who_want_one(toy: RunningApp, connection: Any) -> None:
    flood, *quiet = [await toy.add_tenant(f"T{n}") for n in range(6)]
    await queue_jobs(toy, flood, 300)
    for tenant_id in quiet:
        await queue_jobs(toy, tenant_id, 1)
    async with toy.role("worker") as database:
        line = Line(database)
        queries = FairQueries(AsyncpgDriver(connection), line, flow_jobs_max=1_000)
        assert await line.arrange() == WINDOW + 5
        taken = [*await take(queries, 4), *await take(queries, 4)]
    assert set(map(str, quiet)) <= set(taken[:6])


async def test_of_one_tenant_no_more_run_than_may_and_who_fell_silent_is_followed(
    toy: RunningApp, connection: Any
) -> None:
    greedy, other = await toy.add_tenant("A"), await toy.add_tenant("B")
    await queue_jobs(toy, greedy, 10)
    async with toy.role("worker") as database:
        queries = FairQueries(AsyncpgDriver(connection), Line(database), flow_jobs_max=3)
        assert await take(queries, 8) == [str(greedy)] * 3
        assert await take(queries, 8) == []
        await queue_jobs(toy, other, 1)
        assert await take(queries, 8) == [str(other)]
        assert await take(queries, 8, worker=uuid.UUID(int=8), silent_s=0) == [str(greedy)] * 3 + [str(other)]
        await toy.admin("delete from pgqueuer where status = 'picked'")
        assert await take(queries, 8, at_once=2) == [str(greedy)] * 2
        assert await take(queries, 8, at_once=2) == []
    (row,) = await toy.admin("select count(*) as picks from pgqueuer_log where status = 'picked'")
    assert row["picks"] == 3 + 1 + 4 + 2


async def test_what_a_job_cost_moves_the_next_of_its_tenant(toy: RunningApp, connection: Any) -> None:
    dear, cheap = await toy.add_tenant("A"), await toy.add_tenant("B")
    async with toy.role("worker") as database:
        line = Line(database)
        queries = FairQueries(AsyncpgDriver(connection), line, flow_jobs_max=1_000)
        for tenant_id in (dear, cheap):
            await queue_jobs(toy, tenant_id, 100)
        taken: list[str] = []
        for _ in range(40):
            await line.arrange()
            for flow in await take(queries, 2):
                taken.append(flow)
                line.charge(flow, 400 if flow == str(dear) else 50)
            await toy.admin("delete from pgqueuer where status = 'picked'")
    late = taken[-30:]
    assert late.count(str(cheap)) > 4 * late.count(str(dear))


async def test_moving_the_base_keeps_the_order(toy: RunningApp, connection: Any) -> None:
    tenants = [await toy.add_tenant(f"T{n}") for n in range(3)]
    async with toy.role("worker") as database:
        line = Line(database, span_ms=200)
        queries = FairQueries(AsyncpgDriver(connection), line, flow_jobs_max=1_000)
        taken: list[str] = []
        for round_ in range(12):
            for tenant_id in tenants:
                await queue_jobs(toy, tenant_id, 3, first=3 * round_)
            await line.arrange()
            taken += await take(queries, 6)
            await toy.admin("delete from pgqueuer where status = 'picked'")
            (row,) = await toy.admin("select virtual_ms, base_ms from job_line")
            assert row["virtual_ms"] - row["base_ms"] < 200 + 150
        assert row["base_ms"] > 0
    counts = [taken.count(str(tenant_id)) for tenant_id in tenants]
    assert max(counts) - min(counts) <= 2


async def test_one_worker_at_a_time_arranges_and_a_database_that_is_away_loses_no_cost(
    toy: RunningApp,
) -> None:
    tenant_id = await toy.add_tenant()
    await queue_jobs(toy, tenant_id, 1)
    async with toy.role("worker") as database:
        line = Line(database)
        line.charge(str(tenant_id), 450)
        holder = await asyncpg.connect(toy.url("worker"))
        async with holder.transaction():
            await holder.execute("select pg_advisory_xact_lock(hashtextextended('the line of jobs', 0))")
            assert await line.arrange() == 0
        await holder.close()
        away = Line(Database(None, acquire_timeout_s=1))
        away._costs_ms = line._costs_ms
        with pytest.raises(AttributeError):
            await away.arrange()
        assert away._costs_ms == {str(tenant_id): [450]}
        line._costs_ms = away._costs_ms
        assert await line.arrange() == 1
    (row,) = await toy.admin("select finish_ms, cost_ms from job_flow")
    assert row["cost_ms"] == (4 * 50 + 450) // 5

"""drill.worker_killed: a real worker process is killed amid its jobs, and the account is drawn up.

Covers: drill_sources.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.probes.drill_worker import Pace, worker_killed
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.conftest import check_named
from tests.support.shop import Shop, shop_manifest, shop_with_process

DRILL = check_named("drill.worker_killed")
QUICK = Pace(
    steady_jobs=2,
    steady_within_s=20,
    load_jobs=8,
    load_per_s=20,
    random_kills=1,
    recovery_s_max=20,
    redelivery_s=2,
)


async def drill(shop: Shop, pace: Pace = QUICK, **changes: Any) -> Finding:
    exam = shop.exam(DRILL, **changes)
    try:
        (found,) = await worker_killed(exam, pace=pace)
    finally:
        assert await exam.heal() == []
        await exam.close()
    return found


def measures(found: Finding) -> dict[str, float]:
    return {measure.name: measure.estimate for measure in found.measures}


async def test_a_worker_that_acknowledges_after_its_work_loses_nothing(cluster: PostgresAddress) -> None:
    async with shop_with_process(cluster, "worker") as shop:
        found = await drill(shop)
    assert found.verdict is Verdict.PASS, found
    said = measures(found)
    assert (said["lost"], said["doubled"], said["failed triggers"]) == (0, 0, 0)
    assert said["caught in the middle"] == 1
    assert 0 <= said["recovery after the last kill"] <= QUICK.recovery_s_max
    assert "killed in the middle of 1 jobs" in found.evidence[0].text


async def test_a_worker_that_acknowledges_before_it_works_is_caught_with_the_lost_ids(
    cluster: PostgresAddress,
) -> None:
    async with shop_with_process(cluster, "worker", "acknowledges_first") as shop:
        found = await drill(shop, replace(QUICK, recovery_s_max=3))
        done = {str(row["order_id"]) for row in await shop.admin("select order_id from receipt")}
        ordered = {str(row["order_id"]) for row in await shop.admin("select order_id from orders")}
    assert (found.verdict, found.severity) == (Verdict.FAIL, Severity.CRITICAL)
    assert "loses" in found.title
    assert "when its worker is killed" in found.title
    lost = ordered - done
    assert measures(found)["lost"] == len(lost) >= 1
    assert any(order_id in found.cause for order_id in lost)
    assert found.source == "shop/jobs.py:1"
    assert "after the transaction of its work" in found.fix


async def test_a_worker_that_works_twice_is_caught(cluster: PostgresAddress) -> None:
    async with shop_with_process(cluster, "worker", "works_twice") as shop:
        found = await drill(shop, replace(QUICK, redelivery_s=4))
    assert found.verdict is Verdict.FAIL
    assert "twice when its worker is killed" in found.title
    assert measures(found)["doubled"] > 0
    assert measures(found)["lost"] == 0


async def test_a_worker_that_does_nothing_fails_before_anything_is_broken(cluster: PostgresAddress) -> None:
    async with shop_with_process(cluster, "worker", "does_nothing") as shop:
        pid = shop.handle.processes[0].pid
        found = await drill(shop, replace(QUICK, steady_within_s=0.2))
        assert shop.handle.processes[0].pid == pid
    assert found.verdict is Verdict.FAIL
    assert "before anything was broken" in found.title


async def test_triggers_that_do_not_succeed_leave_the_drill_undecided(cluster: PostgresAddress) -> None:
    async with shop_with_process(cluster, "worker", "refuses_bills") as shop:
        found = await drill(shop)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "did not succeed before anything was broken" in found.cause


async def test_a_job_that_says_too_little_or_cannot_be_triggered_is_not_measured(shop: Shop) -> None:
    (job,) = shop_manifest().jobs
    mute = await drill(shop, jobs=(replace(job, writes=None),))
    assert (mute.verdict, "does not say writes" in mute.cause) == (Verdict.NOT_MEASURED, True)
    unmade = await drill(shop, jobs=(replace(job, triggered_by="POST /invoices"),))
    assert (unmade.verdict, "does not name order_id" in unmade.cause) == (Verdict.NOT_MEASURED, True)
    routes = tuple(route for route in shop_manifest().routes if route.path != "/orders")
    makerless = await drill(shop, routes=routes)
    assert (makerless.verdict, "makes a order_id" in makerless.cause) == (Verdict.NOT_MEASURED, True)
    wrong = await drill(shop, jobs=(replace(job, writes="nowhere"),))
    assert (wrong.verdict, "no such column" in wrong.cause) == (Verdict.INCONCLUSIVE, True)

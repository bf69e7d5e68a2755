"""Jobs that use a budget: exact, whenever their worker dies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.queue.job import JobKind, Payload
from shipworthy.kernel.queue.worker import run_job
from shipworthy.kernel.quotas.budget import count
from shipworthy.kernel.quotas.section import QuotasSection
from tests.support.app import RunningApp
from tests.support.metered import errors, finished, killed_at_random, queue_jobs

EACH, MOST = 25, 1_000_000


async def test_budgets_are_exact_after_kill_9_at_any_moment(toy: RunningApp, tmp_path: Path) -> None:
    tenants = [await toy.add_tenant(f"T{n}") for n in range(3)]
    await queue_jobs(toy, tenants, each=EACH)
    await killed_at_random(toy, tmp_path, kills=2, most=MOST, seed=8)
    await finished(toy, tmp_path, most=MOST)
    assert await errors(toy, tenants, each=EACH) == []


async def test_what_fails_for_good_gives_back_what_was_reserved_and_counts_nothing(toy: RunningApp) -> None:
    tenant_id = await toy.add_tenant()
    runtime = replace(
        toy.runtime, settings=replace(toy.runtime.settings, quotas=QuotasSection(pdf_ms_max=1_000))
    )

    async def fails(ctx: Ctx, _source: str) -> None:
        count(ctx, "pdf_ms", 40)
        raise ConnectionResetError

    kind = JobKind(kind="toy.fails", handler=fails, title="fails", attempts_max=2, meter="pdf_ms")
    payload = msgspec.json.encode(Payload(str(runtime.realm_id), str(tenant_id), "1", "0" * 32))
    costs: list[int] = []
    reserved = []
    for attempt in range(2):
        with pytest.raises(Exception):  # noqa: B017, PT011 - pgqueuer's, then the failure itself
            await run_job(kind, runtime, payload, attempt=attempt, on_cost=lambda _flow, ms: costs.append(ms))
        (row,) = await toy.admin("select used, reserved from budget")
        reserved.append((row["used"], row["reserved"]))
    assert reserved == [(0, 100), (0, 0)]
    assert costs == [40, 40]


async def test_a_tenant_above_its_soft_limit_pays_more_in_the_line(toy: RunningApp) -> None:
    tenant_id = await toy.add_tenant()
    runtime = replace(
        toy.runtime,
        settings=replace(toy.runtime.settings, quotas=QuotasSection(pdf_ms_max=1_000, soft_percent=50)),
    )

    async def prints(ctx: Ctx, _source: str) -> None:
        count(ctx, "pdf_ms", 300)

    kind = JobKind(kind="toy.prints", handler=prints, title="prints", meter="pdf_ms")
    costs: list[int] = []
    for source in "abc":
        payload = msgspec.json.encode(Payload(str(runtime.realm_id), str(tenant_id), source, "0" * 32))
        await run_job(kind, runtime, payload, attempt=0, on_cost=lambda _flow, ms: costs.append(ms))
    assert costs == [300, 300, 1_200]

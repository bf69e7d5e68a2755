"""Budgets: a source counts once, what is given is kept to, what waits goes on, and no neighbour sees any of it.

Covers: budget, meters, words, stored, overview, keeper, limits.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.language import speaking
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.quotas.budget import Exhausted, require_budget, standing_of, waits_for
from shipworthy.kernel.quotas.limits import drifts_of, read_amount, set_limit, usage_of
from shipworthy.kernel.quotas.meters import (
    CRAWL_BYTES,
    MAILS,
    PDF_MS,
    STORAGE_BYTES,
    Meter,
    period_of,
    renews_at,
)
from shipworthy.kernel.quotas.overview import budgets_of
from shipworthy.kernel.quotas.section import QuotasSection
from shipworthy.kernel.quotas.stored import drop_stored, keep_stored, require_storage
from shipworthy.kernel.quotas.words import amount_text
from tests.kernel.quotas.conftest import START, Clock, adds_up, keep, run_queue, use
from tests.support.app import RunningApp


async def used(app: RunningApp, tenant_id: uuid.UUID, meter: str) -> tuple[int, int]:
    rows = await app.admin(
        "select sum(used)::int as used, sum(reserved)::int as reserved from budget where tenant_id = $1 and meter = $2",
        tenant_id,
        meter,
    )
    return rows[0]["used"] or 0, rows[0]["reserved"] or 0


async def test_the_same_source_twenty_times_at_once_counts_once(app: RunningApp) -> None:
    tenant_id = await app.add_tenant()
    await asyncio.gather(*(use(app, tenant_id, "mails", 1, "mail-7") for _ in range(20)))
    await use(app, tenant_id, "mails", 1, "mail-8")
    assert await used(app, tenant_id, "mails") == (2, 0)
    days = await app.admin("select day, amount from usage_day")
    assert [(row["day"], row["amount"]) for row in days] == [(START.date(), 2)]
    assert await adds_up(app) == []


async def test_jobs_run_while_there_is_budget_and_the_others_wait_for_the_next_month(
    app: RunningApp, clock: Clock
) -> None:
    tenant_id, other_id = await app.add_tenant("A"), await app.add_tenant("B")
    for owner in (tenant_id, other_id):
        ctx = app.ctx(tenant_id=owner)
        async with ctx.begin() as tx:
            for number in range(4):
                await enqueue(ctx, "toy.print", f"{number}-400", tx=tx)
    await use(app, other_id, "pdf_ms", 1_000)
    await run_queue(app)
    # 1,000 ms were given and 100 are reserved for a job: the third begins at 800, the fourth would at 1,200.
    assert await used(app, tenant_id, "pdf_ms") == (1_200, 0)
    assert await used(app, other_id, "pdf_ms") == (1_000, 0)
    ctx = app.ctx(tenant_id=tenant_id)
    async with ctx.begin() as tx:
        waits = await waits_for(tx, "toy.print", "3-400")
        assert waits is not None and waits["renews_at"] == datetime(2026, 12, 1, tzinfo=UTC)
        assert await waits_for(tx, "toy.print", "2-400") is None
    assert await keep(app) == 2 and await run_queue(app) == 2  # the notices of both, none of what waits
    clock.move(days=29)
    assert await keep(app) == 2
    await run_queue(app)
    december = await app.admin("select used from budget where period = $1 order by used", date(2026, 12, 1))
    assert [row["used"] for row in december] == [400, 1_200]
    assert await adds_up(app) == []


async def test_more_from_the_operator_lets_what_waits_go_on(app: RunningApp) -> None:
    tenant_id = await app.add_tenant()
    await use(app, tenant_id, "pdf_ms", 1_000)
    ctx = app.ctx(tenant_id=tenant_id)
    async with ctx.begin() as tx:
        await enqueue(ctx, "toy.print", "1-30", tx=tx)
    await run_queue(app)
    assert await used(app, tenant_id, "pdf_ms") == (1_000, 0)
    assert not await set_limit(app.url("admin"), uuid.uuid4(), PDF_MS, None, is_default=False, now=START)
    assert await set_limit(app.url("admin"), tenant_id, PDF_MS, None, is_default=False, now=START)
    await keep(app)
    await run_queue(app)
    assert await used(app, tenant_id, "pdf_ms") == (1_030, 0)
    (row,) = await app.admin("select action, detail from audit")
    assert row["action"] == "tenant.limit_set"


async def test_an_operator_sees_every_tenant_and_what_does_not_add_up(app: RunningApp) -> None:
    first_id, second_id = await app.add_tenant("A"), await app.add_tenant("B")
    await use(app, first_id, "mails", 3)
    await set_limit(app.url("admin"), second_id, MAILS, 7, is_default=False, now=START)
    quotas = app.runtime.settings.quotas
    found = await usage_of(app.url("admin"), quotas, now=START)
    mails = {one.tenant: (one.used, one.given.most) for one in found if one.meter is MAILS}
    assert mails == {"A": (3, 100), "B": (0, 7)}
    await set_limit(app.url("admin"), second_id, MAILS, None, is_default=True, now=START)
    (one,) = [
        u
        for u in await usage_of(app.url("admin"), quotas, now=START, tenant_id=second_id)
        if u.meter is MAILS
    ]
    assert one.given.most == 100
    assert list(await drifts_of(app.url("admin"))) == []
    await app.admin("update budget set used = used + 1")
    assert [(d.tenant_id, d.used, d.counted) for d in await drifts_of(app.url("admin"))] == [(first_id, 4, 3)]


@pytest.mark.parametrize(
    ("meter", "text", "amount"),
    [
        (PDF_MS, "90min", 5_400_000),
        (PDF_MS, "1.5 h", 5_400_000),
        (STORAGE_BYTES, "20 GB", 20 * 1024**3),
        (MAILS, "1000", 1_000),
    ],
)
def test_amounts_are_read_with_their_unit(meter: Meter, text: str, amount: int) -> None:
    assert read_amount(meter, text) == amount


@pytest.mark.parametrize(
    ("meter", "text"),
    [
        (PDF_MS, "90"),
        (MAILS, "5 GB"),
        (STORAGE_BYTES, "-1 GB"),
        (MAILS, "1e9"),
        (STORAGE_BYTES, "9" * 15 + "TB"),
    ],
)
def test_what_is_no_amount_is_refused(meter: Meter, text: str) -> None:
    with pytest.raises(ValueError, match="number|more than anybody"):
        read_amount(meter, text)


async def test_a_job_that_is_still_in_the_queue_is_not_lost_when_it_may_go_on(app: RunningApp) -> None:
    """The worker that let it wait may not have taken it off the queue yet."""
    tenant_id = await app.add_tenant()
    await use(app, tenant_id, "pdf_ms", 1_000)
    ctx = app.ctx(tenant_id=tenant_id)
    async with ctx.begin() as tx:
        await enqueue(ctx, "toy.print", "1-30", tx=tx)
    await run_queue(app)
    async with ctx.begin() as tx:
        await enqueue(ctx, "toy.print", "1-30", tx=tx)
    await app.admin("update pgqueuer set status = 'picked' where entrypoint = 'toy.print'")
    await app.admin(
        "insert into tenant_limit (tenant_id, meter, most) values ($1, 'pdf_ms', null)", tenant_id
    )
    await app.admin("update usage_due set at = $1", START)
    await keep(app)
    assert await app.admin("select source from job_waiting")
    await app.admin("delete from pgqueuer")
    await app.admin("update usage_due set at = $1", START)
    await keep(app)
    assert await app.admin("select source from job_waiting") == []
    await run_queue(app)
    assert await used(app, tenant_id, "pdf_ms") == (1_030, 0)


async def test_a_refusal_says_what_how_much_when_and_what_to_do(app: RunningApp) -> None:
    tenant_id = await app.add_tenant()
    ctx = app.ctx(tenant_id=tenant_id)
    await use(app, tenant_id, "mails", 99)
    async with ctx.begin() as tx:
        ctx.tx = tx
        await require_budget(ctx, "mails")
        with pytest.raises(Exhausted) as refused:
            await require_budget(ctx, "mails", 2)
        assert refused.value.code == "quota.exhausted"
        assert refused.value.message == (
            "Mail allowance is used up for this month: 99 mails of 100 mails. It begins anew on 1 Dec 2026; the operator can give more."
        )
        assert refused.value.members["renews_at"] == "2026-12-01T00:00:00+00:00"
        with speaking("de"), pytest.raises(Exhausted, match="1. Dezember 2026|01.12.2026"):
            await require_budget(ctx, "mails", 2)


async def test_storage_is_the_sum_of_what_is_kept_however_many_store_at_once(app: RunningApp) -> None:
    tenant_id, neighbour_id = await app.add_tenant("A"), await app.add_tenant("B")
    refused = []

    async def store(owner: uuid.UUID, name: str, size_bytes: int) -> None:
        ctx = app.ctx(tenant_id=owner)
        try:
            async with ctx.begin() as tx:
                ctx.tx = tx
                await require_storage(ctx, size_bytes)
                await keep_stored(tx, name, size_bytes, now=ctx.now())
        except Exhausted as full:
            refused.append(full)

    await asyncio.gather(*(store(tenant_id, f"asset/{n}", 1_000) for n in range(20)))
    assert await used(app, tenant_id, "storage_bytes") == (10_000, 0) and len(refused) == 10
    assert refused[0].standing.renews_at is None and "Delete something" in refused[0].message
    await store(neighbour_id, "asset/0", 7)
    ctx = app.ctx(tenant_id=tenant_id)
    async with ctx.begin() as tx:
        ctx.tx = tx
        kept = [f"asset/{n}" for n in range(20)]
        for name in kept:
            await drop_stored(tx, name, now=ctx.now())
        await drop_stored(tx, "asset/1", now=ctx.now())  # twice is once
        await keep_stored(tx, "asset/0", 5, now=ctx.now())
        await keep_stored(tx, "asset/0", 8, now=ctx.now())  # in its place
        assert (await standing_of(tx, STORAGE_BYTES, QuotasSection(), now=ctx.now())).used == 8
    assert await used(app, neighbour_id, "storage_bytes") == (7, 0)
    assert await adds_up(app) == []


async def test_every_meter_is_shown_and_only_the_own(app: RunningApp) -> None:
    tenant_id, neighbour_id = await app.add_tenant("A"), await app.add_tenant("B")
    await use(app, neighbour_id, "mails", 77)
    await use(app, tenant_id, "crawl_bytes", 5)
    async with app.ctx(tenant_id=tenant_id).begin() as tx:
        found = await budgets_of(tx, app.runtime.settings.quotas, now=START)
    assert [(b.standing.meter.name, b.standing.used, b.standing.given.most) for b in found] == [
        ("pdf_ms", 0, 1_000),
        ("storage_bytes", 0, 10_000),
        ("crawl_bytes", 5, None),
        ("mails", 0, 100),
    ]


async def test_what_crawlers_fetched_is_one_event_a_day_after_a_while(app: RunningApp, clock: Clock) -> None:
    tenant_id = await app.add_tenant()
    for number in range(5):
        await use(app, tenant_id, "crawl_bytes", 10, f"crawl:p:{number}")
    clock.move(days=3)
    await use(app, tenant_id, "crawl_bytes", 1, "crawl:p:6")
    await keep(app)
    rows = await app.admin("select source, amount from usage_event order by source")
    assert [(row["source"], row["amount"]) for row in rows] == [("crawl:p:6", 1), ("day:2026-11-02", 50)]
    assert await adds_up(app) == []


@given(st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1)))
def test_a_month_begins_where_the_one_before_ends(naive: datetime) -> None:
    now = naive.replace(tzinfo=UTC)
    renews = renews_at(MAILS, now)
    assert renews is not None and renews > now
    assert period_of(MAILS, now) <= now.date() < renews.date() == period_of(MAILS, renews)
    assert renews_at(STORAGE_BYTES, now) is None


@pytest.mark.parametrize(
    ("meter", "amount", "text"),
    [
        (PDF_MS, 900, "0.9 s"),
        (PDF_MS, 90_000, "1.5 min"),
        (CRAWL_BYTES, 512, "512 B"),
        (CRAWL_BYTES, 5 * 1024**3, "5 GB"),
        (MAILS, 1, "1 mail"),
    ],
)
def test_amounts_are_short(meter: Meter, amount: int, text: str) -> None:
    assert amount_text(meter, amount) == text

"""What a tenant is told of its budgets: at 50, 80 and 95 %, when it is used up, and days before it will be. Once a month each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.quotas.budget import q
from shipworthy.kernel.quotas.meters import day_of
from shipworthy.kernel.quotas.overview import Budget

NOTICE_JOB = "quota.notice"
PERCENTS = (50, 80, 95)
LEAD = timedelta(
    days=3
)  # how long before it a forecast is told: a day is promised, and a forecast may be late
WAYS = ("mail", "webhook")


async def note_notices(ctx: Ctx, tx: Tx, budgets: Sequence[Budget], *, ways: Sequence[str]) -> int:
    """Write down what somebody must be told now and was not in this month, and queue the telling; return how many."""
    now, told = ctx.now(), 0
    month = day_of(now).replace(day=1)
    for budget in budgets:
        most = budget.standing.given.most
        if most is None:
            continue
        for number, kind in enumerate(_kinds(budget, now)):
            facts = {"meter": budget.standing.meter.name, "period": month, "kind": kind}
            at = budget.forecast.reaches_at if budget.forecast and kind == "forecast" else None
            written = await tx.maybe(
                q.usage_notice_add,
                **facts,
                used=budget.standing.used,
                most=most,
                expected_at=at,
                now=now,
            )
            # Who leapt over 50 and 80 at once is told of 95 only: the rest is written down as if told.
            if written is not None and (number == 0 or kind == "forecast"):
                told += 1
                for way in ways:
                    await enqueue(
                        ctx, NOTICE_JOB, _source(budget.standing.meter.name, month, kind, way), tx=tx
                    )
    return told


def _kinds(budget: Budget, now: datetime) -> list[str]:
    """Return what holds of a budget, the gravest first; a forecast only while the limit is still to come."""
    standing = budget.standing
    most = standing.given.most or 0
    kinds = ["full"] if standing.is_full else []
    kinds += [
        str(percent) for percent in reversed(PERCENTS) if standing.used * 100 >= most * percent and most
    ]
    at = budget.forecast.reaches_at if budget.forecast else None
    if at is not None and standing.used < most and now < at <= now + LEAD:
        kinds.append("forecast")
    return kinds


def _source(meter: str, month: date, kind: str, way: str) -> str:
    return f"{meter}/{month.isoformat()}/{kind}/{way}"


def read_source(source: str) -> tuple[str, date, str, str]:
    """Return meter, month, kind and way of a job."""
    meter, month, kind, way = source.split("/")
    return meter, date.fromisoformat(month), kind, way

"""A tenant's budget: how it stands, what a job reserves of it, what is counted, and what is refused.

What a source used is written with the change it was used for, in one transaction, and once: used is the sum of the
events, always. Only a limited meter is reserved from, in a short transaction before the job's own: whoever held the
budget's row while a document prints would let nobody else of the tenant print.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from pathlib import Path

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.language import _, day_text
from shipworthy.kernel.quotas.meters import METERS, Given, Meter, day_of, given_by, period_of, renews_at
from shipworthy.kernel.quotas.section import QuotasSection
from shipworthy.kernel.quotas.words import amount_text

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")

_COUNTED = "used"  # where a request or job keeps what it counted, in `ctx.extra`


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One meter of one tenant in the period that `now` is in."""

    meter: Meter
    period: date
    used: int
    reserved: int
    given: Given
    renews_at: datetime | None

    def allows(self, amount: int) -> bool:
        hard_at = self.given.hard_at
        return hard_at is None or self.used + self.reserved + amount <= hard_at

    @property
    def is_soft(self) -> bool:
        """Say whether it is to be degraded."""
        soft_at = self.given.soft_at
        return soft_at is not None and self.used >= soft_at

    @property
    def is_full(self) -> bool:
        hard_at = self.given.hard_at
        return hard_at is not None and self.used >= hard_at


class Exhausted(Conflict):
    """A budget is used up: the message says which, how much, when it renews and what to do."""

    def __init__(self, standing: Standing, *, now: datetime, field: str = "") -> None:
        most, renews = standing.given.most, standing.renews_at
        facts = {
            "what": _(standing.meter.title),
            "used": amount_text(standing.meter, standing.used),
            "most": amount_text(standing.meter, most or 0),
        }
        if renews is None:
            message = _(
                "{what} is used up: {used} of {most}. Delete something, or ask the operator for more.",
                **facts,
            )
        else:
            day = day_text(renews.date())
            message = _(
                "{what} is used up for this month: {used} of {most}. It begins anew on {day}; the operator can "
                "give more.",
                **facts,
                day=day,
            )
        wait_s = None if renews is None else max(1, ceil((renews - now).total_seconds()))
        super().__init__(
            "quota.exhausted", message, fields={field: message} if field else None, retry_after_s=wait_s
        )
        self.standing = standing
        self.members = {
            "meter": standing.meter.name,
            "used": str(standing.used),
            "most": str(most),
            **({"renews_at": renews.isoformat()} if renews else {}),
        }


async def standing_of(tx: Tx, meter: Meter, settings: QuotasSection, *, now: datetime) -> Standing:
    """Return how a meter stands, without holding it."""
    row = await tx.one(q.budget_get, meter=meter.name, period=period_of(meter, now))
    return Standing(
        meter=meter,
        period=period_of(meter, now),
        used=row["used"],
        reserved=row["reserved"],
        given=given_by(settings, meter, row["most"], has_own=row["has_own"]),
        renews_at=renews_at(meter, now),
    )


async def require_budget(ctx: Ctx, name: str, amount: int = 1) -> Standing:
    """Refuse at once what could only wait; what is begun is counted where it happens. Errors: Exhausted."""
    standing = await standing_of(ctx.db, METERS[name], ctx.runtime.settings.quotas, now=ctx.now())
    if not standing.allows(amount):
        raise Exhausted(standing, now=ctx.now())
    return standing


async def reserve(tx: Tx, standing: Standing, source: str, *, now: datetime) -> bool:
    """Reserve what a job may come to; False where there is not so much left.

    A hold that an earlier try of the same source left is taken over as it is.
    """
    meter, amount = standing.meter, standing.meter.estimate
    hard_at = standing.given.hard_at
    facts = {"meter": meter.name, "source": source}
    if hard_at is None or await tx.maybe(q.usage_hold_get, **facts) is not None:
        return True
    period = standing.period
    if amount > hard_at or not await tx.maybe(
        q.budget_reserve, meter=meter.name, period=period, amount=amount, most=hard_at
    ):
        return False
    await tx.run(q.usage_hold_add, **facts, period=period, amount=amount, now=now)
    return True


async def commit(tx: Tx, meter: Meter, source: str, amount: int, *, now: datetime) -> None:
    """Count what a source used, once, and give back what was reserved for it, in the transaction of its effect."""
    await tx.run(
        q.usage_commit,
        meter=meter.name,
        source=source,
        amount=amount,
        period=period_of(meter, now),
        day=day_of(now),
        now=now,
    )


async def release(tx: Tx, meter: Meter, source: str) -> None:
    """Give back what was reserved for a source that will not run again."""
    await tx.run(q.usage_release, meter=meter.name, source=source)


async def waits_for(tx: Tx, kind: str, source: object) -> Record | None:
    """Return which meter a job waits for and until when; None where it does not wait for a budget."""
    return await tx.maybe(q.job_waiting_get, kind=kind, source=str(source))


def count(ctx: Ctx, name: str, amount: int) -> None:
    """Note that the job that runs used so much of a meter it declares; it is written when the job is done."""
    counted: dict[str, int] = ctx.extra.setdefault(_COUNTED, {})
    counted[name] = counted.get(name, 0) + amount


def counted(ctx: Ctx, name: str) -> int:
    """Return what the job that runs has noted so far."""
    noted: dict[str, int] = ctx.extra.get(_COUNTED, {})
    return noted.get(name, 0)

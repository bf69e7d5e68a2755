"""Numbers: one counter per series and period, moved in the statement that issues the invoice.

A number is taken if and only if its invoice is committed with it: a rollback puts the counter
back, so there is no gap, and the counter's row lock is held from this statement to the commit,
so there is no duplicate. The statement is the transaction's last of the room's, because every
other invoice of the series waits for it (anchored: 388 issued/s against 147/s with the counter first).

Where a tenant wants numbers that are only unique, they come from a sequence and nobody waits; a
rollback then leaves a gap.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record, UniqueViolation
from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.language import _
from shipworthy.rooms.invoicing.catalogue import q

POLICIES = ("gapless", "gapless_chronological", "unique_only")
PERIODS = {"year": "%Y", "month": "%Y%m", "none": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Where numbers come from. They read prefix, period and counter: CN-2026-00001."""

    series_id: str
    prefix: str = ""
    digits: int = 5
    per: str = "year"
    policy: str = "gapless"
    opening_seq: int = 1

    def period_of(self, day: date) -> str:
        return day.strftime(PERIODS[self.per])


# What holds until a tenant chooses otherwise.
DEFAULTS = {
    "invoice": Series(series_id="invoice"),
    "credit_note": Series(series_id="credit_note", prefix="CN-"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What an invoice says from the moment it is issued. `seller` and `buyer` are frozen copies."""

    issue_date: date
    due_date: date
    seller: dict[str, Any]
    buyer: dict[str, Any]
    credited_minor: int = 0
    now: datetime


async def issue_numbered(ctx: Ctx, invoice_id: uuid.UUID, series: Series, issue: Issue) -> Record:
    """Issue a draft that this transaction holds locked; return its number, status and new version.

    A number has at least the digits the series says, and grows past them.

    Errors:  Conflict `invoicing.date_before_last`, `invoicing.number_taken`.
    """
    period = series.period_of(issue.issue_date)
    facts = {
        "series_id": series.series_id,
        "period": period,
        "stem": series.prefix + (f"{period}-" if period else ""),
        "digits": series.digits,
        "invoice_id": invoice_id,
        "issue_date": issue.issue_date,
        "due_date": issue.due_date,
        "seller": issue.seller,
        "buyer": issue.buyer,
        "credited_minor": issue.credited_minor,
        "now": issue.now,
    }
    try:
        if series.policy == "unique_only":
            return await ctx.db.one(q.invoice_issue_unique, **facts)
        facts["is_chronological"] = series.policy == "gapless_chronological"
        issued = await ctx.db.maybe(q.invoice_issue, **facts)
        if issued is None:  # the draft is locked, so the counter is missing, or has a later date
            await ctx.db.run(
                q.series_open, series_id=series.series_id, period=period, opening_seq=series.opening_seq
            )
            issued = await ctx.db.maybe(q.invoice_issue, **facts)
    except UniqueViolation:
        raise Conflict(
            "invoicing.number_taken",
            _(
                "Another document has this number already, from a time when its series wrote numbers like that. "
                "Give this series another prefix under Numbers, then issue again."
            ),
        ) from None
    if issued is None:
        raise Conflict(
            "invoicing.date_before_last",
            _("This series goes by date, and its last number has a later one. Issue it with today's date."),
        )
    return issued

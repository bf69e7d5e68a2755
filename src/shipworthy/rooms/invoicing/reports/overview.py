"""The figures of the first page: what is owed, what came, what was invoiced. Currencies are never added up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.reports.period import months_until

BUCKETS = ("current", "days_1_30", "days_31_60", "days_61_90", "days_over_90")
FALLBACK_CURRENCY = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The figures of one currency, in its minor units. Months are their first days, oldest first."""

    today: date
    currency: str
    currencies: list[str]
    has_any: bool  # whether anything was ever drafted, issued or paid, as far as these figures go back
    outstanding_minor: int
    outstanding_count: int
    overdue_minor: int
    overdue_count: int
    oldest_due_date: date | None
    draft_minor: int
    draft_count: int
    paid_this_month_minor: int
    months: list[dict[str, Any]] = field(default_factory=list)  # month, invoiced_minor, paid_minor
    ageing: list[dict[str, Any]] = field(default_factory=list)  # bucket, owed_minor, count
    top_customers: list[dict[str, Any]] = field(
        default_factory=list
    )  # customer_id, customer_name, invoiced_minor


async def load_overview(ctx: Ctx, *, currency: str | None) -> Overview:
    """Return the figures of a currency; without one, of that in which most was written in the last twelve months.

    Cost:    6 queries, however many invoices; each is answered from an index.
    """
    seller = await ctx.db.one(q.seller_get)
    today = today_in(seller["time_zone"], now=ctx.now())
    months = months_until(today)
    owed = await ctx.db.all(q.figures_owed, today=today)
    drafts = await ctx.db.all(q.figures_drafts)
    invoiced = await ctx.db.all(q.figures_invoiced, since=months[0])
    paid = await ctx.db.all(q.figures_paid, since=months[0])
    counts: dict[str, int] = {}
    for row in (*owed, *drafts, *invoiced, *paid):
        counts[row["currency"]] = counts.get(row["currency"], 0) + row["count"]
    currencies = sorted(counts, key=lambda code: (-counts[code], code))
    chosen = currency or (currencies[0] if currencies else FALLBACK_CURRENCY)
    top = await ctx.db.all(q.figures_customers, currency=chosen, since=months[0])
    by_bucket = {row["bucket"]: row for row in _of(chosen, owed)}
    late = [row for bucket, row in by_bucket.items() if bucket]
    invoiced_in = {row["month"]: row["amount_minor"] for row in _of(chosen, invoiced)}
    paid_in = {row["month"]: row["amount_minor"] for row in _of(chosen, paid)}
    return Overview(
        today=today,
        currency=chosen,
        currencies=currencies or [chosen],
        has_any=bool(counts),
        outstanding_minor=sum(row["owed_minor"] for row in by_bucket.values()),
        outstanding_count=sum(row["count"] for row in by_bucket.values()),
        overdue_minor=sum(row["owed_minor"] for row in late),
        overdue_count=sum(row["count"] for row in late),
        oldest_due_date=min((row["first_due_date"] for row in late), default=None),
        draft_minor=sum(row["amount_minor"] for row in _of(chosen, drafts)),
        draft_count=sum(row["count"] for row in _of(chosen, drafts)),
        paid_this_month_minor=paid_in.get(months[-1], 0),
        months=[
            {"month": month, "invoiced_minor": invoiced_in.get(month, 0), "paid_minor": paid_in.get(month, 0)}
            for month in months
        ],
        ageing=[
            {
                "bucket": name,
                "owed_minor": by_bucket[n]["owed_minor"] if n in by_bucket else 0,
                "count": by_bucket[n]["count"] if n in by_bucket else 0,
            }
            for n, name in enumerate(BUCKETS)
        ],
        top_customers=[dict(row) for row in top],
    )


def _of(currency: str, rows: Iterable[Any]) -> list[Any]:
    return [row for row in rows if row["currency"] == currency]

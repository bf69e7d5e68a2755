"""Tax by period, category and rate: what invoices added less what credit notes took back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.reports.ageing import read_day
from shipworthy.rooms.invoicing.reports.period import PERIODS, period_end, period_label
from shipworthy.rooms.invoicing.seller import get_seller

YEARS_MAX = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxSummary:
    """Rows by currency, period, category and rate, and a row per currency and period that adds them up.

    `closed_until`: nothing can be added any more to what is dated on this day or before it.
    """

    first: date
    last: date
    per: str
    closed_until: date | None
    seller: dict[str, str]  # whose taxes these are
    rows: list[dict[str, Any]]
    totals: list[dict[str, Any]]


async def load_taxes(ctx: Ctx, *, first: str, last: str, per: str) -> TaxSummary:
    """Return the tax of what was issued from day to day; left empty, this year's until today.

    Void invoices count for nothing. A period at either end may be cut by the days that are asked for.

    Errors:  Invalid `invoicing.report_invalid`.
    Cost:    4 queries.
    """
    seller = await ctx.db.one(q.seller_get)
    today = today_in(seller["time_zone"], now=ctx.now())
    last_day = read_day(last, "last", latest=today) or today
    first_day = read_day(first, "first", latest=last_day) or date(last_day.year, 1, 1)
    if last_day.year - first_day.year >= YEARS_MAX:
        said = _("At most {count} years at once.", count=YEARS_MAX)
        raise Invalid("invoicing.report_invalid", said, fields={"first": said})
    if per not in PERIODS:
        said = _("One of {choices}.", choices=", ".join(PERIODS))
        raise Invalid("invoicing.report_invalid", said, fields={"per": said})
    state = await ctx.db.one(q.books_state)
    found = await ctx.db.all(q.tax_summary, first=first_day, last=last_day, per=per)
    closed_until = state["closed_until"]
    rows = [_row(row, per=per, closed_until=closed_until) for row in found]
    seller_said = await get_seller(ctx)
    return TaxSummary(
        first=first_day,
        last=last_day,
        per=per,
        closed_until=closed_until,
        seller={name: seller_said[name] for name in ("name", "vat_id", "tax_number", "registration_id")},
        rows=rows,
        totals=_totals(rows),
    )


def _row(row: Any, *, per: str, closed_until: date | None) -> dict[str, Any]:
    end = period_end(row["period"], per=per)
    is_closed = closed_until is not None and end <= closed_until
    return {**row, "label": period_label(row["period"], per=per), "is_closed": is_closed}


def _totals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    totals: dict[tuple[str, date], dict[str, Any]] = {}
    for row in rows:
        same = {name: row[name] for name in ("currency", "period", "label", "is_closed")}
        total = totals.setdefault((row["currency"], row["period"]), {**same, "base_minor": 0, "tax_minor": 0})
        total["base_minor"] += row["base_minor"]
        total["tax_minor"] += row["tax_minor"]
    return list(totals.values())

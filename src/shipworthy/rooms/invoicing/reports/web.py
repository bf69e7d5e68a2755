"""HTTP for the figures: the first page, the two reports, and each of them as JSON and as CSV."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import urlencode

from msgspec import Meta, Struct

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.reply import File, Page
from shipworthy.kernel.language import _, mark, month_text, spoken
from shipworthy.kernel.money.currencies import CURRENCIES
from shipworthy.kernel.money.format import format_amount
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing.csv_text import MEDIA_TYPE, csv_bytes, major
from shipworthy.rooms.invoicing.permissions import may_write
from shipworthy.rooms.invoicing.reports.ageing import BUCKET_LABELS, Ageing, load_ageing
from shipworthy.rooms.invoicing.reports.charts import bar_chart, share
from shipworthy.rooms.invoicing.reports.overview import BUCKETS, Overview, load_overview
from shipworthy.rooms.invoicing.reports.taxes import TaxSummary, load_taxes
from shipworthy.rooms.invoicing.shown import tax_label

AGEING_ROWS_SHOWN = 200
_PERIOD_LABELS = {"month": mark("Month"), "quarter": mark("Quarter"), "year": mark("Year")}

Day = Annotated[str, Meta(max_length=20, description="YYYY-MM-DD")]


class OverviewQuery(Struct):
    currency: Annotated[str, Meta(max_length=10)] = ""

    def chosen(self) -> str | None:
        code = self.currency.strip().upper()
        if code and code not in CURRENCIES:
            said = _("Write the code of a currency, such as EUR.")
            raise Invalid("invoicing.report_invalid", said, fields={"currency": said})
        return code or None


class AgeingQuery(Struct):
    as_of: Day = ""


class TaxQuery(Struct):
    first: Day = ""
    last: Day = ""
    per: Annotated[str, Meta(max_length=10)] = "quarter"


async def overview_page(ctx: Ctx, query: OverviewQuery) -> Page:
    figures = await load_overview(ctx, currency=query.chosen())
    data = {
        "figures": figures,
        "tabs": [{"key": code, "href": f"/overview?currency={code}", "label": code} for code in figures.currencies],
        "months": _months(figures),
        "chart": bar_chart(
            [(m["invoiced_minor"], m["paid_minor"]) for m in figures.months], series=("invoiced", "paid")
        ),
        "ageing": _ageing_bars(figures),
        "top": _top_bars(figures),
        "oldest_days": (figures.today - figures.oldest_due_date).days if figures.oldest_due_date else 0,
        "may_write": may_write(ctx),
    }  # fmt: skip
    return Page("invoicing/overview.html", data, title=_("Overview"), section="overview")


async def api_overview(ctx: Ctx, query: OverviewQuery) -> Any:
    return asdict(await load_overview(ctx, currency=query.chosen()))


async def ageing_page(ctx: Ctx, query: AgeingQuery) -> Page:
    try:
        report = await load_ageing(ctx, as_of=query.as_of)
    except Invalid as refused:
        raise refused.shown_on(_ageing_page(query, None, refused.fields)) from None
    return _ageing_page(query, report, {})


async def api_ageing(ctx: Ctx, query: AgeingQuery) -> Any:
    return asdict(await load_ageing(ctx, as_of=query.as_of))


async def ageing_csv(ctx: Ctx, query: AgeingQuery) -> File:
    report = await load_ageing(ctx, as_of=query.as_of)
    rows: list[list[object]] = [["as_of", "customer_id", "customer", "currency", *BUCKETS, "total"]]
    for row in report.rows:
        currency = row["currency"]
        amounts = [major(row[name], currency=currency) for name in (*BUCKETS, "total_minor")]
        rows.append([report.as_of, row["customer_id"], row["customer_name"], currency, *amounts])
    return _download(rows, f"ageing-{report.as_of}.csv")


async def taxes_page(ctx: Ctx, query: TaxQuery) -> Page:
    try:
        report = await load_taxes(ctx, first=query.first, last=query.last, per=query.per)
    except Invalid as refused:
        raise refused.shown_on(_taxes_page(query, None, refused.fields)) from None
    return _taxes_page(query, report, {})


async def api_taxes(ctx: Ctx, query: TaxQuery) -> Any:
    return asdict(await load_taxes(ctx, first=query.first, last=query.last, per=query.per))


async def taxes_csv(ctx: Ctx, query: TaxQuery) -> File:
    report = await load_taxes(ctx, first=query.first, last=query.last, per=query.per)
    rows: list[list[object]] = [
        ["period", "currency", "tax_category", "tax_rate_percent", "net", "tax", "books_closed"]
    ]
    for row in report.rows:
        currency = row["currency"]
        net, tax = (major(row[name], currency=currency) for name in ("base_minor", "tax_minor"))
        rate = major(row["tax_rate_bp"], currency="EUR")  # basis points are hundredths, too
        closed = "yes" if row["is_closed"] else "no"
        rows.append([row["label"], currency, row["tax_category"], rate, net, tax, closed])
    return _download(rows, f"tax-{report.first}-{report.last}.csv")


def _ageing_page(query: AgeingQuery, report: Ageing | None, errors: dict[str, str]) -> Page:
    data = {
        "report": report,
        "rows": report.rows[:AGEING_ROWS_SHOWN] if report else [],
        "hidden": max(0, len(report.rows) - AGEING_ROWS_SHOWN) if report else 0,
        "buckets": [[name, _(BUCKET_LABELS[name])] for name in BUCKETS],
        "columns": [{"label": _(BUCKET_LABELS[name]), "align": "end"} for name in BUCKETS],
        "as_of": query.as_of or (report.as_of.isoformat() if report else ""),
        "csv": f"/reports/ageing.csv?{urlencode({'as_of': report.as_of.isoformat()})}" if report else "",
        "errors": errors,
    }
    return Page("invoicing/ageing.html", data, title=_("Ageing"), section="reports")


def _taxes_page(query: TaxQuery, report: TaxSummary | None, errors: dict[str, str]) -> Page:
    rows, totals = (report.rows, report.totals) if report else ([], [])
    first, last = (report.first.isoformat(), report.last.isoformat()) if report else (query.first, query.last)
    asked = urlencode({"first": first, "last": last, "per": query.per})
    data = {
        "report": report,
        "groups": [
            {
                **total,
                "rows": [
                    {**row, "what": tax_label(row["tax_category"], row["tax_rate_bp"], locale=spoken())}
                    for row in rows
                    if (row["currency"], row["period"]) == (total["currency"], total["period"])
                ],
            }
            for total in totals
        ],
        "first": first,
        "last": last,
        "per": query.per,
        "periods": [[per, _(label)] for per, label in _PERIOD_LABELS.items()],
        "csv": f"/reports/tax.csv?{asked}" if report else "",
        "errors": errors,
        "labels": {"first": _("From"), "last": _("Until"), "per": _("By")},
    }
    return Page("invoicing/taxes.html", data, title=_("Tax summary"), section="reports")


def _months(figures: Overview) -> list[dict[str, str]]:
    def amount(minor: int) -> str:
        return format_amount(minor, currency=figures.currency, locale=spoken())

    return [
        {
            "label": month_text(row["month"]),
            "name": month_text(row["month"], is_long=True),
            "invoiced": amount(row["invoiced_minor"]),
            "paid": amount(row["paid_minor"]),
        }
        for row in figures.months
    ]


def _ageing_bars(figures: Overview) -> list[dict[str, Any]]:
    most = max(row["owed_minor"] for row in figures.ageing)
    return [
        {
            "label": _(BUCKET_LABELS[row["bucket"]]),
            "minor": row["owed_minor"],
            "width": share(row["owed_minor"], of=most),
            "is_late": row["bucket"] != "current",
        }
        for row in figures.ageing
    ]


def _top_bars(figures: Overview) -> list[dict[str, Any]]:
    most = max((row["invoiced_minor"] for row in figures.top_customers), default=0)
    return [
        {
            "label": row["customer_name"],
            "href": f"/customers/{row['customer_id']}",
            "minor": row["invoiced_minor"],
            "width": share(row["invoiced_minor"], of=most),
            "is_late": False,
        }
        for row in figures.top_customers
    ]


def _download(rows: list[list[object]], name: str) -> File:
    headers = (
        ("content-disposition", f'attachment; filename="{name}"'),
        ("cache-control", "private, no-store"),
    )
    return File(csv_bytes(rows), MEDIA_TYPE, headers=headers)


# queries_max counts the session's look-up and touch (2).
ROUTES = (
    route("GET", "/overview", overview_page, title="Overview", media="html", permission="invoice.read",
          query=OverviewQuery, queries_max=8),
    route("GET", "/reports/ageing", ageing_page, title="Ageing", media="html", permission="invoice.read",
          query=AgeingQuery, queries_max=4),
    route("GET", "/reports/ageing.csv", ageing_csv, title="Ageing as CSV", media="file", permission="invoice.read",
          query=AgeingQuery, queries_max=4),
    route("GET", "/reports/tax", taxes_page, title="Tax summary", media="html", permission="invoice.read",
          query=TaxQuery, queries_max=6),
    route("GET", "/reports/tax.csv", taxes_csv, title="Tax summary as CSV", media="file", permission="invoice.read",
          query=TaxQuery, queries_max=6),
    route("GET", "/api/reports/overview", api_overview, title="Read the figures", permission="invoice.read",
          query=OverviewQuery, queries_max=8),
    route("GET", "/api/reports/ageing", api_ageing, title="Read what is owed as of a day", permission="invoice.read",
          query=AgeingQuery, queries_max=4),
    route("GET", "/api/reports/tax", api_taxes, title="Read the tax by period", permission="invoice.read",
          query=TaxQuery, queries_max=6),
)  # fmt: skip

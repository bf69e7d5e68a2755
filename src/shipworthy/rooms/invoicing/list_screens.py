"""The lists as pages: what is looked for stands in the address, and every part of it can be taken off again."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import urlencode

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.reply import Page
from shipworthy.kernel.language import _, day_text, mark, spoken
from shipworthy.kernel.money.format import format_decimal
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing.bodies import CustomerListQuery, InvoiceListQuery
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.forms import currency_choices
from shipworthy.rooms.invoicing.listing import Slice, list_customers, list_invoices
from shipworthy.rooms.invoicing.permissions import may_write
from shipworthy.rooms.invoicing.shown import pager, status_badge
from shipworthy.rooms.invoicing.wanted import EVERYTHING, OVERDUE, STATUSES, Wanted

_TAB_LABELS = {"": mark("All"), "credited": mark("Credit notes"), "uncollectible": mark("Given up")}
_NOTHING = Slice(rows=(), previous_cursor=None, next_cursor=None)


async def invoices_page(ctx: Ctx, query: InvoiceListQuery) -> Page:
    try:
        wanted = query.wanted()
    except Invalid as refused:
        if refused.code != "invoicing.filter_invalid":
            raise
        page = await _invoices_page(ctx, query, EVERYTHING, _NOTHING, errors=refused.fields)
        raise refused.shown_on(page) from None
    return await _invoices_page(ctx, query, wanted, await list_invoices(ctx, wanted, cursor=query.cursor))


async def customers_page(ctx: Ctx, query: CustomerListQuery) -> Page:
    text = query.text()
    shown = await list_customers(ctx, text=text, cursor=query.cursor)
    data = {
        "customers": [dict(row) for row in shown.rows],
        "text": text,
        "may_write": may_write(ctx),
        **pager("/customers", shown, q=text),
    }
    return Page("invoicing/customers.html", data, title=_("Customers"), section="customers")


async def _invoices_page(
    ctx: Ctx, query: InvoiceListQuery, wanted: Wanted, shown: Slice, *, errors: dict[str, str] | None = None
) -> Page:
    counts = await ctx.db.one(q.invoice_counts)
    today = today_in(counts["time_zone"], now=ctx.now())
    asked = query.asked()
    chips = await _chips(ctx, wanted, shown, asked)
    data = {
        "invoices": [{**row, "badge": status_badge(row["status"], row["due_date"] < today)} for row in shown.rows],
        "tabs": _tabs(counts["drafts"], counts["unpaid"], asked),
        "status": query.status or "",
        "chips": chips,
        "asked": asked,
        "kept": {name: value for name, value in asked.items() if name != "q"},
        "panel_kept": {name: asked[name] for name in ("status", "q", "customer_id") if name in asked},
        "is_narrowed": wanted.is_narrowed,
        "is_partial": shown.is_partial,
        "errors": errors or {},
        "labels": {name: _(label) for name, label in _LABELS.items()},
        "currencies": [("", _("Any")), *currency_choices()],
        "may_write": may_write(ctx),
        **pager("/invoices", shown, **asked),
    }  # fmt: skip
    return Page("invoicing/invoices.html", data, title=_("Invoices"), section="invoices")


def _tabs(drafts: int, unpaid: int, asked: dict[str, str]) -> list[dict[str, str]]:
    """Return a tab for each status; what else is asked for stays."""
    counts = {"draft": drafts, "open": unpaid}
    tabs = []
    for status in ("", *STATUSES[:2], OVERDUE, *STATUSES[2:]):
        tab = {"key": status, "href": _address({**asked, "status": status})}
        tab["label"] = _(_TAB_LABELS.get(status, status.capitalize()))
        if count := counts.get(status):
            tab["count"] = "99+" if count > 99 else str(count)
        tabs.append(tab)
    return tabs


async def _chips(ctx: Ctx, wanted: Wanted, shown: Slice, asked: dict[str, str]) -> list[dict[str, str]]:
    """Return what narrows the list, each with the address of the list without it."""
    texts = {
        "q": f"\N{LEFT DOUBLE QUOTATION MARK}{wanted.text}\N{RIGHT DOUBLE QUOTATION MARK}" if wanted.text else "",
        "customer_id": await _customer_name(ctx, wanted, shown),
        "issued_from": _("From {day}", day=day_text(wanted.issued_from)) if wanted.issued_from else "",
        "issued_to": _("Until {day}", day=day_text(wanted.issued_to)) if wanted.issued_to else "",
        "amount_min": _amount(mark("At least {amount}"), wanted.amount_min),
        "amount_max": _amount(mark("At most {amount}"), wanted.amount_max),
        "currency": wanted.currency or "",
    }  # fmt: skip
    return [{"label": text, "href": _address({**asked, name: ""})} for name, text in texts.items() if text]


async def _customer_name(ctx: Ctx, wanted: Wanted, shown: Slice) -> str:
    if wanted.customer_id is None:
        return ""
    if shown.rows:
        return str(shown.rows[0]["customer_name"])
    row = await ctx.db.maybe(q.customer_get, customer_id=wanted.customer_id)
    return str(row["name"]) if row else _("A customer that is not yours")


def _amount(said: str, amount: Decimal | None) -> str:
    return "" if amount is None else _(said, amount=format_decimal(amount, locale=spoken(), decimals_min=2))


def _address(parts: dict[str, str]) -> str:
    """Return the list's address with these parts, from its first page on."""
    said = urlencode({name: value for name, value in parts.items() if value})
    return f"/invoices?{said}" if said else "/invoices"


_LABELS = {
    "issued_from": mark("Issued from"),
    "issued_to": mark("Issued until"),
    "amount_min": mark("Total from"),
    "amount_max": mark("Total up to"),
    "customer_id": mark("Customer"),
}

# queries_max counts the session's look-up and touch (2), what a text means (1) and what day it is (1).
ROUTES = (
    route("GET", "/invoices", invoices_page, title="Invoices", media="html", permission="invoice.read",
          query=InvoiceListQuery, slo="invoice_list", queries_max=7),
    route("GET", "/customers", customers_page, title="Customers", media="html", permission="customer.read",
          query=CustomerListQuery, queries_max=3),
)  # fmt: skip

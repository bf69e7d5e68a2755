"""HTTP for people: the same capabilities as the API, as pages and forms."""

from __future__ import annotations

import uuid
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.money.format import Locale
from shipworthy.rooms.invoicing.bodies import CustomerBody
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.customers import create_customer, get_customer
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.draft import create_draft, delete_draft, edit_draft
from shipworthy.rooms.invoicing.finalise import finalise
from shipworthy.rooms.invoicing.forms import (
    InvoiceForm,
    currency_choices,
    empty_form,
    error_labels,
    form_errors,
    form_of,
    totals_so_far,
)
from shipworthy.rooms.invoicing.invoice import Invoice, load_invoice, wrong_status
from shipworthy.rooms.invoicing.listing import STATUSES, Slice, list_customers, list_invoices
from shipworthy.rooms.invoicing.permissions import may_write
from shipworthy.rooms.invoicing.settle import pay, void
from shipworthy.rooms.invoicing.shown import summary, totals_rows
from shipworthy.rooms.invoicing.tax_choices import tax_choices, tax_value
from shipworthy.rooms.invoicing.versions import Stale

Cursor = Annotated[str, msgspec.Meta(max_length=1000)]


class InvoiceListQuery(msgspec.Struct):
    status: str | None = None
    cursor: Cursor | None = None


class CustomerListQuery(msgspec.Struct):
    cursor: Cursor | None = None


class NewInvoiceQuery(msgspec.Struct):
    customer_id: Annotated[str, msgspec.Meta(max_length=36)] = ""


class SeenVersion(Body):
    """The version a button was shown for."""

    version: int | None = None


async def invoices_page(ctx: Ctx, query: InvoiceListQuery) -> Page:
    shown = await list_invoices(ctx, status=query.status, cursor=query.cursor)
    counts = await ctx.db.one(q.invoice_counts)
    today = today_in(counts["time_zone"], now=ctx.now())
    invoices = [{**row, "badge": _badge(row["status"], row["due_date"] < today)} for row in shown.rows]
    tabs = [{"key": "", "href": "/invoices", "label": "All"}]
    for status in STATUSES:
        tab = {"key": status, "href": f"/invoices?status={status}", "label": status.capitalize()}
        count = {"draft": counts["drafts"], "open": counts["unpaid"]}.get(status)
        tabs.append(tab if not count else {**tab, "count": "99+" if count > 99 else str(count)})
    data = {
        "invoices": invoices,
        "tabs": tabs,
        "status": query.status or "",
        "may_write": may_write(ctx),
        **_pager("/invoices", shown, status=query.status),
    }
    return Page("invoicing/invoices.html", data, title="Invoices", section="invoices")


async def invoice_page(ctx: Ctx, invoice_id: uuid.UUID) -> Page:
    invoice = await load_invoice(ctx, invoice_id)
    seller = await ctx.db.one(q.seller_get)
    is_late = invoice.due_date < today_in(seller["time_zone"], now=ctx.now())
    rows, last = summary(
        invoice.net_minor,
        invoice.taxes,
        invoice.gross_minor,
        currency=invoice.currency,
        locale=_locale(ctx),
    )
    data = {
        "invoice": _fields(invoice),
        "badge": _badge(invoice.status, is_late),
        "seller": invoice.seller or dict(seller),
        "buyer": invoice.buyer or {"name": invoice.customer_name},
        "totals": {"rows": rows, "last": last},
        "may_write": may_write(ctx),
    }
    title = f"Invoice {invoice.number}" if invoice.number else "Draft invoice"
    return Page("invoicing/invoice.html", data, title=title, section="invoices")


async def invoice_document_part(ctx: Ctx, invoice_id: uuid.UUID) -> Page:
    """The PDF's link, or the word that it is being made; the page asks again until it is there."""
    invoice = await load_invoice(ctx, invoice_id)
    return Page("invoicing/document.html", {"invoice": _fields(invoice)})


async def new_invoice_page(ctx: Ctx, query: NewInvoiceQuery) -> Page:
    seller = await ctx.db.one(q.seller_get)
    standard_rate = tax_choices(seller["country"], locale=_locale(ctx))[0][0]
    return await _form_page(ctx, empty_form(customer_id=query.customer_id, tax=standard_rate))


async def edit_invoice_page(ctx: Ctx, invoice_id: uuid.UUID) -> Page:
    invoice = await load_invoice(ctx, invoice_id)
    if invoice.status != "draft":
        raise wrong_status(invoice.status, invoice.number, wanted="draft")
    return await _form_page(ctx, form_of(invoice), invoice_id=invoice_id)


async def submit_new_invoice(ctx: Ctx, form: InvoiceForm) -> Redirect:
    try:
        invoice = await create_draft(ctx, form.text())
    except Invalid as refused:
        raise refused.shown_on(await _form_page(ctx, form, errors=refused.fields)) from None
    return Redirect(f"/invoices/{invoice.invoice_id}", flash="Draft saved. It gets its number when you issue it.")


async def submit_invoice(ctx: Ctx, invoice_id: uuid.UUID, form: InvoiceForm) -> Redirect:
    try:
        await edit_draft(ctx, invoice_id, form.text(), version=form.version_seen())
    except Invalid as refused:
        page = await _form_page(ctx, form, invoice_id=invoice_id, errors=refused.fields)
        raise refused.shown_on(page) from None
    except Stale as stale:
        form.version = str(stale.version)
        raise stale.shown_on(await _form_page(ctx, form, invoice_id=invoice_id, is_stale=True)) from None
    return Redirect(f"/invoices/{invoice_id}", flash="Draft saved.")


async def preview_totals(ctx: Ctx, form: InvoiceForm) -> Page:
    """The totals of what is typed so far. Changes nothing."""
    currency = form.currency.strip()
    rows, last = totals_rows(totals_so_far(form), currency=currency, locale=_locale(ctx))
    return Page("invoicing/totals.html", {"totals": {"rows": rows, "last": last}})


async def submit_finalise(ctx: Ctx, invoice_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    issued = await finalise(ctx, invoice_id, version=seen.version)
    return Redirect(f"/invoices/{invoice_id}", flash=f"Issued as {issued.number}. Its PDF is being made.")


async def submit_delete(ctx: Ctx, invoice_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    await delete_draft(ctx, invoice_id, version=seen.version)
    return Redirect("/invoices", flash="The draft is gone.")


async def submit_pay(ctx: Ctx, invoice_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    paid = await pay(ctx, invoice_id, version=seen.version)
    return Redirect(f"/invoices/{invoice_id}", flash=f"Invoice {paid.number} is marked as paid.")


async def submit_void(ctx: Ctx, invoice_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    voided = await void(ctx, invoice_id, version=seen.version)
    return Redirect(f"/invoices/{invoice_id}", flash=f"Invoice {voided.number} is void. It keeps its number.")


async def customers_page(ctx: Ctx, query: CustomerListQuery) -> Page:
    shown = await list_customers(ctx, cursor=query.cursor)
    data = {
        "customers": [dict(row) for row in shown.rows],
        "may_write": may_write(ctx),
        **_pager("/customers", shown),
    }
    return Page("invoicing/customers.html", data, title="Customers", section="customers")


async def customer_page(ctx: Ctx, customer_id: uuid.UUID) -> Page:
    customer = await get_customer(ctx, customer_id)
    counts = await ctx.db.one(q.seller_get)
    today = today_in(counts["time_zone"], now=ctx.now())
    rows = await ctx.db.all(q.invoice_list_of_customer, customer_id=customer_id)
    invoices = [{**row, "badge": _badge(row["status"], row["due_date"] < today)} for row in rows]
    data = {"customer": _texts(customer), "invoices": invoices, "may_write": may_write(ctx)}
    return Page("invoicing/customer.html", data, title=customer["name"], section="customers")


async def new_customer_page(_ctx: Ctx) -> Page:
    return _customer_form(CustomerBody(name="", country="DE"), errors={})


async def submit_new_customer(ctx: Ctx, form: CustomerBody) -> Redirect:
    try:
        customer = await create_customer(ctx, form.text())
    except Invalid as refused:
        raise refused.shown_on(_customer_form(form, errors=refused.fields)) from None
    return Redirect(f"/customers/{customer['customer_id']}", flash=f"{customer['name']} is now a customer.")

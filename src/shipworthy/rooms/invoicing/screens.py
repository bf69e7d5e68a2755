"""HTTP for people: the same capabilities as the API, as pages and forms."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Conflict, Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import LANGUAGE_NAMES, _, day_text, mark, spoken
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing.bodies import CUSTOMER_PERSONAL, CustomerBody
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.customers import create_customer, edit_customer, get_customer
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.document import why_it_waits
from shipworthy.rooms.invoicing.draft import create_draft, delete_draft, edit_draft, typed_for
from shipworthy.rooms.invoicing.einvoice.offered import offered
from shipworthy.rooms.invoicing.finalise import finalise
from shipworthy.rooms.invoicing.forms import (
    FORM_LINES_MAX,
    InvoiceForm,
    Text,
    currency_choices,
    error_labels,
    form_errors,
    form_of,
    line_of,
    product_choices,
    read_day,
    read_id,
    typed_sums,
)
from shipworthy.rooms.invoicing.invoice import load_invoice, wrong_status
from shipworthy.rooms.invoicing.permissions import may_write
from shipworthy.rooms.invoicing.pricing.rounding import RULES
from shipworthy.rooms.invoicing.products.products import get_product, list_products
from shipworthy.rooms.invoicing.rates.choices import tax_choices
from shipworthy.rooms.invoicing.rates.rates import load_rates
from shipworthy.rooms.invoicing.rates.told import reason_texts
from shipworthy.rooms.invoicing.seller import get_seller
from shipworthy.rooms.invoicing.sending.screens import mail_texts
from shipworthy.rooms.invoicing.settle import give_up, pay, void
from shipworthy.rooms.invoicing.shown import (
    happened,
    line_texts,
    settled,
    settlement_texts,
    status_badge,
    sums_of,
)
from shipworthy.rooms.invoicing.tax_ids.proof import proof_of
from shipworthy.rooms.invoicing.tax_ids.web import tax_id_badge
from shipworthy.rooms.invoicing.units import unit_choices
from shipworthy.rooms.invoicing.versions import VERSION_MAX, Stale


class NewInvoiceQuery(msgspec.Struct):
    customer_id: Annotated[str, msgspec.Meta(max_length=36)] = ""


class SeenVersion(Body):
    """The version a button was shown for."""

    version: Annotated[int, msgspec.Meta(ge=1, le=VERSION_MAX)] | None = None


class IssueForm(SeenVersion):
    """The day of issue as it was typed; empty is today."""

    issue_date: Text = ""


async def invoice_page(ctx: Ctx, invoice_id: uuid.UUID) -> Page:
    invoice = await load_invoice(ctx, invoice_id)
    seller = await ctx.db.one(q.seller_get)
    currency, locale = invoice.currency, spoken()
    settlements = await ctx.db.all(q.invoice_settlements, invoice_id=invoice_id)
    credit_minor = 0
    credit_notes = []
    if invoice.number and invoice.kind == "invoice":
        credit_notes = await ctx.db.all(q.credit_notes_of, invoice_id=invoice_id)
    if invoice.status in ("open", "uncollectible"):
        customers = {"customer_id": invoice.customer_id, "currency": currency}
        credit_minor = (await ctx.db.one(q.credit_sum, **customers))["credit_minor"]
    mails = await ctx.db.all(q.mails_of, invoice_id=invoice_id) if invoice.number else []
    is_late = invoice.due_date < today_in(seller["time_zone"], now=ctx.now())
    said_by, said_to = invoice.seller, invoice.buyer
    if said_by is None or said_to is None:  # a draft says what it would say if it were issued now
        said_by, said_to = await get_seller(ctx), await get_customer(ctx, invoice.customer_id)
    data = {
        "invoice": invoice,
        "lines": line_texts(invoice, most=FORM_LINES_MAX, locale=locale),
        "sums": sums_of(invoice, locale=locale),
        "tax_reasons": reason_texts(invoice.tax_reasons),
        "settled": settled(invoice, locale=locale),
        "settlements": settlement_texts(settlements, currency=currency, locale=locale),
        "credit_notes": [dict(row) for row in credit_notes],
        "credit_minor": min(credit_minor, invoice.balance_minor),
        "badge": status_badge(invoice.status, is_late),
        "seller": said_by,
        "buyer": said_to,
        "files": offered(invoice, seller=said_by, buyer=said_to),
        "failure": None if invoice.has_pdf else await ctx.db.maybe(q.pdf_failure_get, invoice_id=invoice_id),
        "waits": await why_it_waits(ctx.db, invoice),
        "mails": mail_texts(ctx, mails, time_zone=seller["time_zone"]),
        "happened": happened(invoice, time_zone=seller["time_zone"]),
        "may_write": may_write(ctx),
    }
    title = _("Draft invoice")
    if invoice.number:
        is_credit = invoice.kind == "credit_note"
        word = mark("Credit note {number}") if is_credit else mark("Invoice {number}")
        title = _(word, number=invoice.number)
    return Page("invoicing/invoice.html", data, title=title, section="invoices")


async def new_invoice_page(ctx: Ctx, query: NewInvoiceQuery) -> Page:
    return await _form_page(ctx, InvoiceForm(customer_id=query.customer_id))


async def edit_invoice_page(ctx: Ctx, invoice_id: uuid.UUID) -> Page:
    invoice = await load_invoice(ctx, invoice_id)
    if invoice.status != "draft":
        raise wrong_status(invoice.status, invoice.number, wanted="draft")
    if len(invoice.lines) > FORM_LINES_MAX:
        raise Conflict(
            "invoicing.too_long_to_edit",
            _(
                "This draft has {count} lines, and the form holds {most}. Replace it through the API, or delete it "
                "and import it again.",
                count=len(invoice.lines),
                most=FORM_LINES_MAX,
            ),
        )
    return await _form_page(ctx, form_of(invoice), invoice_id=invoice_id)


async def submit_new_invoice(ctx: Ctx, form: InvoiceForm) -> Redirect:
    try:
        invoice = await create_draft(ctx, form.text())
    except Invalid as refused:
        raise refused.shown_on(await _form_page(ctx, form, errors=refused.fields)) from None
    return Redirect(
        f"/invoices/{invoice.invoice_id}", flash=_("Draft saved. It gets its number when you issue it.")
    )


async def submit_invoice(ctx: Ctx, invoice_id: uuid.UUID, form: InvoiceForm) -> Redirect:
    try:
        await edit_draft(ctx, invoice_id, form.text(), version=form.version_seen())
    except Invalid as refused:
        page = await _form_page(ctx, form, invoice_id=invoice_id, errors=refused.fields)
        raise refused.shown_on(page) from None
    except Stale as stale:
        form.version = str(stale.version)
        raise stale.shown_on(await _form_page(ctx, form, invoice_id=invoice_id, is_stale=True)) from None
    return Redirect(f"/invoices/{invoice_id}", flash=_("Draft saved."))


async def preview_sums(ctx: Ctx, form: InvoiceForm) -> Page:
    """The sums of what is typed so far. Changes nothing."""
    today, rounding = await typed_for(ctx, read_id(form.customer_id))
    typed = typed_sums(form, await load_rates(ctx), today=today, rounding=rounding)
    return Page("invoicing/sums.html", {"sums": typed})


async def add_product_line(ctx: Ctx, form: InvoiceForm) -> Page:
    """The form again, with a line more: a copy of the product that was picked. Changes nothing."""
    draft_id, product_id = read_id(form.draft_id), read_id(form.product_id)
    if (customer_id := read_id(form.customer_id)) is not None:
        await get_customer(ctx, customer_id)  # a neighbour's is no customer
    if product_id is None:
        return await _form_page(ctx, form, invoice_id=draft_id, errors={"product_id": _("Choose a product")})
    product = await get_product(ctx, product_id)
    form.lines = [*form.written_lines(), line_of(product)]
    return await _form_page(ctx, form, invoice_id=draft_id)


async def submit_finalise(ctx: Ctx, invoice_id: uuid.UUID, seen: IssueForm) -> Redirect:
    issue_date = read_day(seen.issue_date)
    issued = await finalise(ctx, invoice_id, version=seen.version, issue_date=issue_date)
    return Redirect(
        f"/invoices/{invoice_id}", flash=_("Issued as {number}. Its PDF is being made.", number=issued.number)
    )


async def submit_delete(ctx: Ctx, invoice_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    await delete_draft(ctx, invoice_id, version=seen.version)
    return Redirect("/invoices", flash=_("The draft is gone."))


async def submit_pay(ctx: Ctx, invoice_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    paid = await pay(ctx, invoice_id, version=seen.version)
    return Redirect(
        f"/invoices/{invoice_id}", flash=_("Invoice {number} is marked as paid.", number=paid.number)
    )


async def submit_give_up(ctx: Ctx, invoice_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    changed = await give_up(ctx, invoice_id, version=seen.version)
    return Redirect(
        f"/invoices/{invoice_id}",
        flash=_("Invoice {number} is given up. It can still be paid.", number=changed.number),
    )


async def submit_void(ctx: Ctx, invoice_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    voided = await void(ctx, invoice_id, version=seen.version)
    return Redirect(
        f"/invoices/{invoice_id}",
        flash=_("Invoice {number} is void. It keeps its number.", number=voided.number),
    )


async def customer_page(ctx: Ctx, customer_id: uuid.UUID) -> Page:
    customer = await get_customer(ctx, customer_id)
    seller = await ctx.db.one(q.seller_get)
    today = today_in(seller["time_zone"], now=ctx.now())
    proof = await proof_of(ctx, customer["tax_id"])
    rows = await ctx.db.all(q.invoice_list_of_customer, customer_id=customer_id)
    invoices = [{**row, "badge": status_badge(row["status"], row["due_date"] < today)} for row in rows]
    data = {
        "customer": customer,
        "tax_id_badge": tax_id_badge(customer["tax_id"], proof, time_zone=seller["time_zone"]),
        "checks_tax_ids": bool(ctx.runtime.settings.tax.vat_check_url and customer["tax_id"]),
        "since": day_text(today_in(seller["time_zone"], now=customer["created_at"])),
        "invoices": invoices,
        "may_write": may_write(ctx),
    }
    return Page("invoicing/customer.html", data, title=customer["name"], section="customers")


async def new_customer_page(_ctx: Ctx) -> Page:
    return _customer_form(CustomerBody(name="", country="DE"), errors={})


async def submit_new_customer(ctx: Ctx, form: CustomerBody) -> Redirect:
    try:
        customer = await create_customer(ctx, form.text())
    except Invalid as refused:
        raise refused.shown_on(_customer_form(form, errors=refused.fields)) from None
    return Redirect(
        f"/customers/{customer['customer_id']}", flash=_("{name} is now a customer.", name=customer["name"])
    )


async def edit_customer_page(ctx: Ctx, customer_id: uuid.UUID) -> Page:
    customer = await get_customer(ctx, customer_id)
    form = CustomerBody(**{name: customer[name] for name in CustomerBody.__struct_fields__})
    return _customer_form(form, errors={}, customer_id=customer_id)


async def submit_customer(ctx: Ctx, customer_id: uuid.UUID, form: CustomerBody) -> Redirect:
    try:
        customer = await edit_customer(ctx, customer_id, form.text())
    except Invalid as refused:
        page = _customer_form(form, errors=refused.fields, customer_id=customer_id)
        raise refused.shown_on(page) from None
    return Redirect(
        f"/customers/{customer_id}", flash=_("{name} is saved. New invoices say so.", name=customer["name"])
    )


async def _form_page(
    ctx: Ctx,
    form: InvoiceForm,
    *,
    invoice_id: uuid.UUID | None = None,
    errors: dict[str, str] | None = None,
    is_stale: bool = False,
) -> Page:
    today, rounding = await typed_for(ctx, read_id(form.customer_id))
    customers = [(str(row["customer_id"]), row["name"]) for row in await ctx.db.all(q.customer_choices)]
    if form.customer_id and form.customer_id not in dict(customers):
        customers += await _customer_choice(ctx, form.customer_id)
    form.draft_id = str(invoice_id) if invoice_id else ""
    rates = await load_rates(ctx)
    form.lines = form.written_lines() or form.lines[:1]
    form.changes = form.written_changes()
    wrong = form_errors(errors or {})
    data = {
        "products": product_choices(await list_products(ctx)),
        "action": f"/invoices/{invoice_id}" if invoice_id else "/invoices",
        "back": f"/invoices/{invoice_id}" if invoice_id else "/invoices",
        "form": form,
        "errors": wrong,
        "labels": error_labels(wrong),
        "is_stale": is_stale,
        "customers": customers,
        "currencies": currency_choices(),
        "units": unit_choices(),
        "taxes": tax_choices(rates, form.supply_day() or today, locale=spoken(), also=form.taxes_chosen()),
        "sums": typed_sums(form, rates, today=today, rounding=rounding),
    }
    return Page(
        "invoicing/invoice_form.html",
        data,
        title=_("Edit invoice") if invoice_id else _("New invoice"),
        section="invoices",
    )


async def _customer_choice(ctx: Ctx, customer_id: str) -> list[tuple[str, str]]:
    """The customer a form came with, where the list of choices does not reach that far."""
    try:
        row = await ctx.db.maybe(q.customer_get, customer_id=uuid.UUID(customer_id))
    except ValueError:
        return []
    return [(customer_id, row["name"])] if row else []


def _customer_form(
    form: CustomerBody, *, errors: dict[str, str], customer_id: uuid.UUID | None = None
) -> Page:
    labels = {
        "tax_id": _("VAT number"),
        "postal_code": _("Postcode"),
        "buyer_reference": _("Their reference"),
        "rounding": _("Rounding of what is due"),
        "language": _("Language of documents and mails"),
    }
    rules = [("", _("As in your seller details")), *((rule, _(text)) for rule, text in RULES.items())]
    action = f"/customers/{customer_id}" if customer_id else "/customers"
    languages = [("", _("That of their country")), *LANGUAGE_NAMES.items()]
    data = {
        "form": form, "errors": errors, "labels": labels, "action": action, "rules": rules, "languages": languages,
    }  # fmt: skip
    title = _("Edit customer") if customer_id else _("New customer")
    return Page("invoicing/customer_form.html", data, title=title, section="customers")


FORM_EXAMPLE = {
    "customer_id": "$customer_id",
    "currency": "EUR",
    "payment_days": "14",
    "lines": [{"description": "Concept", "quantity": "1.5", "unit_price": "95.00", "tax": "S:1900"}],
    "note": "Thank you.",
}
CUSTOMER_FORM_EXAMPLE = {"name": "Harbour Office Ltd", "email": "office@harbour.example", "country": "DE"}
_DRAFT, _OPEN = {"invoice_id": "draft_invoice_id"}, {"invoice_id": "open_invoice_id"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES = (
    route("GET", "/invoices/new", new_invoice_page, title="New invoice", media="html", permission="invoice.write",
          query=NewInvoiceQuery, queries_max=8),
    route("POST", "/invoices", submit_new_invoice, title="Create a draft", media="html", permission="invoice.write",
          body=InvoiceForm, idempotency="key", effect="create", audit="invoice.created", example=FORM_EXAMPLE,
          queries_max=8),
    route("POST", "/invoices/preview", preview_sums, title="Sums of what is typed", media="html",
          permission="invoice.write", body=InvoiceForm, example=FORM_EXAMPLE, queries_max=5),
    route("POST", "/invoices/lines", add_product_line, title="Add a product to what is typed", media="html",
          permission="invoice.write", body=InvoiceForm, example={**FORM_EXAMPLE, "product_id": "$product_id"},
          queries_max=9),
    route("GET", "/invoices/{invoice_id}", invoice_page, title="Invoice", media="html", permission="invoice.read",
          params={"invoice_id": "invoice_id"}, queries_max=12),
    route("GET", "/invoices/{invoice_id}/edit", edit_invoice_page, title="Edit a draft", media="html",
          permission="invoice.write", params=_DRAFT, queries_max=11),
    route("POST", "/invoices/{invoice_id}", submit_invoice, title="Replace a draft", media="html",
          permission="invoice.write", body=InvoiceForm, idempotency="key", effect="change", audit="invoice.edited",
          params=_DRAFT, example=FORM_EXAMPLE, queries_max=9),
    route("POST", "/invoices/{invoice_id}/finalise", submit_finalise, title="Issue a draft", media="html",
          permission="invoice.write", body=IssueForm, idempotency="key", effect="change", audit="invoice.issued",
          params=_DRAFT, example={}, queries_max=10),
    route("POST", "/invoices/{invoice_id}/delete", submit_delete, title="Delete a draft", media="html",
          permission="invoice.write", body=SeenVersion, idempotency="key", effect="change", audit="invoice.deleted",
          params=_DRAFT, example={}, queries_max=6),
    route("POST", "/invoices/{invoice_id}/pay", submit_pay, title="Mark an invoice as paid", media="html",
          permission="invoice.write", body=SeenVersion, idempotency="key", effect="change", audit="invoice.paid",
          params=_OPEN, example={}, queries_max=9),
    route("POST", "/invoices/{invoice_id}/uncollectible", submit_give_up, title="Give an invoice up", media="html",
          permission="invoice.write", body=SeenVersion, idempotency="key", effect="change",
          audit="invoice.uncollectible", params=_OPEN, example={}, queries_max=6),
    route("POST", "/invoices/{invoice_id}/void", submit_void, title="Void an invoice", media="html",
          permission="invoice.write", body=SeenVersion, idempotency="key", effect="change", audit="invoice.void",
          params={"invoice_id": "voidable_invoice_id"}, example={}, queries_max=6),
    route("GET", "/customers/new", new_customer_page, title="New customer", media="html",
          permission="customer.write", queries_max=2),
    route("GET", "/customers/{customer_id}", customer_page, title="Customer", media="html",
          permission="customer.read", params={"customer_id": "customer_id"}, queries_max=6),
    route("GET", "/customers/{customer_id}/edit", edit_customer_page, title="Edit a customer", media="html",
          permission="customer.write", params={"customer_id": "customer_id"}, queries_max=3),
    route("POST", "/customers/{customer_id}", submit_customer, title="Replace a customer", media="html",
          permission="customer.write", body=CustomerBody, idempotency="key", effect="change", audit="customer.edited",
          params={"customer_id": "customer_id"}, example=CUSTOMER_FORM_EXAMPLE, personal=CUSTOMER_PERSONAL,
          queries_max=8),
    route("POST", "/customers", submit_new_customer, title="Create a customer", media="html",
          permission="customer.write", body=CustomerBody, idempotency="key", effect="create",
          audit="customer.created", example=CUSTOMER_FORM_EXAMPLE, personal=CUSTOMER_PERSONAL, queries_max=8),
)  # fmt: skip

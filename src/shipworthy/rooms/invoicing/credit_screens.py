"""The page on which an invoice is credited: its lines, and how much of each is taken back."""

from __future__ import annotations

import uuid
from typing import Annotated

from msgspec import Meta, field

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Conflict, Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _, spoken
from shipworthy.kernel.money.format import format_amount, format_decimal
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing.bodies import decimal_text
from shipworthy.rooms.invoicing.credit_notes import (
    CREDITABLE,
    CreditText,
    credit_invoice,
    load_invoiced_lines,
)
from shipworthy.rooms.invoicing.forms import FORM_LINES_MAX, Text
from shipworthy.rooms.invoicing.invoice import Invoice, load_invoice, wrong_status
from shipworthy.rooms.invoicing.pricing.credit import InvoicedLine
from shipworthy.rooms.invoicing.units import with_unit
from shipworthy.rooms.invoicing.versions import VERSION_MAX


class CreditLineForm(Body):
    line_no: Annotated[str, Meta(pattern="^[0-9]{1,4}$")] = "0"
    quantity: Text = ""


class CreditForm(Body):
    """Everything is text, so that a refused form shows what was typed."""

    lines: list[CreditLineForm] = field(default_factory=list)
    note: Text = ""
    version: Annotated[int, Meta(ge=1, le=VERSION_MAX)] | None = None


async def new_credit_page(ctx: Ctx, invoice_id: uuid.UUID) -> Page:
    invoice = await load_invoice(ctx, invoice_id)
    if invoice.status not in CREDITABLE:
        raise wrong_status(invoice.status, invoice.number, wanted="open")
    lines = await _lines_left(ctx, invoice)
    form = CreditForm(
        lines=[CreditLineForm(line_no=str(line.line_no), quantity=decimal_text(line.left)) for line in lines],
        version=invoice.version,
    )
    return _form_page(ctx, invoice, lines, form)


async def submit_credit(ctx: Ctx, invoice_id: uuid.UUID, form: CreditForm) -> Redirect:
    written = {int(line.line_no): line.quantity for line in form.lines}
    text = CreditText(quantities=written or None, note=form.note)
    try:
        credit_note = await credit_invoice(ctx, invoice_id, text, version=form.version)
    except Invalid as refused:
        invoice = await load_invoice(ctx, invoice_id)
        lines = await _lines_left(ctx, invoice)
        raise refused.shown_on(_form_page(ctx, invoice, lines, form, errors=refused.fields)) from None
    said = _("Credit note {number} is issued. Its PDF is being made.", number=credit_note.number)
    if credit_note.balance_minor:
        currency = (await load_invoice(ctx, invoice_id)).currency
        amount = _money(credit_note.balance_minor, currency)
        said += " " + _("{amount} of it is the customer's credit.", amount=amount)
    return Redirect(f"/invoices/{credit_note.invoice_id}", flash=said)


async def _lines_left(ctx: Ctx, invoice: Invoice) -> list[InvoicedLine]:
    lines = [line for line in await load_invoiced_lines(ctx, invoice.invoice_id) if line.left]
    if not lines:
        raise Conflict(
            "invoicing.nothing_to_credit",
            _("Nothing is left to credit of invoice {number}.", number=invoice.number),
        )
    return lines


def _form_page(
    ctx: Ctx,
    invoice: Invoice,
    lines: list[InvoicedLine],
    form: CreditForm,
    *,
    errors: dict[str, str] | None = None,
) -> Page:
    locale = spoken()
    typed = {line.line_no: line.quantity for line in form.lines}
    wrong = errors or {}
    shown = [
        {
            "line_no": line.line_no,
            "description": line.line.description,
            "price": format_decimal(line.line.unit_price, locale=locale, decimals_min=invoice.exponent),
            "left": with_unit(format_decimal(line.left, locale=locale), line.line.unit, locale=locale),
            "quantity": typed.get(str(line.line_no), ""),
            "error": wrong.get(f"lines[{line.line_no}].quantity", ""),
        }
        for line in (lines if len(lines) <= FORM_LINES_MAX else ())
    ]
    # The form's fields are counted as they stand on the page; a refusal counts as the invoice does.
    at = {line.line_no: index for index, line in enumerate(lines)}
    errors_here = {
        f"lines[{at[line.line_no]}].quantity": wrong[f"lines[{line.line_no}].quantity"]
        for line in lines
        if f"lines[{line.line_no}].quantity" in wrong
    }
    if "note" in wrong:
        errors_here["note"] = wrong["note"]
    data = {
        "invoice": invoice,
        "lines": shown,
        "count": len(lines),
        "form": form,
        "errors": errors_here,
        "labels": {
            f"lines[{index}].quantity": _("Line {number}", number=number) for number, index in at.items()
        },
    }
    return Page("invoicing/credit_form.html", data, title=_("Credit an invoice"), section="invoices")


def _money(amount_minor: int, currency: str) -> str:
    return format_amount(amount_minor, currency=currency, locale=spoken())


_OPEN = {"invoice_id": "open_invoice_id"}

# queries_max counts the session's look-up and touch (2) and the key's claim and finish (2).
ROUTES = (
    route("GET", "/invoices/{invoice_id}/credit", new_credit_page, title="Credit an invoice", media="html",
          permission="invoice.write", params=_OPEN, queries_max=6),
    route("POST", "/invoices/{invoice_id}/credit", submit_credit, title="Credit an invoice", media="html",
          permission="invoice.write", body=CreditForm, idempotency="key", effect="create", audit="invoice.credited",
          params=_OPEN, example={"lines": [{"line_no": "1", "quantity": "0.1"}], "note": "Returned."}, queries_max=22),
)  # fmt: skip

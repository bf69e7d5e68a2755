"""Pages of money that came: what was paid, what for, and taking it back."""

from __future__ import annotations

import uuid
from datetime import date

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _, mark, spoken
from shipworthy.kernel.money.format import format_amount
from shipworthy.kernel.money.parse import parse_minor
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing.bodies import PaymentListQuery, ReversalBody, UseCreditBody
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.forms import Text
from shipworthy.rooms.invoicing.invoice import Invoice, load_invoice, wrong_status
from shipworthy.rooms.invoicing.listing import list_payments
from shipworthy.rooms.invoicing.payments import (
    PAYABLE,
    PaymentText,
    load_payment,
    record_payment,
    reverse_payment,
    use_credit,
)
from shipworthy.rooms.invoicing.permissions import may_write
from shipworthy.rooms.invoicing.shown import METHOD_LABELS, amount_text, pager


class PaymentForm(Body):
    """Everything is text, so that a refused form shows what was typed."""

    amount: Text = ""
    paid_on: Text = ""
    method: Text = "transfer"
    reference: Text = ""


async def payments_page(ctx: Ctx, query: PaymentListQuery) -> Page:
    shown = await list_payments(ctx, cursor=query.cursor)
    payments = [
        {**row, "badge": _badge(row["reversed_at"] is not None, row["amount_minor"] - row["allocated_minor"])}
        for row in shown.rows
    ]
    data = {
        "payments": payments,
        "methods": {name: _(label) for name, label in METHOD_LABELS.items()},
        **pager("/payments", shown),
    }
    return Page("invoicing/payments.html", data, title=_("Payments"), section="payments")


async def payment_page(ctx: Ctx, payment_id: uuid.UUID) -> Page:
    payment = await load_payment(ctx, payment_id)
    data = {
        "payment": payment,
        "method": _(METHOD_LABELS[payment.method]),
        "badge": _badge(payment.reversed_at is not None, payment.rest_minor),
        "may_write": may_write(ctx),
    }
    return Page("invoicing/payment.html", data, title=_("Payment"), section="payments")


async def new_payment_page(ctx: Ctx, invoice_id: uuid.UUID) -> Page:
    invoice = await _payable(ctx, invoice_id)
    seller = await ctx.db.one(q.seller_get)
    today = today_in(seller["time_zone"], now=ctx.now())
    owed = amount_text(invoice.balance_minor, currency=invoice.currency)
    return _form_page(invoice, PaymentForm(amount=owed, paid_on=today.isoformat()))


async def submit_payment(ctx: Ctx, invoice_id: uuid.UUID, form: PaymentForm) -> Redirect:
    invoice = await _payable(ctx, invoice_id)
    try:
        recorded = await record_payment(ctx, _read(form, invoice))
    except Invalid as refused:
        raise refused.shown_on(_form_page(invoice, form, errors=refused.fields)) from None
    said = _(
        "{amount} of invoice {number} is paid.",
        amount=_money(recorded.allocated_minor, invoice.currency),
        number=invoice.number,
    )
    if recorded.rest_minor:
        more = _money(recorded.rest_minor, invoice.currency)
        said += " " + _("{amount} more came: it is the customer's credit.", amount=more)
    return Redirect(f"/invoices/{invoice_id}", flash=said)


async def submit_use_credit(ctx: Ctx, invoice_id: uuid.UUID, form: UseCreditBody) -> Redirect:
    changed = await use_credit(ctx, invoice_id, amount_minor=form.amount_minor)
    said = (
        _("Invoice {number} is paid with the credit.", number=changed.number)
        if changed.status == "paid"
        else _("Invoice {number} is paid in part with the credit.", number=changed.number)
    )
    return Redirect(f"/invoices/{invoice_id}", flash=said)


async def submit_reversal(ctx: Ctx, payment_id: uuid.UUID, form: ReversalBody) -> Redirect:
    reopened = await reverse_payment(ctx, payment_id, reason=form.reason)
    numbers = ", ".join(row["number"] for row in reopened)
    said = (
        _("The payment is taken back. Owed again: {numbers}.", numbers=numbers)
        if numbers
        else _("The payment is taken back.")
    )
    return Redirect(f"/payments/{payment_id}", flash=said)


async def _payable(ctx: Ctx, invoice_id: uuid.UUID) -> Invoice:
    invoice = await load_invoice(ctx, invoice_id)
    if invoice.status not in PAYABLE:
        raise wrong_status(invoice.status, invoice.number, wanted="open")
    return invoice


def _read(form: PaymentForm, invoice: Invoice) -> PaymentText:
    wrong: dict[str, str] = {}
    amount, paid_on = 0, None
    try:
        amount = parse_minor(form.amount.strip(), currency=invoice.currency)
    except Invalid as refused:
        wrong["amount"] = refused.message
    try:
        paid_on = date.fromisoformat(form.paid_on.strip())
    except ValueError:
        wrong["paid_on"] = _("There is no such day; write it like 2026-01-31.")
    if wrong:
        raise Invalid(
            "invoicing.payment_invalid",
            _("Some fields need another value: {fields}.", fields=", ".join(wrong)),
            fields=wrong,
        )
    return PaymentText(
        invoice_id=invoice.invoice_id,
        amount_minor=amount,
        paid_on=paid_on,
        method=form.method,
        reference=form.reference,
    )


def _form_page(invoice: Invoice, form: PaymentForm, *, errors: dict[str, str] | None = None) -> Page:
    data = {
        "invoice": invoice,
        "form": form,
        "errors": errors or {},
        "labels": {"paid_on": _("Received on"), "method": _("By")},
        "methods": [[name, _(label)] for name, label in {**METHOD_LABELS, "other": mark("Other")}.items()],
    }
    return Page("invoicing/payment_form.html", data, title=_("Record a payment"), section="invoices")


def _badge(is_reversed: bool, rest_minor: int) -> dict[str, str]:
    if is_reversed:
        return {"status": "void", "label": _("Reversed")}
    return (
        {"status": "pending", "label": _("Credit left")}
        if rest_minor
        else {"status": "paid", "label": _("Allocated")}
    )


def _money(amount_minor: int, currency: str) -> str:
    return format_amount(amount_minor, currency=currency, locale=spoken())


_OPEN, _PAYMENT = {"invoice_id": "open_invoice_id"}, {"payment_id": "payment_id"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit rows (1 or 2).
ROUTES = (
    route("GET", "/payments", payments_page, title="Payments", media="html", permission="invoice.read",
          query=PaymentListQuery, queries_max=3),
    route("GET", "/payments/{payment_id}", payment_page, title="Payment", media="html", permission="invoice.read",
          params=_PAYMENT, queries_max=4),
    route("GET", "/invoices/{invoice_id}/payments/new", new_payment_page, title="Record a payment", media="html",
          permission="invoice.write", params=_OPEN, queries_max=6),
    route("POST", "/invoices/{invoice_id}/payments", submit_payment, title="Record a payment", media="html",
          permission="invoice.write", body=PaymentForm, idempotency="key", effect="create", audit="payment.recorded",
          params=_OPEN, example={"amount": "10.00", "paid_on": "2026-01-31"}, queries_max=12),
    route("POST", "/invoices/{invoice_id}/use-credit", submit_use_credit, title="Settle with the customer's credit",
          media="html", permission="invoice.write", body=UseCreditBody, idempotency="key", effect="change",
          audit="invoice.credit_used", params={"invoice_id": "creditable_invoice_id"}, example={"amount_minor": 1},
          queries_max=13),
    route("POST", "/payments/{payment_id}/reverse", submit_reversal, title="Take a payment back", media="html",
          permission="invoice.write", body=ReversalBody, idempotency="key", effect="change", audit="payment.reversed",
          params={"payment_id": "reversible_payment_id"}, example={"reason": "Returned by the bank"}, queries_max=9),
)  # fmt: skip

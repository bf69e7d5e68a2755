"""Pages of money that came: what was paid, what for, and taking it back."""

from __future__ import annotations

import uuid
from datetime import date

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
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

METHOD_CHOICES = [[name, label if name != "other" else "Other"] for name, label in METHOD_LABELS.items()]


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
    data = {"payments": payments, "methods": METHOD_LABELS, **pager("/payments", shown)}
    return Page("invoicing/payments.html", data, title="Payments", section="payments")


async def payment_page(ctx: Ctx, payment_id: uuid.UUID) -> Page:
    payment = await load_payment(ctx, payment_id)
    data = {
        "payment": payment,
        "method": METHOD_LABELS[payment.method],
        "badge": _badge(payment.reversed_at is not None, payment.rest_minor),
        "may_write": may_write(ctx),
    }
    return Page("invoicing/payment.html", data, title="Payment", section="payments")


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
    said = f"{_money(ctx, recorded.allocated_minor, invoice.currency)} of invoice {invoice.number} is paid."
    if recorded.rest_minor:
        said += (
            f" {_money(ctx, recorded.rest_minor, invoice.currency)} more came: it is the customer's credit."
        )
    return Redirect(f"/invoices/{invoice_id}", flash=said)


async def submit_use_credit(ctx: Ctx, invoice_id: uuid.UUID, form: UseCreditBody) -> Redirect:
    changed = await use_credit(ctx, invoice_id, amount_minor=form.amount_minor)
    said = "paid" if changed.status == "paid" else "paid in part"
    return Redirect(f"/invoices/{invoice_id}", flash=f"Invoice {changed.number} is {said} with the credit.")


async def submit_reversal(ctx: Ctx, payment_id: uuid.UUID, form: ReversalBody) -> Redirect:
    reopened = await reverse_payment(ctx, payment_id, reason=form.reason)
    numbers = ", ".join(row["number"] for row in reopened)
    said = f"The payment is taken back. Owed again: {numbers}." if numbers else "The payment is taken back."
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
        wrong["paid_on"] = "There is no such day; write it like 2026-01-31."
    if wrong:
        raise Invalid(
            "invoicing.payment_invalid", f"Some fields need another value: {', '.join(wrong)}.", fields=wrong
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
        "labels": {"paid_on": "Received on"},
        "methods": METHOD_CHOICES,
    }
    return Page("invoicing/payment_form.html", data, title="Record a payment", section="invoices")


def _badge(is_reversed: bool, rest_minor: int) -> dict[str, str]:
    if is_reversed:
        return {"status": "void", "label": "Reversed"}
    return (
        {"status": "pending", "label": "Credit left"}
        if rest_minor
        else {"status": "paid", "label": "Allocated"}
    )


def _money(ctx: Ctx, amount_minor: int, currency: str) -> str:
    return format_amount(amount_minor, currency=currency, locale=ctx.runtime.settings.app.locale)


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

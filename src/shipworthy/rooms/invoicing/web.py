"""HTTP for programs, and the room's table of routes. The screens' handlers stand in screens.py."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.reply import File, Json
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing import bodies, credit_screens, payment_screens, screens, series_web
from shipworthy.rooms.invoicing.credit_notes import credit_invoice
from shipworthy.rooms.invoicing.csv_text import MEDIA_TYPE
from shipworthy.rooms.invoicing.customers import create_customer, edit_customer, get_customer
from shipworthy.rooms.invoicing.document import fetch_pdf
from shipworthy.rooms.invoicing.draft import create_draft, delete_draft, edit_draft
from shipworthy.rooms.invoicing.finalise import finalise
from shipworthy.rooms.invoicing.invoice import Changed, load_invoice
from shipworthy.rooms.invoicing.list_screens import ROUTES as LIST_ROUTES
from shipworthy.rooms.invoicing.listing import list_customers, list_invoices, list_payments
from shipworthy.rooms.invoicing.payments import load_payment, record_payment, reverse_payment, use_credit
from shipworthy.rooms.invoicing.printing.annex import annex_csv, annex_name
from shipworthy.rooms.invoicing.settle import give_up, pay, void
from shipworthy.rooms.invoicing.versions import VersionNeeded, etag, version_of


async def api_create_customer(ctx: Ctx, body: bodies.CustomerBody) -> Json:
    customer = await create_customer(ctx, body.text())
    location = ("location", f"/api/customers/{customer['customer_id']}")
    return Json(bodies.customer_json(customer), status=201, headers=(location,))


async def api_list_customers(ctx: Ctx, query: bodies.CustomerListQuery) -> Any:
    return bodies.customers_json(await list_customers(ctx, text=query.text(), cursor=query.cursor))


async def api_get_customer(ctx: Ctx, customer_id: uuid.UUID) -> Any:
    return bodies.customer_json(await get_customer(ctx, customer_id))


async def api_edit_customer(ctx: Ctx, customer_id: uuid.UUID, body: bodies.CustomerBody) -> Any:
    return bodies.customer_json(await edit_customer(ctx, customer_id, body.text()))


async def api_create_invoice(ctx: Ctx, body: bodies.InvoiceBody) -> Json:
    invoice = await create_draft(ctx, body.text())
    location = ("location", f"/api/invoices/{invoice.invoice_id}")
    return Json(bodies.invoice_json(invoice), status=201, headers=(location, etag(invoice.version)))


async def api_list_invoices(ctx: Ctx, query: bodies.InvoiceListQuery) -> Any:
    return bodies.invoices_json(await list_invoices(ctx, query.wanted(), cursor=query.cursor))


async def api_get_invoice(ctx: Ctx, invoice_id: uuid.UUID) -> Json:
    invoice = await load_invoice(ctx, invoice_id)
    return Json(bodies.invoice_json(invoice), headers=(etag(invoice.version),))


async def api_edit_invoice(ctx: Ctx, invoice_id: uuid.UUID, body: bodies.InvoiceBody) -> Json:
    if_match = _if_match(ctx)
    if if_match is None:
        raise VersionNeeded()
    invoice = await edit_draft(ctx, invoice_id, body.text(), version=version_of(if_match))
    return Json(bodies.invoice_json(invoice), headers=(etag(invoice.version),))


async def api_delete_invoice(ctx: Ctx, invoice_id: uuid.UUID) -> None:
    await delete_draft(ctx, invoice_id, version=version_of(_if_match(ctx)))


async def api_finalise_invoice(ctx: Ctx, invoice_id: uuid.UUID, query: bodies.IssueQuery) -> Json:
    version = version_of(_if_match(ctx))
    return _changed(await finalise(ctx, invoice_id, version=version, issue_date=query.issue_date))


async def api_pay_invoice(ctx: Ctx, invoice_id: uuid.UUID) -> Json:
    return _changed(await pay(ctx, invoice_id, version=version_of(_if_match(ctx))))


async def api_void_invoice(ctx: Ctx, invoice_id: uuid.UUID) -> Json:
    return _changed(await void(ctx, invoice_id, version=version_of(_if_match(ctx))))


async def api_record_payment(ctx: Ctx, body: bodies.PaymentBody) -> Json:
    recorded = await record_payment(ctx, body.text())
    location = ("location", f"/api/payments/{recorded.payment_id}")
    status = 201 if recorded.is_new else 200
    return Json(bodies.recorded_json(recorded), status=status, headers=(location,))


async def api_list_payments(ctx: Ctx, query: bodies.PaymentListQuery) -> Any:
    return bodies.payments_json(await list_payments(ctx, cursor=query.cursor))


async def api_get_payment(ctx: Ctx, payment_id: uuid.UUID) -> Any:
    return bodies.payment_json(await load_payment(ctx, payment_id))


async def api_reverse_payment(ctx: Ctx, payment_id: uuid.UUID, body: bodies.ReversalBody) -> Any:
    await reverse_payment(ctx, payment_id, reason=body.reason)
    return bodies.payment_json(await load_payment(ctx, payment_id))


async def api_use_credit(ctx: Ctx, invoice_id: uuid.UUID, body: bodies.UseCreditBody) -> Json:
    return _changed(await use_credit(ctx, invoice_id, amount_minor=body.amount_minor))


async def api_credit_invoice(ctx: Ctx, invoice_id: uuid.UUID, body: bodies.CreditBody) -> Json:
    credit_note = await credit_invoice(ctx, invoice_id, body.text(), version=version_of(_if_match(ctx)))
    location = ("location", f"/api/invoices/{credit_note.invoice_id}")
    return Json(bodies.changed_json(credit_note), status=201, headers=(location, etag(credit_note.version)))


async def api_give_up_invoice(ctx: Ctx, invoice_id: uuid.UUID) -> Json:
    return _changed(await give_up(ctx, invoice_id, version=version_of(_if_match(ctx))))


async def api_invoice_pdf(ctx: Ctx, invoice_id: uuid.UUID) -> File:
    pdf = await fetch_pdf(ctx, invoice_id)
    headers = (
        ("content-disposition", f'inline; filename="{pdf.number}.pdf"'),
        ("cache-control", "private, no-cache"),
        ("etag", f'"{pdf.sha256.hex()}"'),
    )
    return File(pdf.body, "application/pdf", headers=headers)


async def api_invoice_lines(ctx: Ctx, invoice_id: uuid.UUID) -> File:
    """The lines as a table; of a long invoice it is what is attached to its PDF, to the byte."""
    async with ctx.begin() as tx:
        ctx.tx = tx
        invoice = await load_invoice(ctx, invoice_id)
    body = await asyncio.to_thread(annex_csv, invoice)
    headers = (
        ("content-disposition", f'attachment; filename="{annex_name(invoice)}"'),
        ("cache-control", "private, no-cache"),
    )
    return File(body, MEDIA_TYPE, headers=headers)


def _if_match(ctx: Ctx) -> str | None:
    value: str | None = ctx.extra["headers"].get("if-match")
    return value


def _changed(changed: Changed) -> Json:
    return Json(bodies.changed_json(changed), headers=(etag(changed.version),))


CUSTOMER_EXAMPLE = {
    "name": "Harbour Office Ltd",
    "email": "office@harbour.example",
    "tax_id": "DE811907980",
    "street": "Am Kai 4",
    "postal_code": "20457",
    "city": "Hamburg",
    "country": "DE",
}
INVOICE_EXAMPLE = {
    "customer_id": "$customer_id",
    "currency": "EUR",
    "lines": [
        {"description": "Concept", "quantity": "1.5", "unit_price": "95.00", "tax_rate_bp": 1900},
        {"description": "Style guide", "quantity": "3", "unit_price": "20.00", "tax_rate_bp": 700},
    ],
    "note": "Thank you.",
}
PAYMENT_EXAMPLE = {
    "customer_id": "$customer_id",
    "currency": "EUR",
    "amount_minor": 12500,
    "reference": "On account",
}
PAYMENT = {"payment_id": "payment_id"}
DRAFT, OPEN = {"invoice_id": "draft_invoice_id"}, {"invoice_id": "open_invoice_id"}
ANY, CUSTOMER = {"invoice_id": "invoice_id"}, {"customer_id": "customer_id"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES = (
    route("POST", "/api/customers", api_create_customer, title="Create a customer", permission="customer.write",
          body=bodies.CustomerBody, status=201, idempotency="key", effect="create", audit="customer.created",
          example=CUSTOMER_EXAMPLE, personal=bodies.CUSTOMER_PERSONAL, queries_max=8),
    route("GET", "/api/customers", api_list_customers, title="List customers", permission="customer.read",
          query=bodies.CustomerListQuery, queries_max=3),
    route("GET", "/api/customers/{customer_id}", api_get_customer, title="Read a customer",
          permission="customer.read", params=CUSTOMER, queries_max=3),
    route("PUT", "/api/customers/{customer_id}", api_edit_customer, title="Replace a customer",
          permission="customer.write", body=bodies.CustomerBody, effect="change", audit="customer.edited",
          params=CUSTOMER, example=CUSTOMER_EXAMPLE, personal=bodies.CUSTOMER_PERSONAL, queries_max=6),
    route("POST", "/api/invoices", api_create_invoice, title="Create a draft", permission="invoice.write",
          body=bodies.InvoiceBody, status=201, idempotency="key", effect="create", audit="invoice.created",
          example=INVOICE_EXAMPLE, slo="invoice_create", body_bytes_max=bodies.INVOICE_BYTES_MAX, queries_max=8),
    route("GET", "/api/invoices", api_list_invoices, title="List invoices", permission="invoice.read",
          query=bodies.InvoiceListQuery, slo="invoice_list", queries_max=5),
    route("GET", "/api/invoices/{invoice_id}", api_get_invoice, title="Read an invoice",
          permission="invoice.read", params=ANY, queries_max=5),
    route("PUT", "/api/invoices/{invoice_id}", api_edit_invoice, title="Replace a draft", permission="invoice.write",
          body=bodies.InvoiceBody, effect="change", audit="invoice.edited", params=DRAFT, example=INVOICE_EXAMPLE,
          body_bytes_max=bodies.INVOICE_BYTES_MAX, queries_max=7),
    route("DELETE", "/api/invoices/{invoice_id}", api_delete_invoice, title="Delete a draft", status=204,
          permission="invoice.write", effect="change", audit="invoice.deleted", params=DRAFT, queries_max=4),
    route("POST", "/api/invoices/{invoice_id}/finalise", api_finalise_invoice, title="Issue a draft",
          permission="invoice.write", query=bodies.IssueQuery, idempotency="key", effect="change",
          audit="invoice.issued", params=DRAFT, example={}, queries_max=10),
    route("POST", "/api/invoices/{invoice_id}/pay", api_pay_invoice, title="Mark an invoice as paid",
          permission="invoice.write", idempotency="key", effect="change", audit="invoice.paid", params=OPEN,
          example={}, queries_max=9),
    route("POST", "/api/invoices/{invoice_id}/void", api_void_invoice, title="Void an invoice",
          permission="invoice.write", idempotency="key", effect="change", audit="invoice.void", params={"invoice_id": "voidable_invoice_id"},
          example={}, queries_max=6),
    route("POST", "/api/invoices/{invoice_id}/uncollectible", api_give_up_invoice, title="Give an invoice up",
          permission="invoice.write", idempotency="key", effect="change", audit="invoice.uncollectible", params=OPEN,
          example={}, queries_max=6),
    route("GET", "/api/invoices/{invoice_id}/pdf", api_invoice_pdf, title="Read an invoice as PDF", media="file",
          permission="invoice.read", transaction=False, params={"invoice_id": "printed_invoice_id"}, queries_max=4),
    route("GET", "/api/invoices/{invoice_id}/lines", api_invoice_lines, title="Read the lines of an invoice as CSV",
          media="file", permission="invoice.read", transaction=False, params=ANY, queries_max=5),
    route("POST", "/api/invoices/{invoice_id}/credit-notes", api_credit_invoice, title="Credit an invoice", status=201,
          permission="invoice.write", body=bodies.CreditBody, idempotency="key", effect="create",
          audit="invoice.credited", params=OPEN, example={"lines": [{"line_no": 1, "quantity": "0.1"}], "note": "Returned."}, queries_max=19),
    route("POST", "/api/invoices/{invoice_id}/use-credit", api_use_credit, title="Settle with the customer's credit",
          permission="invoice.write", body=bodies.UseCreditBody, idempotency="key", effect="change",
          audit="invoice.credit_used", params={"invoice_id": "creditable_invoice_id"}, example={"amount_minor": 1},
          queries_max=13),
    route("POST", "/api/payments", api_record_payment, title="Record a payment", permission="invoice.write",
          body=bodies.PaymentBody, status=201, idempotency="key", effect="create", audit="payment.recorded",
          example=PAYMENT_EXAMPLE, queries_max=10),
    route("GET", "/api/payments", api_list_payments, title="List payments", permission="invoice.read",
          query=bodies.PaymentListQuery, queries_max=3),
    route("GET", "/api/payments/{payment_id}", api_get_payment, title="Read a payment", permission="invoice.read",
          params=PAYMENT, queries_max=4),
    route("POST", "/api/payments/{payment_id}/reverse", api_reverse_payment, title="Take a payment back",
          permission="invoice.write", body=bodies.ReversalBody, idempotency="key", effect="change",
          audit="payment.reversed", params={"payment_id": "reversible_payment_id"}, example={"reason": "Returned by the bank"},
          queries_max=11),
    *LIST_ROUTES,
    *screens.ROUTES,
    *payment_screens.ROUTES,
    *credit_screens.ROUTES,
    *series_web.ROUTES,
)  # fmt: skip

"""What the API takes and gives, as JSON: amounts are whole minor units, prices and quantities text.

A number with a point is refused where money is meant: it has lost digits before it gets here.
"""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field, structs

from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.money.money import AMOUNT_MAX_MINOR
from shipworthy.rooms.invoicing.credit_notes import CreditText
from shipworthy.rooms.invoicing.customers import CustomerText
from shipworthy.rooms.invoicing.draft import NOTE_CHARS_MAX, PAYMENT_DAYS_MAX, DraftText
from shipworthy.rooms.invoicing.invoice import Changed, Invoice
from shipworthy.rooms.invoicing.lines import DESCRIPTION_CHARS_MAX, REASON_CHARS_MAX, LineText
from shipworthy.rooms.invoicing.listing import Row, Slice
from shipworthy.rooms.invoicing.payments import REFERENCE_CHARS_MAX, Payment, PaymentText, Recorded
from shipworthy.rooms.invoicing.pricing.changes import CHANGES_MAX, PERCENT_BP_MAX, Change, DocumentChange
from shipworthy.rooms.invoicing.tax import LINES_MAX, RATE_BP_MAX
from shipworthy.rooms.invoicing.units import NO_UNIT
from shipworthy.rooms.invoicing.wanted import TEXT_CHARS_MAX, Wanted, read_wanted

Number = Annotated[str, Meta(min_length=1, max_length=64, description="Digits with at most one point: 12.50")]
Category = Literal["S", "Z", "E", "AE", "K", "G", "O"]


TaxCode = Annotated[str, Meta(min_length=1, max_length=30, description="A code of your tax rates: standard")]
Cursor = Annotated[str, Meta(max_length=1000)]

INVOICE_BYTES_MAX = 8 * 1024 * 1024  # ten thousand lines, and what most say of each

CUSTOMER_PERSONAL = ("name", "email", "tax_id", "street", "postal_code", "city")


class InvoiceListQuery(Struct):
    """What to list. Everything is text until it is read, so that a page can say what is wrong with it."""

    status: Annotated[str, Meta(max_length=20, description="A status, or overdue")] | None = None
    q: Annotated[
        str, Meta(max_length=TEXT_CHARS_MAX, description="How a number or a customer's words begin")
    ] = ""
    customer_id: Annotated[str, Meta(max_length=40)] = ""
    issued_from: Annotated[str, Meta(max_length=20, description="YYYY-MM-DD, included")] = ""
    issued_to: Annotated[str, Meta(max_length=20, description="YYYY-MM-DD, included")] = ""
    amount_min: Annotated[
        str, Meta(max_length=40, description="In major units of an invoice's currency: 12.50")
    ] = ""
    amount_max: Annotated[
        str, Meta(max_length=40, description="In major units of an invoice's currency: 12.50")
    ] = ""
    currency: Annotated[str, Meta(max_length=10)] = ""
    cursor: Cursor | None = None

    def wanted(self) -> Wanted:
        return read_wanted(
            status=self.status,
            text=self.q,
            customer_id=self.customer_id,
            issued_from=self.issued_from,
            issued_to=self.issued_to,
            amount_min=self.amount_min,
            amount_max=self.amount_max,
            currency=self.currency,
        )

    def asked(self) -> dict[str, str]:
        """Return what narrows the list, as it was typed."""
        given = {name: value for name, value in structs.asdict(self).items() if name != "cursor"}
        return {name: value.strip() for name, value in given.items() if value and value.strip()}


class IssueQuery(Struct):
    issue_date: date | None = None  # today where it is left out


class CustomerListQuery(Struct):
    q: Annotated[
        str, Meta(max_length=TEXT_CHARS_MAX, description="How words of the name, city or e-mail begin")
    ] = ""
    cursor: Cursor | None = None

    def text(self) -> str:
        return " ".join(self.q.split())


class PaymentListQuery(Struct):
    cursor: Cursor | None = None


class PaymentBody(Body):
    """Names an invoice, or a customer and a currency. Without an amount it is what is owed on the invoice."""

    invoice_id: uuid.UUID | None = None
    customer_id: uuid.UUID | None = None
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    amount_minor: Annotated[int, Meta(ge=1, le=AMOUNT_MAX_MINOR)] | None = None
    paid_on: date | None = None
    method: Literal["transfer", "card", "cash", "other"] = "transfer"
    reference: Annotated[str, Meta(max_length=REFERENCE_CHARS_MAX)] = ""
    source_type: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    source_id: Annotated[str, Meta(min_length=1, max_length=REFERENCE_CHARS_MAX)] | None = None

    def text(self) -> PaymentText:
        return PaymentText(**structs.asdict(self))


class UseCreditBody(Body):
    """Without an amount, as much as there is and as is owed."""

    amount_minor: Annotated[int, Meta(ge=1, le=AMOUNT_MAX_MINOR)] | None = None


class ReversalBody(Body):
    reason: Annotated[str, Meta(max_length=REFERENCE_CHARS_MAX)] = ""


class CreditLineBody(Body):
    line_no: Annotated[int, Meta(ge=1, le=LINES_MAX)]
    quantity: Number


class CreditBody(Body):
    """Which lines to credit, and how much of each; without lines, all that is left."""

    lines: Annotated[list[CreditLineBody], Meta(min_length=1, max_length=LINES_MAX)] | None = None
    note: Annotated[str, Meta(max_length=NOTE_CHARS_MAX)] = ""

    def text(self) -> CreditText:
        quantities = None if self.lines is None else {line.line_no: line.quantity for line in self.lines}
        return CreditText(quantities=quantities, note=self.note)


class ChangeBody(Body):
    """A discount or a charge: a percentage or an amount, one of them."""

    kind: Literal["discount", "charge"]
    percent_bp: Annotated[int, Meta(ge=1, le=PERCENT_BP_MAX)] | None = None
    amount_minor: Annotated[int, Meta(ge=1, le=AMOUNT_MAX_MINOR)] | None = None
    reason: Annotated[str, Meta(max_length=REASON_CHARS_MAX)] = ""

    def change(self) -> Change:
        return Change(**structs.asdict(self))


class DocumentChangeBody(ChangeBody):
    """A discount or a charge on the whole invoice; without a tax it is spread over the taxes of the lines."""

    tax_rate_bp: Annotated[int, Meta(ge=0, le=RATE_BP_MAX)] | None = None
    tax_category: Category | None = None
    tax_code: TaxCode | None = None


class LineBody(Body):
    description: Annotated[str, Meta(min_length=1, max_length=DESCRIPTION_CHARS_MAX)]
    quantity: Number
    unit_price: Number
    unit: Annotated[str, Meta(max_length=3, description="UN/ECE Recommendation 20, such as HUR")] = NO_UNIT
    tax_rate_bp: Annotated[int, Meta(ge=0, le=RATE_BP_MAX)] | None = None
    tax_category: Category | None = None
    tax_code: TaxCode | None = None
    change: ChangeBody | None = None


class InvoiceBody(Body):
    customer_id: uuid.UUID
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    lines: Annotated[list[LineBody], Meta(min_length=1, max_length=LINES_MAX)]
    note: Annotated[str, Meta(max_length=NOTE_CHARS_MAX)] = ""
    payment_days: Annotated[int, Meta(ge=0, le=PAYMENT_DAYS_MAX)] = 14
    supply_date: date | None = None
    prices_include_tax: bool = False
    changes: Annotated[list[DocumentChangeBody], Meta(max_length=CHANGES_MAX)] = field(default_factory=list)

    def text(self) -> DraftText:
        return DraftText(
            customer_id=self.customer_id,
            currency=self.currency,
            lines=tuple(
                LineText(
                    description=line.description,
                    quantity=line.quantity,
                    unit=line.unit,
                    unit_price=line.unit_price,
                    tax_rate_bp=line.tax_rate_bp,
                    tax_category=line.tax_category,
                    tax_code=line.tax_code,
                    change=line.change.change() if line.change else None,
                )
                for line in self.lines
            ),
            prices_include_tax=self.prices_include_tax,
            changes=tuple(change.change() for change in self.changes),
            note=self.note,
            payment_days=self.payment_days,
            supply_date=self.supply_date,
        )


class CustomerBody(Body):
    """Also the form's body: every field is text, so that a refused form shows what was typed."""

    name: Annotated[str, Meta(max_length=1000)]
    email: Annotated[str, Meta(max_length=1000)] = ""
    tax_id: Annotated[str, Meta(max_length=1000)] = ""
    street: Annotated[str, Meta(max_length=1000)] = ""
    postal_code: Annotated[str, Meta(max_length=1000)] = ""
    city: Annotated[str, Meta(max_length=1000)] = ""
    country: Annotated[str, Meta(max_length=1000)] = ""
    buyer_reference: Annotated[str, Meta(max_length=1000)] = ""
    rounding: Annotated[str, Meta(max_length=1000)] = ""
    language: Annotated[str, Meta(max_length=1000)] = ""

    def text(self) -> CustomerText:
        return CustomerText(
            name=self.name,
            email=self.email,
            tax_id=self.tax_id,
            street=self.street,
            postal_code=self.postal_code,
            city=self.city,
            country=self.country,
            buyer_reference=self.buyer_reference,
            rounding=self.rounding,
            language=self.language,
        )


def customer_json(customer: dict[str, Any]) -> dict[str, Any]:
    names = (
        "customer_id", "name", "email", "tax_id", "street", "postal_code", "city", "country", "buyer_reference",
        "rounding", "language",
    )  # fmt: skip
    return {name: customer[name] for name in names}


def customers_json(page: Slice) -> dict[str, Any]:
    names = ("customer_id", "name", "city", "country")
    return {"customers": [_picked(row, names) for row in page.rows], **_cursors(page)}


def invoice_json(invoice: Invoice) -> dict[str, Any]:
    return {
        "invoice_id": invoice.invoice_id,
        "kind": invoice.kind,
        "credits_invoice_id": invoice.credits_invoice_id,
        "number": invoice.number,
        "status": invoice.status,
        "version": invoice.version,
        "customer_id": invoice.customer_id,
        "customer_name": invoice.customer_name,
        "currency": invoice.currency,
        "currency_exponent": invoice.exponent,
        "issue_date": invoice.issue_date,
        "due_date": invoice.due_date,
        "payment_days": invoice.payment_days,
        "supply_date": invoice.supply_date,
        "note": invoice.note,
        "prices_include_tax": invoice.prices_include_tax,
        "changes": [_change_json(change) for change in invoice.changes],
        "tax_reasons": invoice.tax_reasons,
        "lines": [
            {
                "description": line.description,
                "quantity": decimal_text(line.quantity),
                "unit": line.unit,
                "unit_price": decimal_text(line.unit_price),
                "tax_category": line.tax_category,
                "tax_rate_bp": line.tax_rate_bp,
                "tax_code": line.tax_code,
                "change": line.change,
                "net_minor": line.net_minor,
                "tax_minor": line.tax_minor,
            }
            for line in invoice.lines
        ],
        "taxes": [
            {
                "tax_category": group.category,
                "tax_rate_bp": group.rate_bp,
                "base_minor": group.base_minor,
                "tax_minor": group.tax_minor,
            }
            for group in invoice.taxes
        ],
        "net_minor": invoice.net_minor,
        "tax_minor": invoice.tax_minor,
        "gross_minor": invoice.gross_minor,
        "rounding_minor": invoice.rounding_minor,
        "payable_minor": invoice.payable_minor,
        "paid_minor": invoice.paid_minor,
        "credited_minor": invoice.credited_minor,
        "balance_minor": invoice.balance_minor,
        "created_at": invoice.created_at,
        "issued_at": invoice.issued_at,
        "paid_at": invoice.paid_at,
        "voided_at": invoice.voided_at,
        "uncollectible_at": invoice.uncollectible_at,
    }


def _change_json(change: DocumentChange) -> dict[str, Any]:
    """What was agreed, as a draft takes it back, and what it came to for each tax."""
    agreed = change.change
    return {
        "kind": agreed.kind,
        "percent_bp": agreed.percent_bp,
        "amount_minor": agreed.amount_minor,
        "reason": agreed.reason,
        "tax_category": agreed.tax_category,
        "tax_rate_bp": agreed.tax_rate_bp,
        "tax_code": agreed.tax_code,
        "parts": change.parts,
    }


def invoices_json(page: Slice) -> dict[str, Any]:
    names = (
        "invoice_id", "kind", "number", "status", "version", "customer_id", "customer_name", "currency",
        "issue_date", "due_date", "net_minor", "tax_minor", "gross_minor", "rounding_minor", "paid_minor",
        "credited_minor",
    )  # fmt: skip
    invoices = [_picked(row, names) for row in page.rows]
    return {"invoices": invoices, "is_partial": page.is_partial, **_cursors(page)}


def recorded_json(recorded: Recorded) -> dict[str, Any]:
    return {
        "payment_id": recorded.payment_id,
        "is_new": recorded.is_new,
        "allocated_minor": recorded.allocated_minor,
        "rest_minor": recorded.rest_minor,
        "invoice": changed_json(recorded.invoice) if recorded.invoice else None,
    }


def payment_json(payment: Payment) -> dict[str, Any]:
    names = (
        "payment_id", "customer_id", "customer_name", "currency", "amount_minor", "allocated_minor", "rest_minor",
        "paid_on", "method", "reference", "source_type", "source_id", "created_at", "reversed_at", "reversal_reason",
    )  # fmt: skip
    parts = ("invoice_id", "number", "amount_minor", "created_at", "undone_at")
    return {
        **{name: getattr(payment, name) for name in names},
        "allocations": [_picked(row, parts) for row in payment.allocations],
    }


def payments_json(page: Slice) -> dict[str, Any]:
    names = (
        "payment_id", "customer_id", "customer_name", "currency", "amount_minor", "allocated_minor", "paid_on",
        "method", "reference", "reversed_at",
    )  # fmt: skip
    return {"payments": [_picked(row, names) for row in page.rows], **_cursors(page)}


def changed_json(changed: Changed) -> dict[str, Any]:
    return {
        "invoice_id": changed.invoice_id,
        "number": changed.number,
        "status": changed.status,
        "version": changed.version,
        "balance_minor": changed.balance_minor,
    }


def decimal_text(value: Decimal) -> str:
    """Return the number without the zeros its column adds: 1.500000 is 1.5."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _cursors(page: Slice) -> dict[str, str | None]:
    return {"previous_cursor": page.previous_cursor, "next_cursor": page.next_cursor}


def _picked(row: Row, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names}

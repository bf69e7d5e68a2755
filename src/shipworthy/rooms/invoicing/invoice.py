"""`Invoice`: what the room knows of one invoice, whoever shows it: the API, a screen, the printer."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Conflict, Missing, Refusal
from shipworthy.kernel.language import _
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.pricing.changes import DocumentChange, LineChange
from shipworthy.rooms.invoicing.rates.why import Why, read_reasons
from shipworthy.rooms.invoicing.tax import TaxGroup
from shipworthy.rooms.invoicing.units import NO_UNIT
from shipworthy.rooms.invoicing.versions import Stale


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """A line with its amounts. Units: price in major units, amounts in minor units."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_category: str
    tax_rate_bp: int
    net_minor: int
    tax_minor: int
    tax_code: str | None = None  # of the tenant's rates; None where the rate was written by hand
    change: LineChange | None = None  # the discount or charge that is in its amounts already
    unit: str = NO_UNIT  # what the quantity counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One invoice, whole. `seller` and `buyer` are frozen copies, there from the day of issue on."""

    invoice_id: uuid.UUID
    kind: str = "invoice"  # or "credit_note", which has the three that follow
    credits_invoice_id: uuid.UUID | None = None
    credits_number: str | None = None
    credits_issue_date: date | None = None
    customer_id: uuid.UUID
    customer_name: str
    status: str
    version: int
    number: str | None
    currency: str
    exponent: int
    issue_date: date
    due_date: date
    payment_days: int
    supply_date: date | None
    note: str
    prices_include_tax: bool = False
    changes: tuple[DocumentChange, ...] = ()
    tax_reasons: tuple[Why, ...] = ()
    net_minor: int
    tax_minor: int
    gross_minor: int
    rounding_step_minor: int = 1
    rounding_minor: int = 0  # what is due is the gross with it
    paid_minor: int = 0
    credited_minor: int = 0
    lines: tuple[InvoiceLine, ...]
    taxes: tuple[TaxGroup, ...]
    seller: dict[str, Any] | None = None
    buyer: dict[str, Any] | None = None
    created_at: datetime
    issued_at: datetime | None = None
    paid_at: datetime | None = None
    voided_at: datetime | None = None
    uncollectible_at: datetime | None = None
    has_pdf: bool = False

    @property
    def payable_minor(self) -> int:
        """What is due: the gross, in whole steps of a coin."""
        return self.gross_minor + self.rounding_minor

    @property
    def balance_minor(self) -> int:
        """What is owed once the invoice is issued; of a credit note, what is left of it."""
        return 0 if self.status == "void" else self.payable_minor - self.paid_minor - self.credited_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Where an invoice stands after a change of its status."""

    invoice_id: uuid.UUID
    status: str
    number: str
    version: int
    balance_minor: int = 0


async def load_invoice(ctx: Ctx, invoice_id: uuid.UUID) -> Invoice:
    """Return an invoice of this tenant. Errors: Missing. Cost: 3 queries, however many lines."""
    row = await ctx.db.maybe(q.invoice_get, invoice_id=invoice_id)
    if row is None:
        raise Missing("invoice")
    lines = await ctx.db.all(q.invoice_lines, invoice_id=invoice_id)
    taxes = await ctx.db.all(q.invoice_taxes, invoice_id=invoice_id)
    return Invoice(
        **{
            **row,
            "changes": read_changes(row["changes"]),
            "tax_reasons": read_reasons(row["tax_reasons"]),
        },
        lines=tuple(InvoiceLine(**{**line, "change": read_line_change(line["change"])}) for line in lines),
        taxes=tuple(
            TaxGroup(
                category=tax["tax_category"],
                rate_bp=tax["tax_rate_bp"],
                base_minor=tax["base_minor"],
                tax_minor=tax["tax_minor"],
            )
            for tax in taxes
        ),
    )


def read_changes(kept: Any) -> tuple[DocumentChange, ...]:
    """Return the discounts and charges of a document as their column keeps them."""
    return msgspec.convert(kept, tuple[DocumentChange, ...])


def read_line_change(kept: Any) -> LineChange | None:
    """Return the discount or charge of a line as its column keeps it."""
    return msgspec.convert(kept, LineChange | None)


async def why_not(
    ctx: Ctx, invoice_id: uuid.UUID, *, wanted: str, version: int | None = None, voiding: bool = False
) -> Refusal:
    """Return the refusal for a change that found no invoice to change in the `wanted` status.

    Void can also become what was given up, but nothing that is settled in part.
    """
    state = await ctx.db.maybe(q.invoice_state, invoice_id=invoice_id)
    if state is None:
        return Missing("invoice")
    if state["status"] != wanted and not (voiding and state["status"] == "uncollectible"):
        return wrong_status(state["status"], state["number"], wanted=wanted)
    if voiding and state["settled_minor"] and version in (None, state["version"]):
        return Conflict(
            "invoicing.settled_in_part",
            _(
                "A part of invoice {number} is paid or credited. Reverse its payments first, or credit the rest.",
                number=state["number"],
            ),
        )
    return Stale(state["version"])


def wrong_status(status: str, number: str | None, *, wanted: str) -> Conflict:
    """Return the refusal for an invoice that is not in the status a change needs."""
    name = _("Invoice {number}", number=number) if number else _("This invoice")
    if wanted == "draft":
        return Conflict(
            "invoicing.not_draft",
            _(
                "{name} is issued and can no longer be changed. Credit it and write a new one instead.",
                name=name,
            ),
        )
    if status == "draft":
        return Conflict("invoicing.not_issued", _("This invoice is still a draft. Issue it first."))
    if status == "credited":
        said = _("{number} is a credit note; only an open invoice can change.", number=number)
        return Conflict("invoicing.not_open", said)
    said = _("{name} is {status} already; only an open invoice can change.", name=name, status=_(status))
    return Conflict("invoicing.not_open", said)

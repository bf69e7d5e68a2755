"""Payments: money that came, what of it settles which invoice, and what is the customer's credit.

Locks are taken in one order everywhere: payments by id, credit notes by id, then invoices by id. A payment that is new can be waited
for by nobody but one with the same source, which holds no older payment. So twenty at once wait in a row, and what
is owed after the lock is what is owed.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NoReturn

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.money.currencies import CURRENCIES
from shipworthy.kernel.money.money import within_bounds
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.invoice import Changed, wrong_status
from shipworthy.rooms.invoicing.lines import read_text
from shipworthy.rooms.invoicing.series import require_open
from shipworthy.rooms.invoicing.versions import Stale

METHODS = ("transfer", "card", "cash", "other")
REFERENCE_CHARS_MAX = 200
PAYABLE = ("open", "uncollectible")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentText:
    """A payment as it was written. Names an invoice, or a customer and a currency. `amount_minor` None: what is owed."""

    amount_minor: int | None = None
    invoice_id: uuid.UUID | None = None
    customer_id: uuid.UUID | None = None
    currency: str | None = None
    paid_on: date | None = None  # None: today
    method: str = "transfer"
    reference: str = ""
    source_type: str | None = None
    source_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of a payment. `is_new` is False where its source had been read before: nothing happened then."""

    payment_id: uuid.UUID
    is_new: bool = True
    allocated_minor: int = 0
    rest_minor: int = 0
    invoice: Changed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment with what it settles."""

    payment_id: uuid.UUID
    customer_id: uuid.UUID
    customer_name: str
    currency: str
    amount_minor: int
    allocated_minor: int
    paid_on: date
    method: str
    reference: str
    source_type: str | None
    source_id: str | None
    created_at: datetime
    reversed_at: datetime | None
    reversal_reason: str
    allocations: Sequence[Record] = ()

    @property
    def rest_minor(self) -> int:
        """What the customer may still use of it."""
        return 0 if self.reversed_at else self.amount_minor - self.allocated_minor


async def record_payment(ctx: Ctx, text: PaymentText, *, version: int | None = None) -> Recorded:
    """Write down money that came. An invoice it names is settled as far as it goes; the rest is the customer's credit.

    The same source twice is one payment.

    Errors:  Invalid, naming every wrong field; Missing (the invoice); Stale; Conflict `invoicing.not_open`,
             `invoicing.not_issued`, `invoicing.source_taken`, `invoicing.books_closed`.
    """
    owed = await lock_payable(ctx, text.invoice_id, version=version) if text.invoice_id else None
    text = await _check(ctx, text, owed)
    amount_minor = text.amount_minor or 0
    allocated = min(amount_minor, owed["balance_minor"]) if owed else 0
    payment_id, now = ctx.new_id(), ctx.now()
    written = await ctx.db.maybe(
        q.payment_create,
        payment_id=payment_id,
        customer_id=text.customer_id,
        currency=text.currency,
        amount_minor=amount_minor,
        allocated_minor=allocated,
        paid_on=text.paid_on,
        method=text.method,
        reference=text.reference,
        source_type=text.source_type,
        source_id=text.source_id,
        invoice_id=text.invoice_id,
        allocation_id=ctx.new_id(),
        now=now,
    )
    if written is None:
        return await _known(ctx, text)
    detail = {
        "customer_id": str(text.customer_id),
        "currency": text.currency,
        "amount_minor": amount_minor,
        "allocated_minor": allocated,
    }
    await record(ctx, "payment.recorded", of="payment", id=payment_id, detail=detail)
    invoice = await settle(ctx, text.invoice_id, paid_minor=allocated) if text.invoice_id else None
    return Recorded(
        payment_id=payment_id,
        allocated_minor=allocated,
        rest_minor=amount_minor - allocated,
        invoice=invoice,
    )


async def reverse_payment(ctx: Ctx, payment_id: uuid.UUID, *, reason: str) -> list[Record]:
    """Take a payment back, as when a transfer bounced; return the invoices that are owed again by it.

    Errors:  Missing; Conflict `invoicing.payment_reversed`; Invalid for a reason that cannot be kept.
    """
    wrong: dict[str, str] = {}
    reason = read_text(reason, "reason", wrong, chars_max=REFERENCE_CHARS_MAX)
    if wrong:
        _refuse(wrong)
    payment = await ctx.db.maybe(q.payment_lock, payment_id=payment_id)
    if payment is None:
        await load_payment(ctx, payment_id)  # a reversed one is out of a lock's reach, and there all the same
        raise Conflict(
            "invoicing.payment_reversed", _("This payment is reversed already. Nothing is left of it.")
        )
    now = ctx.now()
    await ctx.db.all(q.payment_invoices_lock, payment_id=payment_id)
    await ctx.db.run(q.payment_undo, payment_id=payment_id, reason=reason, now=now)
    reopened = await ctx.db.all(q.payment_invoices_reopen, payment_id=payment_id, undone_at=now)
    detail = {
        "currency": payment["currency"],
        "amount_minor": payment["amount_minor"],
        "invoices": [row["number"] for row in reopened],
    }
    await record(ctx, "payment.reversed", of="payment", id=payment_id, detail=detail)
    return reopened


async def use_credit(ctx: Ctx, invoice_id: uuid.UUID, *, amount_minor: int | None = None) -> Changed:
    """Settle an invoice with what its customer paid too much or was credited, as far as either goes.

    `amount_minor` uses no more than that. Credit notes go first, then payments, each in the order of their ids, which is that of their times.


    Errors:  Missing; Conflict `invoicing.not_open`, `invoicing.not_issued`, `invoicing.no_credit`.
    """
    invoice = await ctx.db.maybe(q.invoice_get, invoice_id=invoice_id)
    if invoice is None:
        raise Missing("invoice")
    whose = {"customer_id": invoice["customer_id"], "currency": invoice["currency"]}
    payments = await ctx.db.all(q.credit_lock, **whose)
    credit_notes = await ctx.db.all(q.credit_note_lock, **whose)
    owed = await lock_payable(ctx, invoice_id)
    parts, left = [], owed["balance_minor"]
    if amount_minor is not None:
        left = min(left, amount_minor)
    for row in (*credit_notes, *payments):
        part = min(left, row["rest_minor"])
        if part > 0:
            parts.append((row.get("payment_id"), row.get("credit_note_id"), part))
            left -= part
    if not parts:
        raise Conflict(
            "invoicing.no_credit",
            _(
                "{customer} has no credit in {currency}. Record a payment instead.",
                customer=invoice["customer_name"],
                currency=invoice["currency"],
            ),
        )
    await ctx.db.run(
        q.credit_allocate,
        invoice_id=invoice_id,
        allocation_ids=[ctx.new_id() for _ in parts],
        payment_ids=[payment_id for payment_id, _, _ in parts],
        credit_note_ids=[credit_note_id for _, credit_note_id, _ in parts],
        amounts_minor=[part for _, _, part in parts],
        now=ctx.now(),
    )
    noted = [(credit_note_id, part) for _, credit_note_id, part in parts if credit_note_id]
    if noted:
        ids, amounts = zip(*noted, strict=True)
        await ctx.db.run(q.credit_notes_use, credit_note_ids=list(ids), amounts_minor=list(amounts))
    used = {
        "paid_minor": sum(part for payment_id, _, part in parts if payment_id),
        "credited_minor": sum(part for _, part in noted),
    }
    detail = {"number": owed["number"], "currency": owed["currency"], **used}
    await record(ctx, "invoice.credit_used", of="invoice", id=invoice_id, detail=detail)
    return await settle(ctx, invoice_id, **used)


async def load_payment(ctx: Ctx, payment_id: uuid.UUID) -> Payment:
    """Return a payment of this tenant with its allocations. Errors: Missing."""
    row = await ctx.db.maybe(q.payment_get, payment_id=payment_id)
    if row is None:
        raise Missing("payment")
    return Payment(**row, allocations=await ctx.db.all(q.payment_allocations, payment_id=payment_id))


async def lock_payable(ctx: Ctx, invoice_id: uuid.UUID, *, version: int | None = None) -> Record:
    """Hold an invoice on which something is owed. Errors: Missing; Conflict; Stale where `version` is not its own."""
    invoice = await ctx.db.maybe(q.settle_lock, invoice_id=invoice_id)
    if invoice is None:
        raise Missing("invoice")
    if invoice["status"] not in PAYABLE:
        raise wrong_status(invoice["status"], invoice["number"], wanted="open")
    if version is not None and version != invoice["version"]:
        raise Stale(invoice["version"])
    return invoice


async def settle(ctx: Ctx, invoice_id: uuid.UUID, *, paid_minor: int = 0, credited_minor: int = 0) -> Changed:
    """Move the balance of an invoice that is held locked; its allocations are written already.

    The payment that settles the last of it leaves an audit row; what only credits is told by its caller.
    """
    row = await ctx.db.one(
        q.invoice_settle,
        invoice_id=invoice_id,
        paid_minor=paid_minor,
        credited_minor=credited_minor,
        now=ctx.now(),
    )
    if row["status"] == "paid" and paid_minor:
        detail = {"number": row["number"], "currency": row["currency"], "gross_minor": row["gross_minor"]}
        await record(ctx, "invoice.paid", of="invoice", id=invoice_id, detail=detail)
    return Changed(
        invoice_id=invoice_id,
        status=row["status"],
        number=row["number"],
        version=row["version"],
        balance_minor=row["balance_minor"],
    )


async def _check(ctx: Ctx, text: PaymentText, owed: Record | None) -> PaymentText:
    """Return the payment with everything it left to the invoice and to the calendar."""
    wrong: dict[str, str] = {}
    if owed:
        if text.customer_id not in (None, owed["customer_id"]):
            wrong["customer_id"] = _("Invoice {number} is another customer's.", number=owed["number"])
        if text.currency not in (None, owed["currency"]):
            wrong["currency"] = _(
                "Invoice {number} is in {currency}.", number=owed["number"], currency=owed["currency"]
            )
        time_zone, currency, customer_id = owed["time_zone"], owed["currency"], owed["customer_id"]
        closed_until = owed["closed_until"]
        amount = owed["balance_minor"] if text.amount_minor is None else text.amount_minor
    else:
        facts = await ctx.db.maybe(q.draft_facts, customer_id=text.customer_id) if text.customer_id else None
        if facts is None:
            wrong["customer_id"] = _("Choose one of your customers, or name an invoice.")
        if text.currency not in CURRENCIES:
            wrong["currency"] = _("Write a currency's code, such as EUR.")
        time_zone = facts["time_zone"] if facts else "UTC"
        closed_until = facts["closed_until"] if facts else None
        currency, customer_id, amount = text.currency, text.customer_id, text.amount_minor or 0
    if amount <= 0:
        wrong["amount"] = _("A payment is more than nothing.")
    today = today_in(time_zone, now=ctx.now())
    if text.paid_on is not None and text.paid_on > today:
        wrong["paid_on"] = _("This day is still to come.")
    if text.method not in METHODS:
        wrong["method"] = _("One of {choices}.", choices=", ".join(METHODS))
    reference = read_text(text.reference, "reference", wrong, chars_max=REFERENCE_CHARS_MAX)
    source = [
        read_text(value, field, wrong, chars_max=most, needed=True)
        for field, value, most in (
            ("source_type", text.source_type, 40),
            ("source_id", text.source_id, REFERENCE_CHARS_MAX),
        )
        if value is not None
    ]
    if len(source) == 1:
        wrong["source_id"] = _("Name both the kind of the source and its line, or neither.")
    if wrong:
        _refuse(wrong)
    require_open(closed_until, text.paid_on or today)
    return replace(
        text,
        amount_minor=within_bounds(amount, what=mark("The payment")),
        customer_id=customer_id,
        currency=currency,
        paid_on=text.paid_on or today,
        reference=reference,
        source_type=source[0] if source else None,
        source_id=source[1] if source else None,
    )


async def _known(ctx: Ctx, text: PaymentText) -> Recorded:
    """The payment that was read from the same source before, if it says the same."""
    before = await ctx.db.one(q.payment_of_source, source_type=text.source_type, source_id=text.source_id)
    said = {name: getattr(text, name) for name in ("customer_id", "currency", "amount_minor")}
    if any(before[name] != value for name, value in said.items()):
        raise Conflict(
            "invoicing.source_taken",
            _(
                "A payment of {source} is here already and says something else. "
                "Look at it, and give this one a source of its own.",
                source=f"{text.source_type} {text.source_id}",
            ),
        )
    payment = await load_payment(ctx, before["payment_id"])
    await record(ctx, "payment.repeated", of="payment", id=payment.payment_id)
    return Recorded(
        payment_id=payment.payment_id,
        is_new=False,
        allocated_minor=payment.allocated_minor,
        rest_minor=payment.rest_minor,
    )


def _refuse(wrong: dict[str, Any]) -> NoReturn:
    named = ", ".join(wrong)
    raise Invalid(
        "invoicing.payment_invalid",
        _("Some fields need another value: {fields}.", fields=named),
        fields=wrong,
    )

"""Drafts: written, rewritten and thrown away. What a draft says is checked and totalled here."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.kernel.money.currencies import CURRENCIES, Currency
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import due_on, today_in
from shipworthy.rooms.invoicing.invoice import Invoice, InvoiceLine, why_not
from shipworthy.rooms.invoicing.lines import LineText, read_changes, read_lines, read_text, total
from shipworthy.rooms.invoicing.pricing.changes import Change, LineChange
from shipworthy.rooms.invoicing.pricing.rounding import step_of
from shipworthy.rooms.invoicing.rates.applied import apply_codes
from shipworthy.rooms.invoicing.rates.rates import Rates, load_rates
from shipworthy.rooms.invoicing.rates.why import Why, explain
from shipworthy.rooms.invoicing.tax import Line, Totals

NOTE_CHARS_MAX = 2000
PAYMENT_DAYS_MAX = 365
_LINES_AT_ONCE = 200  # more take long enough for others to notice
SUPPLY_DAYS_MAX = 3660  # a supply further from today than ten years is a slip of the keyboard


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftText:
    """A draft as it was written, not yet checked. `unreadable` is what could not even be typed, by field."""

    customer_id: uuid.UUID | None
    currency: str
    lines: tuple[LineText, ...]
    note: str = ""
    payment_days: int = 14
    supply_date: date | None = None
    prices_include_tax: bool = False
    changes: tuple[Change, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)


async def create_draft(ctx: Ctx, text: DraftText) -> Invoice:
    """Write a new draft, dated today in the tenant's time zone.

    Errors:  Invalid, naming every wrong field.
    """
    draft = await _check(ctx, text)
    invoice_id, now = ctx.new_id(), ctx.now()
    await ctx.db.run(q.invoice_create, invoice_id=invoice_id, now=now, **columns_of(draft))
    await write_content(ctx, {invoice_id: draft})
    await record(ctx, "invoice.created", of="invoice", id=invoice_id, detail=_amounts(draft))
    return _as_invoice(draft, invoice_id=invoice_id, version=1, created_at=now)


async def edit_draft(ctx: Ctx, invoice_id: uuid.UUID, text: DraftText, *, version: int | None) -> Invoice:
    """Replace what a draft says, if it still is the version that was seen (None: whichever it is).

    Errors:  Invalid, naming every wrong field; Missing; Conflict `invoicing.not_draft`; Stale.
    """
    draft = await _check(ctx, text)
    row = await ctx.db.maybe(q.invoice_edit, invoice_id=invoice_id, version=version, **columns_of(draft))
    if row is None:
        raise await why_not(ctx, invoice_id, wanted="draft")
    await ctx.db.run(q.invoice_content_delete, invoice_id=invoice_id)
    await write_content(ctx, {invoice_id: draft})
    await record(ctx, "invoice.edited", of="invoice", id=invoice_id, detail=_amounts(draft))
    return _as_invoice(draft, invoice_id=invoice_id, version=row["version"], created_at=row["created_at"])


async def delete_draft(ctx: Ctx, invoice_id: uuid.UUID, *, version: int | None) -> None:
    """Throw a draft away. It never had a number, so none is missed.

    Errors:  Missing; Conflict `invoicing.not_draft`; Stale.
    """
    if not await ctx.db.maybe(q.invoice_delete, invoice_id=invoice_id, version=version):
        raise await why_not(ctx, invoice_id, wanted="draft")
    await record(ctx, "invoice.deleted", of="invoice", id=invoice_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft that was checked."""

    billed: Billed
    currency: Currency
    issue_date: date
    payment_days: int
    supply_date: date | None
    note: str
    prices_include_tax: bool
    lines: list[Line]
    tax_codes: tuple[str | None, ...]
    tax_reasons: tuple[Why, ...]
    rounding_step_minor: int
    totals: Totals

    @property
    def due_date(self) -> date:
        return due_on(self.issue_date, payment_days=self.payment_days)


async def typed_for(ctx: Ctx, customer_id: uuid.UUID | None) -> tuple[date, str]:
    """Return today where the seller is, and how what this customer owes is rounded; without one, as the seller says."""
    facts = await ctx.db.maybe(q.draft_facts, customer_id=customer_id) if customer_id else None
    facts = facts or await ctx.db.one(q.seller_get)
    return today_in(facts["time_zone"], now=ctx.now()), facts["rounding"]


def has_codes(text: DraftText) -> bool:
    """Return whether a draft names a tax by its code, so that the tenant's rates are needed."""
    return any(line.tax_code for line in text.lines) or any(change.tax_code for change in text.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """Whom a draft is for, and how what they owe is rounded."""

    customer_id: uuid.UUID
    name: str
    rounding: str


async def _check(ctx: Ctx, text: DraftText) -> Draft:
    facts = await ctx.db.maybe(q.draft_facts, customer_id=text.customer_id) if text.customer_id else None
    billed = None
    if facts is not None and text.customer_id is not None:
        billed = Billed(customer_id=text.customer_id, name=facts["customer_name"], rounding=facts["rounding"])
    today = today_in(facts["time_zone"] if facts else "UTC", now=ctx.now())
    rates = await load_rates(ctx) if has_codes(text) else None
    if len(text.lines) <= _LINES_AT_ONCE:
        return check_draft(text, billed, rates, today=today)
    return await asyncio.to_thread(check_draft, text, billed, rates, today=today)


def check_draft(text: DraftText, billed: Billed | None, rates: Rates | None, *, today: date) -> Draft:
    """Return what a draft says, checked and totalled. Pure; `rates` are needed where it names a tax by code.

    Errors:  Invalid, naming every wrong field.
    """
    wrong = dict(text.unreadable)
    if billed is None:
        wrong.setdefault("customer_id", _("Choose one of your customers."))
    currency = CURRENCIES.get(text.currency)
    if currency is None:
        wrong["currency"] = _(
            "There is no currency '{currency}'; write a code such as EUR.", currency=text.currency[:12]
        )
    note = read_text(text.note, "note", wrong, chars_max=NOTE_CHARS_MAX)
    if not 0 <= text.payment_days <= PAYMENT_DAYS_MAX:
        wrong["payment_days"] = _("Between 0 and {days_max} days.", days_max=PAYMENT_DAYS_MAX)
    if text.supply_date and abs((text.supply_date - today).days) > SUPPLY_DAYS_MAX:
        wrong["supply_date"] = _("This is more than ten years from today.")
    texts, agreed = apply_codes(text.lines, text.changes, rates, text.supply_date or today, wrong)
    lines = read_lines(texts, wrong)
    changes = read_changes(agreed, wrong)
    if wrong or billed is None or currency is None:
        named = ", ".join(wrong)
        raise Invalid(
            "invoicing.draft_invalid",
            _("Some fields need another value: {fields}.", fields=named),
            fields=wrong,
        )
    tax_codes = tuple(line.tax_code for line in texts)
    applied = [(code, *line.group) for code, line in zip(tax_codes, lines, strict=True)]
    applied += [(change.tax_code, *change.group) for change in changes if change.group]
    step_minor = step_of(billed.rounding, currency)
    return Draft(
        billed=billed,
        currency=currency,
        issue_date=today,
        payment_days=text.payment_days,
        supply_date=text.supply_date,
        note=note,
        prices_include_tax=text.prices_include_tax,
        lines=lines,
        tax_codes=tax_codes,
        tax_reasons=explain(applied, rates, supply_date=text.supply_date, issue_date=today),
        rounding_step_minor=step_minor,
        totals=total(
            lines,
            exponent=currency.exponent,
            changes=changes,
            prices_include_tax=text.prices_include_tax,
            rounding_step_minor=step_minor,
        ),
    )


def columns_of(draft: Draft) -> dict[str, Any]:
    """Return what a draft says in its own row."""
    return {
        "customer_id": draft.billed.customer_id,
        "currency": draft.currency.code,
        "exponent": draft.currency.exponent,
        "issue_date": draft.issue_date,
        "due_date": draft.due_date,
        "payment_days": draft.payment_days,
        "supply_date": draft.supply_date,
        "note": draft.note,
        "prices_include_tax": draft.prices_include_tax,
        "changes": draft.totals.changes,
        "tax_reasons": draft.tax_reasons,
        "net_minor": draft.totals.net_minor,
        "tax_minor": draft.totals.tax_minor,
        "gross_minor": draft.totals.gross_minor,
        "rounding_step_minor": draft.rounding_step_minor,
        "rounding_minor": draft.totals.rounding_minor,
    }


async def write_content(ctx: Ctx, drafts: Mapping[uuid.UUID, Draft]) -> None:
    """Write the lines and taxes of new drafts: one statement, however many they are, because arrays travel whole."""
    lines = [
        (invoice_id, line_no, line, code, net, tax, change)
        for invoice_id, draft in drafts.items()
        for line_no, (line, code, net, tax, change) in enumerate(_with_amounts(draft), 1)
    ]
    groups = [(invoice_id, group) for invoice_id, draft in drafts.items() for group in draft.totals.groups]
    await ctx.db.run(
        q.invoice_content_write,
        invoice_ids=[row[0] for row in lines],
        line_nos=[row[1] for row in lines],
        descriptions=[row[2].description for row in lines],
        quantities=[row[2].quantity for row in lines],
        unit_prices=[row[2].unit_price for row in lines],
        line_categories=[row[2].tax_category for row in lines],
        line_rates_bp=[row[2].rate_bp for row in lines],
        units=[row[2].unit for row in lines],
        line_tax_codes=[row[3] for row in lines],
        line_nets_minor=[row[4] for row in lines],
        line_taxes_minor=[row[5] for row in lines],
        line_changes=[row[6] for row in lines],
        credits_line_nos=[None] * len(lines),
        tax_invoice_ids=[invoice_id for invoice_id, _group in groups],
        categories=[group.category for _id, group in groups],
        rates_bp=[group.rate_bp for _id, group in groups],
        bases_minor=[group.base_minor for _id, group in groups],
        taxes_minor=[group.tax_minor for _id, group in groups],
    )


def _with_amounts(draft: Draft) -> Iterator[tuple[Line, str | None, int, int, LineChange | None]]:
    totals = draft.totals
    return zip(
        draft.lines,
        draft.tax_codes,
        totals.line_nets_minor,
        totals.line_taxes_minor,
        totals.line_changes or (None,) * len(draft.lines),
        strict=True,
    )


def _as_invoice(draft: Draft, *, invoice_id: uuid.UUID, version: int, created_at: datetime) -> Invoice:
    totals = draft.totals
    return Invoice(
        invoice_id=invoice_id,
        customer_id=draft.billed.customer_id,
        customer_name=draft.billed.name,
        status="draft",
        version=version,
        number=None,
        currency=draft.currency.code,
        exponent=draft.currency.exponent,
        issue_date=draft.issue_date,
        due_date=draft.due_date,
        payment_days=draft.payment_days,
        supply_date=draft.supply_date,
        note=draft.note,
        prices_include_tax=draft.prices_include_tax,
        changes=totals.changes,
        tax_reasons=draft.tax_reasons,
        net_minor=totals.net_minor,
        tax_minor=totals.tax_minor,
        gross_minor=totals.gross_minor,
        rounding_step_minor=draft.rounding_step_minor,
        rounding_minor=totals.rounding_minor,
        lines=tuple(
            InvoiceLine(
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                tax_category=line.tax_category,
                tax_rate_bp=line.rate_bp,
                net_minor=net,
                tax_minor=tax,
                tax_code=code,
                change=change,
                unit=line.unit,
            )
            for line, code, net, tax, change in _with_amounts(draft)
        ),
        taxes=totals.groups,
        created_at=created_at,
    )


def _amounts(draft: Draft) -> dict[str, object]:
    return {
        "customer_id": str(draft.billed.customer_id),
        "currency": draft.currency.code,
        "gross_minor": draft.totals.gross_minor,
        "lines": len(draft.lines),
    }

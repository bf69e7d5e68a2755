"""Drafts: written, rewritten and thrown away. What a draft says is checked and totalled here."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.money.currencies import Currency, currency_of
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import due_on, today_in
from shipworthy.rooms.invoicing.invoice import Invoice, InvoiceLine, why_not
from shipworthy.rooms.invoicing.lines import LineText, read_lines, read_text, total
from shipworthy.rooms.invoicing.tax import Line, Totals

NOTE_CHARS_MAX = 2000
PAYMENT_DAYS_MAX = 365
_SUPPLY_YEARS_MAX = 10  # a supply further away than this is a slip of the keyboard


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftText:
    """A draft as it was written, not yet checked."""

    customer_id: uuid.UUID | None
    currency: str
    lines: tuple[LineText, ...]
    note: str = ""
    payment_days: int = 14
    supply_date: date | None = None


async def create_draft(ctx: Ctx, text: DraftText) -> Invoice:
    """Write a new draft, dated today in the tenant's time zone.

    Errors:  Invalid, naming every wrong field.
    """
    invoice = await _checked(ctx, text, invoice_id=ctx.new_id(), version=1)
    await ctx.db.run(
        q.invoice_create, **_columns(invoice), now=invoice.created_at
    )
    await _write_lines(ctx, invoice)
    await record(ctx, "invoice.created", of="invoice", id=invoice.invoice_id, detail=_facts(invoice))
    return invoice


async def edit_draft(ctx: Ctx, invoice_id: uuid.UUID, text: DraftText, *, version: int | None) -> Invoice:
    """Replace a draft, if it still is the version that was seen (None: whichever it is).

    Errors:  Invalid, naming every wrong field; Missing; Conflict `invoicing.not_draft`; Stale.
    """
    if version is None:
        version = await current_version(ctx, invoice_id)
    invoice = await _checked(ctx, text, invoice_id=invoice_id, version=version + 1)
    if not await ctx.db.maybe(q.invoice_edit, **_columns(invoice), version=version):
        raise await why_not(ctx, invoice_id, wanted="draft")
    await ctx.db.run(q.invoice_lines_delete, invoice_id=invoice_id)
    await ctx.db.run(q.invoice_taxes_delete, invoice_id=invoice_id)
    await _write_lines(ctx, invoice)
    await record(ctx, "invoice.edited", of="invoice", id=invoice_id, detail=_facts(invoice))
    return invoice

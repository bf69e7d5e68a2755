"""Credit notes: an invoice taken back, whole or in part, line by line, exact to the cent (`pricing/credit.py`)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.language import _
from shipworthy.kernel.money.parse import parse_quantity
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.finalise import issue_locked
from shipworthy.rooms.invoicing.invoice import Changed, read_changes, read_line_change, wrong_status
from shipworthy.rooms.invoicing.lines import read_text
from shipworthy.rooms.invoicing.payments import settle
from shipworthy.rooms.invoicing.pricing.credit import InvoicedLine, compute_credit
from shipworthy.rooms.invoicing.tax import Line, Totals
from shipworthy.rooms.invoicing.versions import Stale

NOTE_CHARS_MAX = 2000
CREDITABLE = ("open", "paid", "uncollectible")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditText:
    """What to credit: quantities by line number as written; None is all that is left."""

    quantities: Mapping[int, str] | None = None
    note: str = ""


async def credit_invoice(
    ctx: Ctx, invoice_id: uuid.UUID, text: CreditText, *, version: int | None = None
) -> Changed:
    """Issue a credit note for an invoice. It settles what is still owed; the rest is the customer's credit.

    Errors:  Missing; Stale; Invalid, naming every wrong line; Conflict `invoicing.not_issued`,
             `invoicing.not_open`, `invoicing.nothing_to_credit`, `invoicing.credit_too_high`.
    """
    invoice = await ctx.db.maybe(q.credit_facts, invoice_id=invoice_id)
    if invoice is None:
        raise Missing("invoice")
    if invoice["status"] not in CREDITABLE:
        raise wrong_status(invoice["status"], invoice["number"], wanted="open")
    if version is not None and version != invoice["version"]:
        raise Stale(invoice["version"])
    invoiced = await load_invoiced_lines(ctx, invoice_id)
    wrong: dict[str, str] = {}
    note = read_text(text.note, "note", wrong, chars_max=NOTE_CHARS_MAX)
    wanted = _read(text.quantities, invoiced, wrong)
    if wrong:
        named = ", ".join(wrong)
        raise Invalid(
            "invoicing.credit_invalid",
            _("Some fields need another value: {fields}.", fields=named),
            fields=wrong,
        )
    if not wanted:
        raise Conflict(
            "invoicing.nothing_to_credit",
            _("Nothing is left to credit of invoice {number}.", number=invoice["number"]),
        )
    totals = await _total(invoice, invoiced, wanted)
    credit_note_id = await _write(ctx, invoice, invoiced, wanted, totals, note)
    settled, status = min(totals.payable_minor, invoice["balance_minor"]), invoice["status"]
    if settled:
        await ctx.db.run(
            q.credit_settle,
            allocation_id=ctx.new_id(),
            credit_note_id=credit_note_id,
            invoice_id=invoice_id,
            amount_minor=settled,
            now=ctx.now(),
        )
        status = (await settle(ctx, invoice_id, credited_minor=settled)).status
    detail = {
        "number": invoice["number"],
        "currency": invoice["currency"],
        "gross_minor": totals.gross_minor,
        "status": status,
    }
    await record(ctx, "invoice.credited", of="invoice", id=invoice_id, detail=detail)
    draft = await ctx.db.one(q.invoice_lock, invoice_id=credit_note_id)
    return await issue_locked(ctx, draft, credited_minor=settled)


async def _total(invoice: Record, invoiced: Sequence[InvoicedLine], wanted: Mapping[int, Decimal]) -> Totals:
    """Return what the credit note comes to; ten thousand lines take long enough for others to notice."""
    totals = await asyncio.to_thread(
        compute_credit,
        invoiced,
        wanted,
        exponent=invoice["exponent"],
        changes=read_changes(invoice["changes"]),
        prices_include_tax=invoice["prices_include_tax"],
        rounding_step_minor=invoice["rounding_step_minor"],
        gross_before_minor=invoice["credited_before_minor"],
    )
    left_minor = invoice["gross_minor"] - invoice["credited_before_minor"]
    if not 0 < totals.gross_minor <= left_minor:
        raise Conflict(
            "invoicing.credit_too_high",
            _(
                "These lines come to nothing or less, or to more than is left of invoice {number}. "
                "Credit the lines together that were invoiced together.",
                number=invoice["number"],
            ),
        )
    return totals


async def load_invoiced_lines(ctx: Ctx, invoice_id: uuid.UUID) -> list[InvoicedLine]:
    """Return the lines of an invoice with what was credited of each. Cost: one query."""
    return [
        InvoicedLine(
            line_no=row["line_no"],
            credited=row["credited"],
            tax_code=row["tax_code"],
            change=read_line_change(row["change"]),
            line=Line(
                description=row["description"],
                quantity=row["quantity"],
                unit_price=row["unit_price"],
                tax_category=row["tax_category"],
                rate_bp=row["tax_rate_bp"],
                unit=row["unit"],
            ),
        )
        for row in await ctx.db.all(q.credit_lines, invoice_id=invoice_id)
    ]


def _read(
    quantities: Mapping[int, str] | None, invoiced: Sequence[InvoicedLine], wrong: dict[str, str]
) -> dict[int, Decimal]:
    """Return what to credit by line number, nothing left out silently; what is wrong is added to `wrong`."""
    if quantities is None:
        return {line.line_no: line.left for line in invoiced if line.left}
    by_number = {line.line_no: line for line in invoiced}
    wanted = {}
    for line_no, written in quantities.items():
        field = f"lines[{line_no}].quantity"
        line = by_number.get(line_no)
        try:
            quantity = parse_quantity(written.strip() or "0", field=field)
        except Invalid as refused:
            wrong[field] = refused.message
            continue
        if line is None:
            wrong[field] = _("The invoice has no line {line_no}.", line_no=line_no)
        elif quantity and (quantity * line.left <= 0 or abs(quantity) > abs(line.left)):
            wrong[field] = _("Of this line {left} is left to credit.", left=f"{line.left.normalize():f}")
        elif quantity:
            wanted[line_no] = quantity
    return wanted


async def _write(
    ctx: Ctx,
    invoice: Record,
    invoiced: Sequence[InvoicedLine],
    wanted: Mapping[int, Decimal],
    totals: Totals,
    note: str,
) -> uuid.UUID:
    """Write the credit note as a draft that this transaction issues before anybody can see it."""
    credit_note_id = ctx.new_id()
    await ctx.db.run(
        q.credit_note_create,
        credit_note_id=credit_note_id,
        invoice_id=invoice["invoice_id"],
        note=note,
        changes=totals.changes,
        net_minor=totals.net_minor,
        tax_minor=totals.tax_minor,
        gross_minor=totals.gross_minor,
        rounding_minor=totals.rounding_minor,
        now=ctx.now(),
    )
    lines = [line for line in invoiced if line.line_no in wanted]
    await ctx.db.run(
        q.invoice_content_write,
        invoice_ids=[credit_note_id] * len(lines),
        line_nos=list(range(1, len(lines) + 1)),
        descriptions=[line.line.description for line in lines],
        quantities=[wanted[line.line_no] for line in lines],
        unit_prices=[line.line.unit_price for line in lines],
        line_categories=[line.line.tax_category for line in lines],
        line_rates_bp=[line.line.rate_bp for line in lines],
        line_nets_minor=list(totals.line_nets_minor),
        line_taxes_minor=list(totals.line_taxes_minor),
        units=[line.line.unit for line in lines],
        line_tax_codes=[line.tax_code for line in lines],
        line_changes=list(totals.line_changes) or [None] * len(lines),
        credits_line_nos=[line.line_no for line in lines],
        tax_invoice_ids=[credit_note_id] * len(totals.groups),
        categories=[group.category for group in totals.groups],
        rates_bp=[group.rate_bp for group in totals.groups],
        bases_minor=[group.base_minor for group in totals.groups],
        taxes_minor=[group.tax_minor for group in totals.groups],
    )
    return credit_note_id

"""The PDF of an invoice: printed once after it is issued, kept as a file, handed out as bytes."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Conflict, Missing
from shipworthy.kernel.files.store import object_key
from shipworthy.kernel.language import Locale, _, day_text
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.quotas.budget import count, waits_for
from shipworthy.kernel.quotas.stored import keep_stored
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.einvoice.issued import needs
from shipworthy.rooms.invoicing.einvoice.writing import write_einvoice
from shipworthy.rooms.invoicing.finalise import PDF_JOB
from shipworthy.rooms.invoicing.invoice import Invoice, load_invoice, wrong_status
from shipworthy.rooms.invoicing.printing.annex import annex_csv, annex_name, is_long, parts_of
from shipworthy.rooms.invoicing.printing.paper import BankAccount, InvoiceDocument, Party, PrintedLine
from shipworthy.rooms.invoicing.printing.press import NotPrinted, Press
from shipworthy.rooms.invoicing.rates.why import exemption
from shipworthy.rooms.invoicing.wording import language_of

_PRESS = "invoicing.press"


async def print_invoice(ctx: Ctx, invoice_id: uuid.UUID) -> None:
    """Render an issued invoice and keep it. However often it runs, one document is there after it.

    The file is put first and the row after it, because the row says that the file is there.
    A file without its row is overwritten by the next try, with the same bytes.

    One that cannot be printed is written down as failed, with the reason: it is not tried again by itself.

    Errors:  Missing, Conflict `invoicing.not_issued`, Upstream when the file store is away.
    """
    invoice = await load_invoice(ctx, invoice_id)
    if invoice.number is None:
        raise wrong_status(invoice.status, None, wanted="open")
    if invoice.has_pdf:
        return
    try:
        pdf = await _render(
            ctx, invoice, language_of(invoice.buyer, otherwise=ctx.runtime.settings.app.locale)
        )
    except NotPrinted as failed:
        await ctx.db.run(
            q.pdf_failure_write,
            invoice_id=invoice_id,
            code=failed.code,
            reason=failed.message[:1000],
            now=ctx.now(),
        )
        return
    key = object_key(ctx.tenant_id, "invoice-pdf", f"{invoice_id}.pdf")
    await ctx.runtime.files.put(key, pdf)
    await keep_stored(ctx.db, f"invoice-pdf/{invoice_id}.pdf", len(pdf), now=ctx.now())
    await ctx.db.run(
        q.document_create,
        invoice_id=invoice_id,
        object_key=key,
        sha256=hashlib.sha256(pdf).digest(),
        bytes=len(pdf),
        now=ctx.now(),
    )


async def _render(ctx: Ctx, invoice: Invoice, locale: Locale) -> bytes:
    """An invoice that lacks what EN 16931 asks for is still an invoice on paper; it carries no XML."""
    lacking = needs(invoice, "cii", seller=invoice.seller or {}, buyer=invoice.buyer or {})
    einvoice = None if lacking else await asyncio.to_thread(write_einvoice, invoice, "cii", locale=locale)
    document = await asyncio.to_thread(as_document, invoice, locale=locale)
    return await press_of(ctx.runtime).render(
        replace(
            document,
            logo=await load_logo(ctx, (invoice.seller or {}).get("logo_key", "")),
        ),
        einvoice=einvoice,
        on_printed=partial(count, ctx, "pdf_ms"),
    )


async def load_logo(ctx: Ctx, key: str) -> bytes:
    """Return a logo. One that is lost leaves its invoice without: paper is worth more. Errors: Upstream."""
    if not key:
        return b""
    try:
        return await ctx.runtime.files.get(key)
    except Missing:
        return b""


def press_of(runtime: Runtime) -> Press:
    """Return this process's press; its child begins with the first document."""
    press: Press = runtime.state.setdefault(_PRESS, Press(runtime.settings.pdf))
    return press


async def close_press(runtime: Runtime) -> None:
    """End the press with its process."""
    if _PRESS in runtime.state:
        await press_of(runtime).close()


async def print_again(ctx: Ctx, invoice_id: uuid.UUID) -> str:
    """Queue the PDF of an issued invoice anew where there is none; return `ready` or `pending`.

    Errors:  Missing; Conflict `invoicing.not_issued`.
    """
    state = await ctx.db.maybe(q.invoice_state, invoice_id=invoice_id)
    if state is None:
        raise Missing("invoice")
    if state["number"] is None:
        raise wrong_status(state["status"], None, wanted="open")
    await record(ctx, "invoice.pdf_asked", of="invoice", id=invoice_id)
    if await ctx.db.maybe(q.document_get, invoice_id=invoice_id):
        return "ready"
    await ctx.db.run(q.pdf_failure_forget, invoice_id=invoice_id)
    await enqueue(ctx, PDF_JOB, invoice_id)
    return "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A printed invoice, ready to hand out."""

    number: str
    body: bytes
    sha256: bytes


async def fetch_pdf(ctx: Ctx, invoice_id: uuid.UUID) -> Printed:
    """Return the PDF of an issued invoice. Holds no connection while the file store answers.

    Errors:  those of `kept_pdf`; Upstream when the file store is away.
    """
    async with ctx.begin() as tx:
        kept = await kept_pdf(tx, invoice_id)
    body = await ctx.runtime.files.get(kept.object_key)
    return Printed(number=kept.number, body=body, sha256=kept.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where the PDF of an invoice is kept."""

    number: str
    object_key: str
    sha256: bytes


async def kept_pdf(tx: Tx, invoice_id: uuid.UUID) -> Kept:
    """Return where the PDF of an issued invoice is.

    Errors:  Missing; Conflict `invoicing.not_issued` for a draft, `invoicing.pdf_pending` while it is being made,
             `invoicing.pdf_waits` while there is no budget for it,
             `invoicing.pdf_failed` where it cannot be made, with the reason.
    """
    state = await tx.maybe(q.invoice_state, invoice_id=invoice_id)
    kept = await tx.maybe(q.document_get, invoice_id=invoice_id)
    if state is None:
        raise Missing("invoice")
    if state["number"] is None:
        raise wrong_status(state["status"], None, wanted="open")
    if kept is None:
        if failure := await tx.maybe(q.pdf_failure_get, invoice_id=invoice_id):
            raise Conflict("invoicing.pdf_failed", failure["reason"])
        if waits := await waits_for(tx, PDF_JOB, invoice_id):
            raise Conflict("invoicing.pdf_waits", _waits(state["number"], waits))
        raise Conflict(
            "invoicing.pdf_pending",
            _("The PDF of invoice {number} is being made. Try again in a moment.", number=state["number"]),
            retry_after_s=2,
        )
    return Kept(number=state["number"], object_key=kept["object_key"], sha256=kept["sha256"])


async def why_it_waits(tx: Tx, invoice: Invoice) -> str:
    """Return why the PDF of an issued invoice is not made yet, in words; "" where it does not wait for a budget."""
    if invoice.number is None or invoice.has_pdf:
        return ""
    waits = await waits_for(tx, PDF_JOB, invoice.invoice_id)
    return _waits(invoice.number, waits) if waits else ""


def _waits(number: str, waits: Record) -> str:
    if waits["renews_at"] is None:
        return _("The PDF of invoice {number} waits until there is budget for it.", number=number)
    day = day_text(waits["renews_at"].date())
    return _(
        "The PDF of invoice {number} waits: this month's PDF time is used up. It is made on {day}, or as soon as the "
        "operator gives more.",
        number=number,
        day=day,
    )


def as_document(invoice: Invoice, *, locale: Locale) -> InvoiceDocument:
    """Return what the paper says: the frozen copies of seller and buyer, never today's."""
    assert invoice.number is not None, "a draft has no document"
    assert invoice.seller is not None
    assert invoice.buyer is not None
    return InvoiceDocument(
        number=invoice.number,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        seller=printed_seller(invoice.seller),
        buyer=_buyer(invoice.buyer),
        currency=invoice.currency,
        parts=parts_of(invoice) if is_long(invoice) else (),
        annex=annex_csv(invoice) if is_long(invoice) else b"",
        annex_name=annex_name(invoice) if is_long(invoice) else "",
        lines=()
        if is_long(invoice)
        else tuple(
            PrintedLine(
                description=line.description,
                quantity=line.quantity,
                unit=line.unit,
                unit_price=line.unit_price,
                tax_category=line.tax_category,
                rate_bp=line.tax_rate_bp,
                net_minor=line.net_minor,
                tax_minor=line.tax_minor,
                change=line.change,
            )
            for line in invoice.lines
        ),
        tax_groups=invoice.taxes,
        prices_include_tax=invoice.prices_include_tax,
        exemptions=tuple(
            (tax.category, said)
            for tax in invoice.taxes
            if (said := exemption(invoice.tax_reasons, tax.category)[0])
        ),
        changes=invoice.changes,
        net_minor=invoice.net_minor,
        tax_minor=invoice.tax_minor,
        gross_minor=invoice.gross_minor,
        rounding_minor=invoice.rounding_minor,
        locale=locale,
        supply_date=invoice.supply_date,
        credits=invoice.credits_number or "",
        order_reference=invoice.buyer.get("buyer_reference", ""),
        bank=printed_bank(invoice.seller),
        notes=invoice.note,
        accent=invoice.seller.get("accent", ""),
        footer=invoice.seller.get("footer", ""),
    )


def printed_seller(seller: dict[str, Any]) -> Party:
    """Invoices issued before sellers had details carry a name and a country only."""
    town = f"{seller.get('postal_code', '')} {seller.get('city', '')}".strip()
    lines = tuple(line for line in (seller.get("street"), town) if line)
    return Party(
        name=seller["name"],
        address_lines=(*lines, seller["country"]) if lines else (),
        tax_id=seller.get("vat_id") or seller.get("tax_number", ""),
        email=seller.get("email", ""),
        phone=seller.get("phone", ""),
    )


def printed_bank(seller: dict[str, Any]) -> BankAccount | None:
    if not seller.get("iban"):
        return None
    return BankAccount(
        holder=seller["name"], iban=seller["iban"], bic=seller["bic"], bank_name=seller["bank_name"]
    )


def _buyer(buyer: dict[str, Any]) -> Party:
    town = f"{buyer['postal_code']} {buyer['city']}".strip()
    lines = tuple(line for line in (buyer["street"], town, buyer["country"]) if line)
    return Party(name=buyer["name"], address_lines=lines, tax_id=buyer["tax_id"], email=buyer["email"])

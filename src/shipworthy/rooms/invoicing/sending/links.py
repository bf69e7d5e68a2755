"""A link to an invoice's PDF or XML for somebody who cannot sign in: signed, and soon over."""

from __future__ import annotations

import asyncio
import uuid
from typing import Literal

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.files.links import SignedLink
from shipworthy.kernel.files.store import object_key
from shipworthy.kernel.quotas.stored import keep_stored
from shipworthy.rooms.invoicing.document import kept_pdf
from shipworthy.rooms.invoicing.einvoice.issued import Format
from shipworthy.rooms.invoicing.einvoice.writing import write_einvoice
from shipworthy.rooms.invoicing.invoice import load_invoice, wrong_status
from shipworthy.rooms.invoicing.wording import language_of

Document = Literal["pdf", "ubl", "cii", "xrechnung", "peppol"]


async def link_document(ctx: Ctx, invoice_id: uuid.UUID, wanted: Document) -> SignedLink:
    """Return a link to one file of an issued invoice; the same one to everybody for a while (`files.link_ttl_s`).

    Holds no connection while the file store answers.

    Errors:  those of `kept_pdf` for the PDF; Missing, Conflict `invoicing.not_issued` or `einvoice.field_missing` for
             an XML; Upstream when the file store is away.
    """
    if wanted == "pdf":
        async with ctx.begin() as tx:
            kept = await kept_pdf(tx, invoice_id)
        return _sign(ctx, kept.object_key, f"{kept.number}.pdf")
    return await _link_xml(ctx, invoice_id, wanted)


async def _link_xml(ctx: Ctx, invoice_id: uuid.UUID, wanted: Format) -> SignedLink:
    """XML is written when it is asked for; a link is to a file, so it is kept then. The same bytes each time."""
    async with ctx.begin() as tx:
        ctx.tx = tx
        invoice = await load_invoice(ctx, invoice_id)
    if invoice.number is None:
        raise wrong_status(invoice.status, None, wanted="open")
    xml = await asyncio.to_thread(
        write_einvoice,
        invoice,
        wanted,
        locale=language_of(invoice.buyer, otherwise=ctx.runtime.settings.app.locale),
    )
    key = object_key(ctx.tenant_id, "invoice-xml", f"{invoice_id}-{wanted}.xml")
    await ctx.runtime.files.put(key, xml)
    async with ctx.begin() as tx:
        await keep_stored(tx, f"invoice-xml/{invoice_id}-{wanted}.xml", len(xml), now=ctx.now())
    return _sign(ctx, key, f"{invoice.number}-{wanted}.xml")


def _sign(ctx: Ctx, key: str, name: str) -> SignedLink:
    ttl_s = ctx.runtime.settings.files.link_ttl_s
    return ctx.runtime.file_links.sign(key, name=name, now=ctx.now(), ttl_s=ttl_s, show="inline")

"""How an open invoice ends: paid in full, or declared void. Either way it keeps its number."""

from __future__ import annotations

import uuid

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.queries import NamedQuery
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.invoice import Changed, why_not


async def pay(ctx: Ctx, invoice_id: uuid.UUID, *, version: int | None) -> Changed:
    """Note that an open invoice was paid in full.

    Errors:  Missing; Conflict `invoicing.not_open` or `invoicing.not_issued`; Stale.
    """
    return await _end(ctx, q.invoice_pay, "paid", invoice_id, version)


async def void(ctx: Ctx, invoice_id: uuid.UUID, *, version: int | None) -> Changed:
    """Declare an open invoice void; its number is never used again.

    Errors:  as `pay`.
    """
    return await _end(ctx, q.invoice_void, "void", invoice_id, version)


async def _end(
    ctx: Ctx, query: NamedQuery, status: str, invoice_id: uuid.UUID, version: int | None
) -> Changed:
    row = await ctx.db.maybe(query, invoice_id=invoice_id, version=version, now=ctx.now())
    if row is None:
        raise await why_not(ctx, invoice_id, wanted="open")
    detail = {"number": row["number"], "currency": row["currency"], "gross_minor": row["gross_minor"]}
    await record(ctx, f"invoice.{status}", of="invoice", id=invoice_id, detail=detail)
    return Changed(invoice_id=invoice_id, status=status, number=row["number"], version=row["version"])

"""How an open invoice ends: paid in full, given up, or declared void. Either way it keeps its number."""

from __future__ import annotations

import uuid

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.invoice import Changed, why_not
from shipworthy.rooms.invoicing.payments import PaymentText, record_payment


async def pay(ctx: Ctx, invoice_id: uuid.UUID, *, version: int | None) -> Changed:
    """Record a payment of all that is still owed on an open invoice.

    Errors:  Missing; Conflict `invoicing.not_open` or `invoicing.not_issued`; Stale.
    """
    recorded = await record_payment(ctx, PaymentText(invoice_id=invoice_id, method="other"), version=version)
    assert recorded.invoice is not None, "a payment without a source is always new"
    return recorded.invoice


async def give_up(ctx: Ctx, invoice_id: uuid.UUID, *, version: int | None) -> Changed:
    """Declare an open invoice uncollectible. It can still be paid, credited or declared void.

    Errors:  as `pay`.
    """
    row = await ctx.db.maybe(q.invoice_give_up, invoice_id=invoice_id, version=version, now=ctx.now())
    if row is None:
        raise await why_not(ctx, invoice_id, wanted="open")
    detail = {"number": row["number"], "currency": row["currency"], "balance_minor": row["balance_minor"]}
    await record(ctx, "invoice.uncollectible", of="invoice", id=invoice_id, detail=detail)
    return Changed(
        invoice_id=invoice_id,
        status="uncollectible",
        number=row["number"],
        version=row["version"],
        balance_minor=row["balance_minor"],
    )


async def void(ctx: Ctx, invoice_id: uuid.UUID, *, version: int | None) -> Changed:
    """Declare an open invoice on which nothing was paid void; its number is never used again.

    Errors:  as `pay`, and `invoicing.settled_in_part`.
    """
    row = await ctx.db.maybe(q.invoice_void, invoice_id=invoice_id, version=version, now=ctx.now())
    if row is None:
        raise await why_not(ctx, invoice_id, wanted="open", version=version, voiding=True)
    detail = {"number": row["number"], "currency": row["currency"], "gross_minor": row["gross_minor"]}
    await record(ctx, "invoice.void", of="invoice", id=invoice_id, detail=detail)
    return Changed(invoice_id=invoice_id, status="void", number=row["number"], version=row["version"])

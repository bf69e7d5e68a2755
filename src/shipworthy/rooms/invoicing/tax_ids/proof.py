"""The proof that a VAT number was given out on a day: asked for by a job, kept with its date.

One row a number. The last answer stays while a newer one is asked for: a service that is away takes nothing from what
was known. An invoice is issued with a copy of it.
"""

from __future__ import annotations

from datetime import timedelta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.queue.job import enqueue
from shipworthy.rooms.invoicing.asking import NoAnswer, asked_again, egress_to
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.tax_ids.form import compact, form_of
from shipworthy.rooms.invoicing.tax_ids.register import ask

PROOF_JOB = "customer.tax_id"
FRESH_FOR = timedelta(days=1)  # the service counts its callers: one question a number and day is enough
_SERVICE = "tax_id_service"


async def want_proof(ctx: Ctx, text: str) -> bool:
    """Queue the question about a VAT number; False where no service is set, its form is wrong, or it was asked today."""
    tax_id = compact(text)
    if not ctx.runtime.settings.tax.vat_check_url or form_of(tax_id) != "right":
        return False
    now = ctx.now()
    asked = await ctx.db.maybe(q.tax_id_ask, tax_id=tax_id, now=now, stale_before=now - FRESH_FOR)
    if asked is None:
        return False
    await enqueue(ctx, PROOF_JOB, f"{tax_id}/{asked['asked']}/0")
    return True


async def proof_of(ctx: Ctx, text: str) -> Record | None:
    """Return what is known of a VAT number."""
    tax_id = compact(text)
    return await ctx.db.maybe(q.tax_id_get, tax_id=tax_id) if tax_id else None


async def prove(ctx: Ctx, source: str) -> None:
    """Ask about one number and write the answer down with its moment; without one it is asked again, later and later.

    No row is held while the service is asked: who saves the customer meanwhile does not wait for it.
    """
    tax_id, asked, attempt = source.split("/")
    held = await ctx.db.maybe(q.tax_id_get, tax_id=tax_id)
    if held is None or held["asked"] != int(asked) or not held["is_waiting"]:
        return
    try:
        url = ctx.runtime.settings.tax.vat_check_url
        told = await ask(egress_to(ctx.runtime, _SERVICE), url, tax_id)
    except NoAnswer as silent:
        source = f"{tax_id}/{asked}"
        if not await asked_again(
            ctx, PROOF_JOB, source, attempt=int(attempt), service="VAT service", silent=silent
        ):
            await ctx.db.run(q.tax_id_silent, tax_id=tax_id, asked=int(asked))
        return
    await ctx.db.run(
        q.tax_id_answer,
        tax_id=tax_id,
        asked=int(asked),
        is_valid=told.is_valid,
        name=told.name,
        address=told.address,
        now=ctx.now(),
    )

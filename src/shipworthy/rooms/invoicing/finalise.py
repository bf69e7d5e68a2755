"""Issuing: a draft becomes an invoice, once, with a number that leaves no gap."""

from __future__ import annotations

import uuid
from datetime import date

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.language import _
from shipworthy.kernel.queue.job import enqueue
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import due_on, today_in
from shipworthy.rooms.invoicing.invoice import Changed, wrong_status
from shipworthy.rooms.invoicing.numbering import DEFAULTS, Issue, Series, issue_numbered
from shipworthy.rooms.invoicing.rates.rates import load_rates
from shipworthy.rooms.invoicing.rates.why import explain_at_issue, read_reasons
from shipworthy.rooms.invoicing.series import require_open
from shipworthy.rooms.invoicing.versions import Stale

PDF_JOB = "invoice.pdf"


async def finalise(
    ctx: Ctx, invoice_id: uuid.UUID, *, version: int | None, issue_date: date | None = None
) -> Changed:
    """Issue a draft under its number, dated today or on a day before; seller and buyer are frozen with it.

    The audit row and the job for the PDF exist if and only if the number does. They are written
    before it, so that the counter every other invoice waits for is held as briefly as can be.

    Errors:  Missing; Conflict `invoicing.not_draft` or `invoicing.total_negative`; Stale; those of `issue_locked`.
    """
    draft = await ctx.db.maybe(q.invoice_lock, invoice_id=invoice_id)
    if draft is None:
        raise Missing("invoice")
    if draft["status"] != "draft":
        raise wrong_status(draft["status"], draft["number"], wanted="draft")
    if version is not None and version != draft["version"]:
        raise Stale(draft["version"])
    if draft["gross_minor"] < 0:
        raise Conflict(
            "invoicing.total_negative",
            _("An invoice cannot ask for less than nothing. Credit the invoice that was too high instead."),
        )
    return await issue_locked(ctx, draft, issue_date=issue_date)


async def issue_locked(
    ctx: Ctx, draft: Record, *, credited_minor: int = 0, issue_date: date | None = None
) -> Changed:
    """Issue a draft that is held locked; of a credit note, `credited_minor` is what it settles at once.

    Errors:  Invalid `invoicing.date_to_come`; Conflict `invoicing.books_closed`, `invoicing.date_before_last`,
             `invoicing.number_taken`.
    """
    now, invoice_id = ctx.now(), draft["invoice_id"]
    today = today_in(draft["time_zone"], now=now)
    issue_date = issue_date or today
    if issue_date > today:
        said = _("This day is still to come.")
        raise Invalid("invoicing.date_to_come", said, fields={"issue_date": said})
    require_open(draft["closed_until"], issue_date)
    if draft["kind"] == "invoice":
        await _explain_taxes(ctx, draft, issue_date)
    issue = Issue(
        issue_date=issue_date,
        due_date=due_on(issue_date, payment_days=draft["payment_days"]),
        seller=draft["seller"],
        buyer=draft["buyer"],
        credited_minor=credited_minor,
        now=now,
    )
    detail = {
        "issue_date": issue_date.isoformat(),
        "currency": draft["currency"],
        "gross_minor": draft["gross_minor"],
    }
    await enqueue(ctx, PDF_JOB, invoice_id)
    await record(ctx, "invoice.issued", of="invoice", id=invoice_id, detail=detail)
    issued = await issue_numbered(ctx, invoice_id, _series(draft), issue)
    return Changed(
        invoice_id=invoice_id,
        status=issued["status"],
        number=issued["number"],
        version=issued["version"],
        balance_minor=draft["gross_minor"] + draft["rounding_minor"] - credited_minor,
    )


async def _explain_taxes(ctx: Ctx, draft: Record, issue_date: date) -> None:
    """Hold the rates against the tax point, now that the day of issue is known, and keep why they were applied.

    Errors:  Conflict `invoicing.rate_changed`.
    """
    kept = read_reasons(draft["tax_reasons"])
    rates = await load_rates(ctx) if any(why.code for why in kept) else None
    reasons = explain_at_issue(kept, rates, supply_date=draft["supply_date"], issue_date=issue_date)
    if reasons != kept:
        await ctx.db.run(q.tax_reasons_write, invoice_id=draft["invoice_id"], tax_reasons=reasons)


def _series(draft: Record) -> Series:
    """The rule the tenant chose for this kind of document, or ours."""
    if draft["policy"] is None:
        return DEFAULTS[draft["kind"]]
    return Series(
        series_id=draft["kind"],
        **{name: draft[name] for name in ("prefix", "digits", "per", "policy", "opening_seq")},
    )

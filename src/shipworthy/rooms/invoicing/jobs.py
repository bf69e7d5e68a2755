"""The room's jobs."""

from __future__ import annotations

import uuid

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.queue.job import JobKind
from shipworthy.rooms.invoicing.document import print_invoice
from shipworthy.rooms.invoicing.finalise import PDF_JOB
from shipworthy.rooms.invoicing.rates.proof import RATES_JOB, prove_rates
from shipworthy.rooms.invoicing.sending.delivery import deliver
from shipworthy.rooms.invoicing.sending.mails import MAIL_JOB
from shipworthy.rooms.invoicing.tax_ids.proof import PROOF_JOB, prove


async def print_pdf(ctx: Ctx, source: str) -> None:
    """Print the invoice `source` names."""
    await print_invoice(ctx, uuid.UUID(source))


JOBS = (
    JobKind(
        kind=PDF_JOB,
        handler=print_pdf,
        title="Print an issued invoice as PDF",
        attempts_max=60,  # an hour of a file store that is away
        timeout_s=120.0,  # it may wait for its turn at the press, which bounds each document itself
        meter="pdf_ms",
        writes="invoice_document",
        writes_kind="pdf",
        source_column="invoice_id",
        triggered_by="POST /api/invoices/{invoice_id}/finalise",
    ),
    JobKind(
        kind=PROOF_JOB,
        handler=prove,
        title="Ask whether a VAT number was given out",
        triggered_by="POST /api/customers/{customer_id}/tax-id",
    ),
    JobKind(
        kind=RATES_JOB,
        handler=prove_rates,
        title="Ask which tax rates hold in a country",
        triggered_by="POST /api/tax-rates/proof",
    ),
    JobKind(
        kind=MAIL_JOB,
        handler=deliver,
        title="Mail an invoice to a customer",
        timeout_s=60.0,
        meter="mails",
        triggered_by="POST /api/invoices/{invoice_id}/mails",
    ),
)

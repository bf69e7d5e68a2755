"""The room's jobs."""

from __future__ import annotations

import uuid

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.queue.job import JobKind
from shipworthy.rooms.invoicing.document import print_invoice
from shipworthy.rooms.invoicing.finalise import PDF_JOB


async def print_pdf(ctx: Ctx, source: str) -> None:
    """Print the invoice `source` names."""
    await print_invoice(ctx, uuid.UUID(source))


JOBS = (
    JobKind(
        kind=PDF_JOB,
        handler=print_pdf,
        title="Print an issued invoice as PDF",
        timeout_s=30.0,
        writes="invoice_document",
        writes_kind="pdf",
        source_column="invoice_id",
        triggered_by="POST /api/invoices/{invoice_id}/finalise",
    ),
)

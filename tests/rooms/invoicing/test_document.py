"""The PDF: made by the worker's role after the commit, once however often the job runs.

Covers: jobs.
"""

from __future__ import annotations

import asyncio
import hashlib

import pikepdf
import pytest

from shipworthy.kernel.errors import Conflict
from shipworthy.rooms.invoicing.document import print_invoice
from tests.rooms.invoicing.conftest import Person
from tests.support.app import RunningApp


async def test_the_pdf_is_pending_until_its_job_ran_and_then_served(app: RunningApp, acme: Person) -> None:
    issued = await acme.issued()
    path = f"/api/invoices/{issued['invoice_id']}/pdf"
    pending = await acme.get(path)
    assert (pending.status, pending.json["code"]) == (409, "invoicing.pdf_pending")
    assert pending.header("retry-after") == "2"
    await acme.run_jobs(issued["invoice_id"])
    served = await acme.get(path)
    assert (served.status, served.header("content-type")) == (200, "application/pdf")
    assert served.header("content-disposition") == f'inline; filename="{issued["number"]}.pdf"'
    assert served.header("etag") == f'"{hashlib.sha256(served.body).hexdigest()}"'
    (row,) = await app.admin("select * from invoice_document")
    assert (row["sha256"], row["bytes"]) == (hashlib.sha256(served.body).digest(), len(served.body))
    assert row["object_key"] == f"{acme.tenant_id}/invoice-pdf/{issued['invoice_id']}.pdf"


async def test_a_job_run_twice_makes_one_row_and_the_same_bytes(app: RunningApp, acme: Person) -> None:
    issued = await acme.issued()
    await acme.run_jobs(issued["invoice_id"])
    first = (await acme.get(f"/api/invoices/{issued['invoice_id']}/pdf")).body
    await app.admin("delete from invoice_document")  # as if the worker had died between file and row
    await asyncio.gather(*(acme.run_jobs(issued["invoice_id"], times=2) for _ in range(3)))
    assert (await acme.get(f"/api/invoices/{issued['invoice_id']}/pdf")).body == first
    assert len(await app.admin("select from invoice_document")) == 1


async def test_the_paper_carries_number_parties_and_amounts(acme: Person, tmp_path) -> None:  # type: ignore[no-untyped-def]
    issued = await acme.issued(await acme.customer("Bäckerei Süß & Söhne"), note="Danke")
    await acme.run_jobs(issued["invoice_id"])
    file = tmp_path / "invoice.pdf"
    file.write_bytes((await acme.get(f"/api/invoices/{issued['invoice_id']}/pdf")).body)
    with pikepdf.open(file) as pdf, pdf.open_metadata() as about:
        assert issued["number"] in str(about["dc:title"])


async def test_a_draft_has_no_pdf_and_is_not_printed(app: RunningApp, acme: Person) -> None:
    draft = await acme.draft()
    refused = await acme.get(f"/api/invoices/{draft['invoice_id']}/pdf")
    assert (refused.status, refused.json["code"]) == (409, "invoicing.not_issued")
    ctx = app.ctx(tenant_id=acme.tenant_id)
    async with ctx.begin() as tx:
        ctx.tx = tx
        with pytest.raises(Conflict):
            await print_invoice(ctx, draft["invoice_id"])


async def test_a_voided_invoice_keeps_its_pdf(acme: Person) -> None:
    issued = await acme.issued()
    await acme.run_jobs(issued["invoice_id"])
    await acme.post(f"/api/invoices/{issued['invoice_id']}/void")
    assert (await acme.get(f"/api/invoices/{issued['invoice_id']}/pdf")).status == 200

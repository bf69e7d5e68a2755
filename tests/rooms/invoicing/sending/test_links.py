"""Links to an invoice's files: they open without a session, and only for what may be read.

Covers: links, web.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.einvoice.test_web import issued_to
from tests.rooms.invoicing.test_seller import SELLER
from tests.support.app import RunningApp


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


async def test_the_pdf_and_the_xml_open_for_whoever_has_the_link(app: RunningApp, acme: Person) -> None:
    await acme.send("PUT", "/api/seller", SELLER)
    issued = await issued_to(acme)
    path = f"/api/invoices/{issued['invoice_id']}/link"
    pending = await acme.get(path)
    assert (pending.status, pending.json["code"]) == (409, "invoicing.pdf_pending")
    await acme.run_jobs(issued["invoice_id"])
    link = (await acme.get(path)).json
    assert link["url"].startswith("http://localhost/files/")
    opened = await app.client().get(path_of(link["url"]))
    assert (opened.status, opened.body[:5], opened.header("content-type")) == (
        200,
        b"%PDF-",
        "application/pdf",
    )
    assert (await acme.get(path)).json == link
    xml = await acme.get(f"{path}?document=cii")
    assert xml.status == 200, xml.text
    read = await app.client().get(path_of(xml.json["url"]))
    assert read.body == (await acme.get(f"/api/invoices/{issued['invoice_id']}/xml?format=cii")).body
    assert (read.header("content-disposition") or "").startswith("attachment;")


async def test_a_draft_and_somebody_elses_invoice_have_no_link(app: RunningApp, acme: Person) -> None:
    draft, issued = await acme.draft(), await acme.issued()
    refused = await acme.get(f"/api/invoices/{draft['invoice_id']}/link?document=ubl")
    assert (refused.status, refused.json["code"]) == (409, "invoicing.not_issued")
    globex = await person(app, "Globex")
    for document in ("pdf", "ubl"):
        path = f"/api/invoices/{issued['invoice_id']}/link?document={document}"
        assert (await globex.get(path)).status == 404

"""Mailing an invoice: once however often it is asked for, on purpose again, and its history told as it was.

Covers: mails, delivery, letters, screens.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.einvoice.test_web import CITY, issued_to
from tests.rooms.invoicing.sending.conftest import MailServer, run_queue
from tests.rooms.invoicing.test_seller import SELLER
from tests.support.app import RunningApp


async def mails_of(acme: Person, issued: dict[str, Any]) -> list[Any]:
    mails: list[Any] = (await acme.get(f"/api/invoices/{issued['invoice_id']}/mails")).json["mails"]
    return mails


async def test_twenty_identical_requests_send_one_mail_with_the_pdf(
    app: RunningApp, acme: Person, smtp: MailServer
) -> None:
    await acme.send("PUT", "/api/seller", SELLER)
    issued = await issued_to(acme)
    path = f"/api/invoices/{issued['invoice_id']}/mails"
    answers = await asyncio.gather(*(acme.post(path, {"xml_format": "xrechnung"}) for _ in range(20)))
    assert {a.status for a in answers} == {202}
    assert len({a.json["mails"][0]["mail_id"] for a in answers}) == 1
    await run_queue(app)
    await run_queue(app)
    (mail,) = smtp.mails
    assert (mail["to"], mail["reply-to"]) == ("in@city.example", SELLER["email"])
    assert SELLER["name"] in str(mail["from"])
    assert "billing@shop.example" in str(mail["from"])
    assert mail["subject"] == f"Rechnung {issued['number']} von {SELLER['name']}"
    body = mail.get_body()
    assert body is not None
    assert "Bitte überweisen Sie" in body.get_content()
    names = [part.get_filename() for part in mail.iter_attachments()]
    assert names == [f"{issued['number']}.pdf", f"{issued['number']}-xrechnung.xml"]
    pdf = next(iter(mail.iter_attachments())).get_payload(decode=True)
    assert pdf == (await acme.get(f"/api/invoices/{issued['invoice_id']}/pdf")).body
    (told,) = await mails_of(acme, issued)
    assert (told["status"], told["answer"], told["to"]) == ("sent", "", "in@city.example")


async def test_a_mail_is_sent_again_on_purpose_once_for_each_purpose(
    app: RunningApp, acme: Person, smtp: MailServer
) -> None:
    issued = await issued_to(acme)
    sent = (await acme.post(f"/api/invoices/{issued['invoice_id']}/mails", {})).json["mails"][0]
    again = f"/api/mails/{sent['mail_id']}/resend"
    early = await acme.post(again)
    assert (early.status, early.json["code"]) == (409, "invoicing.mail_queued")
    await run_queue(app)
    answers = await asyncio.gather(*(acme.post(again) for _ in range(5)))
    assert {a.status for a in answers} == {202}
    assert {a.json["again"] for a in answers} == {1}
    repeated = await acme.post(f"/api/invoices/{issued['invoice_id']}/mails", {})
    assert repeated.json["mails"][0]["mail_id"] == sent["mail_id"]
    await run_queue(app)
    assert len(smtp.mails) == 2


async def test_a_mail_waits_for_the_pdf_and_for_the_server_and_says_so(
    app: RunningApp, acme: Person, smtp: MailServer
) -> None:
    issued = await issued_to(acme)
    await acme.post(f"/api/invoices/{issued['invoice_id']}/mails", {})
    await run_queue(app, "invoice.mail")
    page = f"/invoices/{issued['invoice_id']}"
    assert "Waits for the PDF" in (await acme.get(page)).text
    await run_queue(app, "invoice.pdf")
    smtp.stop()
    for _ in range(3):
        assert await run_queue(app, "invoice.mail") == 1
    (told,) = await mails_of(acme, issued)
    assert (told["status"], told["waits_for"]) == ("queued", "server")
    part = (await acme.get(f"{page}/mails")).text
    assert "Waits for the mail server" in part
    assert "hx-get" in part
    smtp.start()
    await run_queue(app, "invoice.mail")
    assert len(smtp.mails) == 1
    assert await run_queue(app, "invoice.mail") == 0
    part = (await acme.get(f"{page}/mails")).text
    assert "Send again" in part
    assert "hx-get" not in part


async def test_what_the_mail_server_refuses_for_good_is_told_and_not_tried_again(
    app: RunningApp, acme: Person, smtp: MailServer
) -> None:
    issued = await issued_to(acme)
    smtp.refuses = {"gone@city.example": "550 No such user", "late@city.example": "451 Try later"}
    to = ["gone@city.example", "late@city.example", "in@city.example"]
    await acme.post(f"/api/invoices/{issued['invoice_id']}/mails", {"to": to})
    await run_queue(app)
    told = {mail["to"]: mail for mail in await mails_of(acme, issued)}
    assert [told[address]["status"] for address in to] == ["bounced", "queued", "sent"]
    assert "550 No such user" in told["gone@city.example"]["answer"]
    smtp.refuses = {"DATA": "552 Too large"}
    await run_queue(app)
    told = {mail["to"]: mail for mail in await mails_of(acme, issued)}
    assert (told["late@city.example"]["status"], told["gone@city.example"]["status"]) == ("failed", "bounced")
    assert await run_queue(app) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"to": ["a@b.example\r\nBcc: c@d.example"]}, "to"),
        ({"to": ["a@b.example, c@d.example"]}, "to"),
        ({"to": ["Ann <a@b.example>"]}, "to"),
        ({"to": ["a@localhost"]}, "to"),
        ({"to": [f"a{n}@b.example" for n in range(6)]}, "to"),
        ({"subject": "Hello\nBcc: c@d.example"}, "subject"),
        ({"subject": "Hello\u2028Bcc: c@d.example"}, "subject"),
        ({"message": "x" * 5001}, "message"),
    ],
)
async def test_a_mail_that_cannot_be_meant_is_refused(acme: Person, body: dict[str, Any], field: str) -> None:
    issued = await issued_to(acme)
    refused = await acme.post(f"/api/invoices/{issued['invoice_id']}/mails", body)
    assert (refused.status, refused.json["code"]) == (422, "invoicing.mail_invalid")
    assert list(refused.json["fields"]) == [field]
    assert await mails_of(acme, issued) == []


async def test_a_name_with_tricks_stays_a_name(app: RunningApp, acme: Person, smtp: MailServer) -> None:
    await acme.send("PUT", "/api/seller", {**SELLER, "name": 'Eve" <evil@x.example>, "Bcc: c@d.example'})
    issued = await issued_to(acme)
    await acme.post(f"/api/invoices/{issued['invoice_id']}/mails", {"to": ["ann@büro.example"]})
    await run_queue(app)
    (mail,) = smtp.mails
    (sender,) = mail["from"].addresses
    assert (sender.addr_spec, mail["bcc"]) == ("billing@shop.example", None)
    assert mail["to"] == "ann@xn--bro-hoa.example"


async def test_what_is_not_issued_void_or_somebody_elses_is_not_sent(app: RunningApp, acme: Person) -> None:
    draft, void = await acme.draft(), await acme.issued()
    await acme.post(f"/api/invoices/{void['invoice_id']}/void")
    for invoice, code in ((draft, "invoicing.not_issued"), (void, "invoicing.void_not_sent")):
        refused = await acme.post(f"/api/invoices/{invoice['invoice_id']}/mails", {"to": ["a@b.example"]})
        assert (refused.status, refused.json["code"]) == (409, code)
    issued = await issued_to(acme)
    sent = (await acme.post(f"/api/invoices/{issued['invoice_id']}/mails", {})).json["mails"][0]
    globex = await person(app, "Globex")
    viewer = await person(app, role="viewer", tenant_id=acme.tenant_id)
    for who, status in ((globex, 404), (viewer, 403)):
        assert (await who.post(f"/api/invoices/{issued['invoice_id']}/mails", {})).status == status
        assert (await who.post(f"/api/mails/{sent['mail_id']}/resend")).status == status
    assert (await globex.get(f"/api/invoices/{issued['invoice_id']}/mails")).status == 404


async def test_an_invoice_that_becomes_void_while_its_mail_waits_is_not_sent(
    app: RunningApp, acme: Person, smtp: MailServer
) -> None:
    issued = await issued_to(acme)
    await acme.post(f"/api/invoices/{issued['invoice_id']}/mails", {})
    await acme.post(f"/api/invoices/{issued['invoice_id']}/void")
    await run_queue(app)
    (told,) = await mails_of(acme, issued)
    assert (told["status"], smtp.mails) == ("failed", [])


async def test_fifty_mails_of_an_invoice_are_enough(app: RunningApp, acme: Person) -> None:
    issued = await issued_to(acme)
    path = f"/api/invoices/{issued['invoice_id']}/mails"
    for n in range(10):
        to = [f"p{n}-{m}@b.example" for m in range(5)]
        assert (await acme.post(path, {"to": to})).status == 202
    full = await acme.post(path, {"to": ["one.more@b.example"]})
    assert (full.status, full.json["code"]) == (409, "invoicing.mails_full")
    assert len(await mails_of(acme, issued)) == 50


async def test_the_page_writes_the_mail_previews_it_and_sends_it(
    app: RunningApp, acme: Person, smtp: MailServer
) -> None:
    made = await acme.post("/api/customers", {**CITY, "country": "SE"})
    issued = await acme.issued(made.json["customer_id"])
    path = f"/invoices/{issued['invoice_id']}/send"
    assert f"Invoice {issued['number']} from" in (await acme.get(path)).text
    assert f"Rechnung {issued['number']} von" in (await acme.get(f"{path}?locale=de")).text
    typed = {"to": "in@city.example, b@city.example", "subject": "Hej <b>", "message": "One\n\nTwo"}
    preview = (await acme.submit(f"{path}/preview", **typed)).text
    assert "<p>One</p>" in preview
    assert "Hej &lt;b&gt;" in preview
    refused = await acme.submit(path, **{**typed, "to": "nobody"})
    assert (refused.status, "This is no e-mail address" in refused.text) == (422, True)
    lacking = await acme.submit(path, **typed, xml_format="xrechnung")
    assert (lacking.status, "which this format insists on" in lacking.text) == (409, True)
    sent = await acme.submit(path, **typed)
    assert (sent.status, sent.header("location")) == (303, f"/invoices/{issued['invoice_id']}")
    await run_queue(app)
    assert sorted(str(mail["to"]) for mail in smtp.mails) == ["b@city.example", "in@city.example"]
    (first, _) = await mails_of(acme, issued)
    again = await acme.submit(f"/mails/{first['mail_id']}/resend")
    assert again.status == 303
    await run_queue(app)
    assert len(smtp.mails) == 3


async def test_a_credit_note_is_mailed_in_its_own_words(
    app: RunningApp, acme: Person, smtp: MailServer
) -> None:
    issued = await issued_to(acme)
    credit = await acme.post(f"/api/invoices/{issued['invoice_id']}/credit-notes", {})
    assert credit.status == 201, credit.text
    await acme.post(f"/api/invoices/{credit.json['invoice_id']}/mails", {"locale": "en"})
    await run_queue(app)
    (mail,) = smtp.mails
    body = mail.get_body()
    assert body is not None
    assert f"for invoice {issued['number']}" in body.get_content()
    assert "pay" not in body.get_content()

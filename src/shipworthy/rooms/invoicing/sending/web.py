"""HTTP for sending: links to an invoice's files, and mails with their history."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.origin import origin_of
from shipworthy.kernel.http.reply import Json
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.invoicing.document import print_again
from shipworthy.rooms.invoicing.sending.links import Document, link_document
from shipworthy.rooms.invoicing.sending.mails import (
    MailText,
    XmlFormat,
    mail_json,
    mails_of,
    send_again,
    send_invoice,
)

Line = Annotated[str, msgspec.Meta(max_length=1000)]


class LinkQuery(msgspec.Struct):
    document: Document = "pdf"


class MailBody(Body):
    """What is left out is filled in: the customer's address, the language of their country, our words."""

    to: Annotated[list[Line], msgspec.Meta(max_length=100)] = msgspec.field(default_factory=list)
    locale: Literal["en", "de"] | None = None
    subject: Line = ""
    message: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    xml_format: XmlFormat = ""

    def text(self) -> MailText:
        return MailText(
            to=tuple(self.to),
            locale=self.locale,
            subject=self.subject,
            message=self.message,
            xml_format=self.xml_format,
        )


async def api_link_document(ctx: Ctx, invoice_id: uuid.UUID, query: LinkQuery) -> Any:
    link = await link_document(ctx, invoice_id, query.document)
    return {"url": origin_of(ctx) + link.path, "expires_at": link.expires_at}


async def api_print_again(ctx: Ctx, invoice_id: uuid.UUID) -> Any:
    return {"pdf": await print_again(ctx, invoice_id)}


async def api_send_invoice(ctx: Ctx, invoice_id: uuid.UUID, body: MailBody) -> Json:
    sent = await send_invoice(ctx, invoice_id, body.text())
    return Json({"mails": [mail_json(mail) for mail in sent]}, status=202)


async def api_list_mails(ctx: Ctx, invoice_id: uuid.UUID) -> Any:
    return {"mails": [mail_json(mail) for mail in await mails_of(ctx, invoice_id)]}


async def api_send_again(ctx: Ctx, mail_id: uuid.UUID) -> Json:
    return Json(mail_json(await send_again(ctx, mail_id)), status=202)


MAIL_EXAMPLE = {
    "to": ["office@harbour.example"],
    "locale": "en",
    "message": "Please find the invoice attached.",
}
MAIL_PERSONAL = ("to", "message")
SENDABLE, MAIL = {"invoice_id": "open_invoice_id"}, {"mail_id": "sent_mail_id"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2), the audit row (1) and a job
# for each of five recipients.
ROUTES: tuple[Route, ...] = (
    route("GET", "/api/invoices/{invoice_id}/link", api_link_document, title="A link to an invoice's file",
          permission="invoice.read", transaction=False, query=LinkQuery, params={"invoice_id": "printed_invoice_id"},
          queries_max=7),
    route("POST", "/api/invoices/{invoice_id}/pdf", api_print_again, title="Print an invoice again that failed",
          permission="invoice.write", idempotency="key", effect="change", audit="invoice.pdf_asked",
          params={"invoice_id": "printed_invoice_id"}, example={}, queries_max=9),
    route("POST", "/api/invoices/{invoice_id}/mails", api_send_invoice, title="Mail an invoice", status=202,
          permission="invoice.write", body=MailBody, idempotency="key", effect="create", audit="invoice.mailed",
          params=SENDABLE, example=MAIL_EXAMPLE, personal=MAIL_PERSONAL, meter="mails", queries_max=16),
    route("GET", "/api/invoices/{invoice_id}/mails", api_list_mails, title="Mails of an invoice",
          permission="invoice.read", params={"invoice_id": "invoice_id"}, queries_max=4),
    route("POST", "/api/mails/{mail_id}/resend", api_send_again, title="Send a mail again", status=202,
          permission="invoice.write", idempotency="key", effect="create", audit="invoice.mailed", params=MAIL,
          example={}, meter="mails", queries_max=11),
)  # fmt: skip

"""Pages for sending: the state of the PDF, the mail being written with its preview, and what was sent."""

from __future__ import annotations

import re
import uuid
from typing import Annotated, Any, Literal

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Conflict, Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import LANGUAGE_NAMES, _, day_text, mark
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.document import print_again, why_it_waits
from shipworthy.rooms.invoicing.einvoice.offered import offered
from shipworthy.rooms.invoicing.forms import Text
from shipworthy.rooms.invoicing.invoice import Invoice, load_invoice
from shipworthy.rooms.invoicing.listing import Row
from shipworthy.rooms.invoicing.permissions import may_write
from shipworthy.rooms.invoicing.sending.letters import write_letter
from shipworthy.rooms.invoicing.sending.mails import (
    MESSAGE_CHARS_MAX,
    SUBJECT_CHARS_MAX,
    MailText,
    XmlFormat,
    mails_of,
    require_sendable,
    send_again,
    send_invoice,
)
from shipworthy.rooms.invoicing.sending.web import MAIL, MAIL_PERSONAL, SENDABLE
from shipworthy.rooms.invoicing.wording import language_of

_WAITING = {"": mark("Queued"), "pdf": mark("Waits for the PDF"), "server": mark("Waits for the mail server")}
_WORDS = {"sent": mark("Sent"), "failed": mark("Not sent"), "bounced": mark("Bounced")}


class SendQuery(msgspec.Struct):
    locale: Literal["en", "de"] | None = None


class SendForm(Body):
    """`to` is one line as people type it: addresses with commas between them."""

    to: Text = ""
    locale: Literal["en", "de"] = "en"
    subject: Text = ""
    message: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    xml_format: XmlFormat = ""

    def text(self) -> MailText:
        to = tuple(part for part in re.split(r"[,;\s]+", self.to) if part)
        return MailText(
            to=to, locale=self.locale, subject=self.subject, message=self.message, xml_format=self.xml_format
        )


async def send_page(ctx: Ctx, invoice_id: uuid.UUID, query: SendQuery) -> Page:
    """The mail as we would write it; another language writes it anew."""
    invoice = await load_invoice(ctx, invoice_id)
    require_sendable(invoice.status, invoice.number)
    locale = query.locale or language_of(invoice.buyer, otherwise=ctx.runtime.settings.app.locale)
    letter = write_letter(invoice, locale)
    to = (invoice.buyer or {}).get("email", "")
    return _page(invoice, SendForm(to=to, locale=locale, subject=letter.subject, message=letter.message))


async def preview_mail(ctx: Ctx, invoice_id: uuid.UUID, form: SendForm) -> Page:
    """The mail of what is typed so far. Changes nothing."""
    invoice = await load_invoice(ctx, invoice_id)
    require_sendable(invoice.status, invoice.number)
    return Page("invoicing/mail_preview.html", {"mail": _preview(invoice, form)})


async def submit_send(ctx: Ctx, invoice_id: uuid.UUID, form: SendForm) -> Redirect:
    try:
        sent = await send_invoice(ctx, invoice_id, form.text())
    except Invalid as refused:
        page = _page(await load_invoice(ctx, invoice_id), form, errors=refused.fields)
        raise refused.shown_on(page) from None
    except Conflict as refused:
        if refused.code != "einvoice.field_missing":
            raise
        errors = {"xml_format": refused.message}
        raise refused.shown_on(_page(await load_invoice(ctx, invoice_id), form, errors=errors)) from None
    if all(mail["status"] != "queued" for mail in sent):
        said = _(
            "This very mail was sent before, so it was not sent again. Use Send again where you mean it."
        )
    else:
        said = _(
            "The mail to {recipients} is on its way.", recipients=", ".join(m["recipient"] for m in sent)
        )
    return Redirect(f"/invoices/{invoice_id}", flash=said)


async def invoice_document_part(ctx: Ctx, invoice_id: uuid.UUID) -> Page:
    """The PDF's link, or the word that it is being made; the page asks again until it is there."""
    invoice = await load_invoice(ctx, invoice_id)
    failure = await ctx.db.maybe(q.pdf_failure_get, invoice_id=invoice_id)
    waits = await why_it_waits(ctx.db, invoice)
    shown = {"invoice": invoice, "failure": failure, "waits": waits, "may_write": may_write(ctx)}
    return Page("invoicing/document.html", shown)


async def submit_print_again(ctx: Ctx, invoice_id: uuid.UUID) -> Redirect:
    ready = await print_again(ctx, invoice_id) == "ready"
    return Redirect(
        f"/invoices/{invoice_id}", flash=_("The PDF is there.") if ready else _("The PDF is being made.")
    )


async def submit_resend(ctx: Ctx, mail_id: uuid.UUID) -> Redirect:
    mail = await send_again(ctx, mail_id)
    return Redirect(
        f"/invoices/{mail['invoice_id']}",
        flash=_("The mail to {recipient} is sent once more.", recipient=mail["recipient"]),
    )


async def mails_part(ctx: Ctx, invoice_id: uuid.UUID) -> Page:
    """What was sent; the part asks again by itself while something waits."""
    seller = await ctx.db.one(q.seller_get)
    rows = await mails_of(ctx, invoice_id)
    data = {"invoice_id": invoice_id, "may_write": may_write(ctx)}
    return Page(
        "invoicing/mails.html", {**data, "mails": mail_texts(ctx, rows, time_zone=seller["time_zone"])}
    )


def mail_texts(ctx: Ctx, rows: list[Row], *, time_zone: str) -> list[dict[str, Any]]:
    """Return the mails of an invoice as the page shows them."""
    return [
        {
            "mail_id": row["mail_id"],
            "to": row["recipient"],
            "subject": row["subject"],
            "day": day_text(today_in(time_zone, now=row["settled_at"] or row["queued_at"])),
            "waits": row["status"] == "queued",
            "tone": {"queued": "pending", "sent": "sent"}.get(row["status"], "failed"),
            "word": _(_WORDS.get(row["status"]) or _WAITING[row["waits_for"]]),
            "answer": row["answer"],
        }
        for row in rows
    ]


def _page(invoice: Invoice, form: SendForm, *, errors: dict[str, str] | None = None) -> Page:
    files = offered(invoice, seller=invoice.seller or {}, buyer=invoice.buyer or {})
    formats = [["", _("PDF only")]]
    formats += [[row["format"], _("PDF and {format}", format=row["label"])] for row in files if row["href"]]
    data = {
        "invoice": invoice,
        "form": form,
        "errors": errors or {},
        "labels": {
            "to": _("To", context="mail"),
            "xml_format": _("Attached"),
            "subject": _("Subject"),
            "message": _("Message"),
        },
        "languages": LANGUAGE_NAMES,
        "formats": formats,
        "mail": _preview(invoice, form),
        "subject_chars_max": SUBJECT_CHARS_MAX,
        "message_chars_max": MESSAGE_CHARS_MAX,
    }
    return Page("invoicing/send.html", data, title=_("Send by mail"), section="invoices")


def _preview(invoice: Invoice, form: SendForm) -> dict[str, Any]:
    seller = invoice.seller or {}
    files = [f"{invoice.number}.pdf"]
    if form.xml_format:
        files.append(f"{invoice.number}-{form.xml_format}.xml")
    return {
        "sender": seller.get("name", ""),
        "reply_to": seller.get("email", ""),
        "to": form.to,
        "subject": form.subject,
        "paragraphs": [part.split("\n") for part in form.message.replace("\r\n", "\n").split("\n\n")],
        "files": files,
    }


FORM_EXAMPLE = {
    "to": "office@harbour.example",
    "locale": "en",
    "subject": "Your invoice",
    "message": "Please find it attached.",
}

# queries_max as in web.py; a refused form reads the invoice anew.
ROUTES: tuple[Route, ...] = (
    route("GET", "/invoices/{invoice_id}/send", send_page, title="Send by mail", media="html",
          permission="invoice.write", query=SendQuery, params=SENDABLE, queries_max=5),
    route("POST", "/invoices/{invoice_id}/send/preview", preview_mail, title="A mail as it will be", media="html",
          permission="invoice.write", body=SendForm, params=SENDABLE, example=FORM_EXAMPLE, personal=MAIL_PERSONAL,
          queries_max=5),
    route("POST", "/invoices/{invoice_id}/send", submit_send, title="Mail an invoice", media="html",
          permission="invoice.write", body=SendForm, idempotency="key", effect="create", audit="invoice.mailed",
          params=SENDABLE, example=FORM_EXAMPLE, personal=MAIL_PERSONAL, meter="mails", queries_max=16),
    route("GET", "/invoices/{invoice_id}/document", invoice_document_part, title="State of the PDF", media="html",
          permission="invoice.read", params={"invoice_id": "invoice_id"}, queries_max=7),
    route("POST", "/invoices/{invoice_id}/pdf", submit_print_again, title="Print an invoice again that failed",
          media="html", permission="invoice.write", idempotency="key", effect="change", audit="invoice.pdf_asked",
          params={"invoice_id": "printed_invoice_id"}, example={}, queries_max=9),
    route("GET", "/invoices/{invoice_id}/mails", mails_part, title="What was sent", media="html",
          permission="invoice.read", params={"invoice_id": "invoice_id"}, queries_max=5),
    route("POST", "/mails/{mail_id}/resend", submit_resend, title="Send a mail again", media="html",
          permission="invoice.write", idempotency="key", effect="create", audit="invoice.mailed", params=MAIL,
          example={}, meter="mails", queries_max=11),
)  # fmt: skip

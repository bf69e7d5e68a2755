"""Mailing an issued invoice: asked for in a request, sent by a job, its history kept.

The natural key of a mail is what it says, to whom, and how often that was sent on purpose before: asking twenty
times sends one. Each recipient gets a mail of their own, so each has an outcome of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.language import Locale, _
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.quotas.budget import require_budget
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.einvoice.issued import Format
from shipworthy.rooms.invoicing.einvoice.writing import write_einvoice
from shipworthy.rooms.invoicing.invoice import Invoice, load_invoice, wrong_status
from shipworthy.rooms.invoicing.lines import read_text
from shipworthy.rooms.invoicing.sending.letters import Letter, write_letter
from shipworthy.rooms.invoicing.wording import language_of

MAIL_JOB = "invoice.mail"
RECIPIENTS_MAX = 5
SUBJECT_CHARS_MAX, MESSAGE_CHARS_MAX, ADDRESS_CHARS_MAX = 200, 5000, 254
# Source: HTML, "valid e-mail address", with a dot in the domain. Nothing in it can end a header or an envelope.
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+"
)

XmlFormat = Literal["", "ubl", "cii", "xrechnung", "peppol"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailText:
    """A mail as it was asked for. What is empty is filled in: the customer's address, their language, our words."""

    to: tuple[str, ...] = ()
    locale: Locale | None = None
    subject: str = ""
    message: str = ""
    xml_format: XmlFormat = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail that is ready to be queued."""

    to: tuple[str, ...]
    locale: Locale
    letter: Letter
    xml_format: XmlFormat

    @property
    def content_sha256(self) -> bytes:
        said = "\0".join((self.locale, self.letter.subject, self.letter.message, self.xml_format))
        return hashlib.sha256(said.encode()).digest()


async def send_invoice(ctx: Ctx, invoice_id: uuid.UUID, text: MailText) -> list[Record]:
    """Queue the mails of an issued invoice; return them with those that were asked for before.

    Errors:  Missing; Conflict `invoicing.not_issued`, `invoicing.void_not_sent`, `invoicing.mails_full`,
             `einvoice.field_missing`; Exhausted `quota.exhausted`; Invalid `invoicing.mail_invalid`, naming every wrong field.
    """
    invoice = await load_invoice(ctx, invoice_id)
    mail = await prepare(ctx, invoice, text)
    await require_budget(ctx, "mails", len(mail.to))
    made = await ctx.db.all(
        q.mail_create,
        mail_ids=[ctx.new_id() for _ in mail.to],
        recipients=list(mail.to),
        invoice_id=invoice_id,
        locale=mail.locale,
        subject=mail.letter.subject,
        message=mail.letter.message,
        xml_format=mail.xml_format,
        content_sha256=mail.content_sha256,
        now=ctx.now(),
    )
    for row in made:
        await enqueue(ctx, MAIL_JOB, job_source(row["mail_id"], 0))
    await record(ctx, "invoice.mailed", of="invoice", id=invoice_id, detail={"mails": len(made)})
    alike = await ctx.db.all(
        q.mails_alike,
        invoice_id=invoice_id,
        recipients=list(mail.to),
        content_sha256=mail.content_sha256,
        again=0,
    )
    if len(alike) < len(mail.to):
        raise Conflict(
            "invoicing.mails_full",
            _(
                "Invoice {number} was mailed fifty times. Download it and send it another way.",
                number=invoice.number,
            ),
        )
    return sorted(alike, key=lambda row: mail.to.index(row["recipient"]))


async def send_again(ctx: Ctx, mail_id: uuid.UUID) -> Record:
    """Queue the very same mail once more, on purpose; asked for twenty times it goes out once more.

    Errors:  Missing; Conflict `invoicing.mail_queued` while it waits itself, `invoicing.void_not_sent`,
             `invoicing.mails_full`.
    """
    mail = await ctx.db.maybe(q.mail_get, mail_id=mail_id)
    if mail is None:
        raise Missing("mail")
    state = await ctx.db.one(q.invoice_state, invoice_id=mail["invoice_id"])
    require_sendable(state["status"], state["number"])
    await require_budget(ctx, "mails")
    if mail["status"] == "queued":
        raise Conflict(
            "invoicing.mail_queued", _("This mail is still on its way. Wait for it, then send it again.")
        )
    made = await ctx.db.maybe(q.mail_create_again, new_mail_id=ctx.new_id(), mail_id=mail_id, now=ctx.now())
    if made is not None:
        await enqueue(ctx, MAIL_JOB, job_source(made["mail_id"], 0))
    detail = {"mails": int(made is not None)}
    await record(ctx, "invoice.mailed", of="invoice", id=mail["invoice_id"], detail=detail)
    alike = await ctx.db.all(
        q.mails_alike,
        invoice_id=mail["invoice_id"],
        recipients=[mail["recipient"]],
        content_sha256=mail["content_sha256"],
        again=mail["again"] + 1,
    )
    if not alike:
        raise Conflict(
            "invoicing.mails_full", _("This mail was sent fifty times. Send the invoice another way.")
        )
    return alike[0]


async def mails_of(ctx: Ctx, invoice_id: uuid.UUID) -> list[Record]:
    """Return what was sent of an invoice, newest first. Errors: Missing."""
    if await ctx.db.maybe(q.invoice_state, invoice_id=invoice_id) is None:
        raise Missing("invoice")
    return await ctx.db.all(q.mails_of, invoice_id=invoice_id)


async def prepare(ctx: Ctx, invoice: Invoice, text: MailText) -> Mail:
    """Return the mail with everything filled in. Errors: as for `send_invoice`."""
    require_sendable(invoice.status, invoice.number)
    locale = text.locale or language_of(invoice.buyer, otherwise=ctx.runtime.settings.app.locale)
    wrong: dict[str, str] = {}
    ours = write_letter(invoice, locale)
    subject = read_text(text.subject, "subject", wrong, chars_max=SUBJECT_CHARS_MAX) or ours.subject
    if re.search(r"[\t\r\n\x0b\x0c\x85\u2028\u2029]", subject):
        wrong.setdefault("subject", _("This fits on one line only."))
    message = read_text(text.message, "message", wrong, chars_max=MESSAGE_CHARS_MAX) or ours.message
    to = _addresses(text.to or ((invoice.buyer or {}).get("email", ""),), wrong)
    if wrong:
        named = ", ".join(wrong)
        raise Invalid(
            "invoicing.mail_invalid",
            _("Some fields need another value: {fields}.", fields=named),
            fields=wrong,
        )
    if text.xml_format:
        wanted: Format = text.xml_format
        await asyncio.to_thread(write_einvoice, invoice, wanted, locale=locale)  # says what is missing
    return Mail(to=to, locale=locale, letter=Letter(subject, message), xml_format=text.xml_format)


def job_source(mail_id: uuid.UUID, attempt: int) -> str:
    """A mail that is tried again has a job of its own for that: a running one keeps its key until it ends."""
    return f"{mail_id}/{attempt}"


def _addresses(given: tuple[str, ...], wrong: dict[str, str]) -> tuple[str, ...]:
    to = tuple(dict.fromkeys(clean for address in given if (clean := _ascii(address.strip()))))
    if not to:
        wrong["to"] = _("Whom should it go to? Write an e-mail address.")
    elif len(to) > RECIPIENTS_MAX:
        wrong["to"] = _(
            "At most {most} people can get it at once; these are {many}.", most=RECIPIENTS_MAX, many=len(to)
        )
    elif bad := [a for a in to if len(a) > ADDRESS_CHARS_MAX or not _ADDRESS.fullmatch(a)]:
        wrong["to"] = _("This is no e-mail address: {address}", address=bad[0][:80])
    return to


def _ascii(address: str) -> str:
    """Return an address with its domain as mail servers write it: büro.example is xn--bro-hoa.example."""
    name, at, domain = address.rpartition("@")
    try:
        return f"{name}{at}{domain.encode('idna').decode()}" if not domain.isascii() else address
    except UnicodeError:
        return address


def require_sendable(status: str, number: str | None) -> None:
    """Errors: Conflict `invoicing.not_issued`, `invoicing.void_not_sent`."""
    if number is None:
        raise wrong_status(status, None, wanted="open")
    if status == "void":
        raise Conflict(
            "invoicing.void_not_sent",
            _("Invoice {number} is void. Nobody should pay it any more.", number=number),
        )


def mail_json(mail: Record) -> dict[str, Any]:
    """Return a mail as the API tells it."""
    return {
        "mail_id": mail["mail_id"],
        "invoice_id": mail["invoice_id"],
        "to": mail["recipient"],
        "subject": mail["subject"],
        "status": mail["status"],
        "waits_for": mail["waits_for"],
        "answer": mail["answer"],
        "again": mail["again"],
        "queued_at": mail["queued_at"],
        "settled_at": mail["settled_at"],
    }

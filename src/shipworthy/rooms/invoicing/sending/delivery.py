"""The job that sends one mail: it waits for the PDF and for the mail server, and writes down what became of it."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Literal

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Refusal, Upstream
from shipworthy.kernel.language import _
from shipworthy.kernel.mail.outbox import Attachment, MailRefused
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.quotas.budget import count
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.document import kept_pdf
from shipworthy.rooms.invoicing.einvoice.writing import write_einvoice
from shipworthy.rooms.invoicing.invoice import Invoice, load_invoice
from shipworthy.rooms.invoicing.sending.mails import MAIL_JOB, job_source, require_sendable

GIVE_UP_AFTER = timedelta(days=3)
_SEND_TIMEOUT_S = 30.0
_PDF_WAIT_S_MAX, _SERVER_WAIT_S_MAX = 30, 3600
_ANSWER_CHARS_MAX = 500


async def deliver(ctx: Ctx, source: str) -> None:
    """Send the mail `source` names, once: the row that says so is held until the commit. Only a worker that dies
    between sending and committing sends twice, and then with the same Message-ID.
    """
    mail_id, attempt = source.split("/")
    mail = await ctx.db.maybe(q.mail_lock, mail_id=uuid.UUID(mail_id))
    if mail is None or mail["attempts"] != int(attempt):
        return
    try:
        async with asyncio.timeout(_SEND_TIMEOUT_S):
            await _send(ctx, mail)
    except MailRefused as refused:
        await _settle(ctx, mail, "bounced" if refused.of_recipient else "failed", refused.message)
    except Conflict as pending:
        if pending.code in ("invoicing.pdf_pending", "invoicing.pdf_waits"):
            await _wait(ctx, mail, "pdf", pending.message)
        else:
            await _settle(ctx, mail, "failed", pending.message)
    except (Upstream, TimeoutError) as away:
        said = away.message if isinstance(away, Refusal) else _("The mail server did not answer in time.")
        await _wait(ctx, mail, "server", said)
    else:
        await _settle(ctx, mail, "sent", "")


async def _send(ctx: Ctx, mail: Record) -> None:
    invoice = await load_invoice(ctx, mail["invoice_id"])
    require_sendable(invoice.status, invoice.number)  # it may have become void while the mail waited
    kept = await kept_pdf(ctx.db, invoice.invoice_id)
    files = [
        Attachment(f"{kept.number}.pdf", "application/pdf", await ctx.runtime.files.get(kept.object_key))
    ]
    if wanted := mail["xml_format"]:
        xml = await asyncio.to_thread(write_einvoice, invoice, wanted, locale=mail["locale"])
        files.append(Attachment(f"{kept.number}-{wanted}.xml", "application/xml", xml))
    name, reply_to = _sender(invoice)
    await ctx.runtime.mailer.send(
        to=mail["recipient"],
        subject=mail["subject"],
        text=mail["message"],
        message_key=str(mail["mail_id"]),
        from_name=name,
        reply_to=reply_to,
        attachments=tuple(files),
    )
    count(ctx, "mails", 1)


def _sender(invoice: Invoice) -> tuple[str, str]:
    """The name that stands before our address, and where an answer goes."""
    seller = invoice.seller or {}
    return " ".join(str(seller.get("name", "")).split()), str(seller.get("email", ""))


async def _settle(ctx: Ctx, mail: Record, status: str, answer: str) -> None:
    said = answer[:_ANSWER_CHARS_MAX]
    await ctx.db.run(q.mail_settle, mail_id=mail["mail_id"], status=status, answer=said, now=ctx.now())


async def _wait(ctx: Ctx, mail: Record, what: Literal["pdf", "server"], answer: str) -> None:
    if ctx.now() - mail["queued_at"] > GIVE_UP_AFTER:
        await _settle(ctx, mail, "failed", _("Given up after three days. {answer}", answer=answer))
        return
    said = answer[:_ANSWER_CHARS_MAX]
    await ctx.db.run(q.mail_wait, mail_id=mail["mail_id"], waits_for=what, answer=said)
    tries = min(mail["attempts"], 12)
    after_s = min(2**tries, _PDF_WAIT_S_MAX) if what == "pdf" else min(5 * 2**tries, _SERVER_WAIT_S_MAX)
    await enqueue(ctx, MAIL_JOB, job_source(mail["mail_id"], mail["attempts"] + 1), after_s=after_s)

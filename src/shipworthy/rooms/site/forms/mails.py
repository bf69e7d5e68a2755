"""The mail that says a message came. It goes where the form says, and an answer to it goes to who wrote."""

from __future__ import annotations

import uuid

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.language import _
from shipworthy.kernel.mail.outbox import MailRefused
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.quotas.budget import count
from shipworthy.kernel.telemetry.log import log
from shipworthy.rooms.site.catalogue import q

MAIL_JOB = "site.message_mail"


async def queue_mail(ctx: Ctx, message_id: uuid.UUID) -> None:
    await enqueue(ctx, MAIL_JOB, message_id)


async def send_mail(ctx: Ctx, source: str) -> None:
    """Job `site.message_mail`: send it once. Only a worker that dies between sending and committing sends twice,
    and then with the same Message-ID. Errors: Upstream `mail.unavailable`: try again."""
    row = await ctx.db.maybe(q.message_to_mail, message_id=uuid.UUID(source))
    if row is None:
        return
    phone = _("Telephone: {phone}\n", phone=row["sender_phone"]) if row["sender_phone"] else ""
    try:
        await ctx.runtime.mailer.send(
            to=row["notify"],
            subject=_("{page}: a message from {name}", page=row["page_title"], name=row["sender_name"]),
            text=_(
                "From: {name} <{email}>\n{phone}\n{text}\n",
                name=row["sender_name"],
                email=row["sender_email"],
                phone=phone,
                text=row["message_text"],
            ),
            message_key=source,
            reply_to=row["sender_email"],
        )
        count(ctx, "mails", 1)
    except MailRefused:
        log.error("a mail about a message was refused", extra={"message_id": source})
    await ctx.db.run(q.message_mailed, message_id=row["message_id"], now=ctx.now())

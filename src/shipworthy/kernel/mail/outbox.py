"""Sending one mail over SMTP. The caller is a job: failures are raised and tried again."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid

import aiosmtplib

from shipworthy.kernel.errors import Upstream
from shipworthy.kernel.settings import MailSection
from shipworthy.kernel.telemetry.spans import span
from shipworthy.kernel.telemetry.trace import followed

TRACE_HEADER = "X-Trace-Id"
_FOR_GOOD = 500  # RFC 5321, 4.2.1: 5yz is permanent, 4yz may be tried again


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    media_type: str
    body: bytes


class MailRefused(Upstream):
    """The mail server refused this mail for good. `of_recipient`: because of whom it was to; it bounced."""

    def __init__(self, answer: str, *, of_recipient: bool) -> None:
        super().__init__("mail.refused", answer)
        self.of_recipient = of_recipient


class Mailer:
    """Sends through the configured server."""

    def __init__(self, settings: MailSection) -> None:
        self._settings = settings

    async def send(
        self,
        *,
        to: str,
        subject: str,
        text: str,
        message_key: str,
        from_name: str = "",
        reply_to: str = "",
        attachments: tuple[Attachment, ...] = (),
    ) -> None:
        """Send a plain-text mail. `message_key` makes the Message-ID, so a repeat is recognisable.

        The trace id of the job that sends it goes along: a person who forwards the mail names it.

        Errors:  MailRefused when the server will not take it, ever; Upstream `mail.unavailable` when it may later;
                 ValueError for a line break in a header.
        """
        message = EmailMessage()
        sender = self._settings.sender
        message["From"] = Address(from_name, addr_spec=sender) if from_name else sender
        message["To"], message["Subject"] = to, subject
        if reply_to:
            message["Reply-To"] = reply_to
        domain = sender.rpartition("@")[2] or "localhost"
        message["Message-ID"] = make_msgid(idstring=message_key, domain=domain)
        if trace_id := followed():
            message[TRACE_HEADER] = trace_id
        message.set_content(text)
        for file in attachments:
            maintype, _, subtype = file.media_type.partition("/")
            message.add_attachment(file.body, maintype=maintype, subtype=subtype, filename=file.name)
        try:
            with span("mail.send"):
                await aiosmtplib.send(
                    message,
                    hostname=self._settings.host,
                    port=self._settings.port,
                    timeout=self._settings.timeout_s,
                    start_tls=None if self._settings.port == 587 else False,
                )
        except (aiosmtplib.SMTPException, OSError) as failed:
            if refused := _refused(failed):
                raise refused from failed
            raise Upstream(
                "mail.unavailable", "The mail server does not take the mail; it will be tried again."
            ) from failed


def _refused(failed: Exception) -> MailRefused | None:
    """Return the refusal that trying again would not change. A server that turns us away is not one."""
    of_recipient = isinstance(failed, aiosmtplib.SMTPRecipientsRefused)
    answer = failed.recipients[0] if isinstance(failed, aiosmtplib.SMTPRecipientsRefused) else failed
    is_about_it = of_recipient or isinstance(failed, (aiosmtplib.SMTPDataError, aiosmtplib.SMTPSenderRefused))
    if not (
        is_about_it and isinstance(answer, aiosmtplib.SMTPResponseException) and answer.code >= _FOR_GOOD
    ):
        return None
    return MailRefused(f"{answer.code} {answer.message}", of_recipient=of_recipient)

"""Sending one mail over SMTP. The caller is a job: failures are raised and tried again."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import make_msgid

import aiosmtplib

from shipworthy.kernel.errors import Upstream
from shipworthy.kernel.settings import MailSection


class Mailer:
    """Sends through the configured server."""

    def __init__(self, settings: MailSection) -> None:
        self._settings = settings

    async def send(self, *, to: str, subject: str, text: str, message_key: str) -> None:
        """Send a plain-text mail. `message_key` makes the Message-ID, so a repeat is recognisable.

        Errors:  Upstream `mail.unavailable`.
        """
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._settings.sender, to, subject
        domain = self._settings.sender.rpartition("@")[2] or "localhost"
        message["Message-ID"] = make_msgid(idstring=message_key, domain=domain)
        message.set_content(text)
        try:
            await aiosmtplib.send(
                message,
                hostname=self._settings.host,
                port=self._settings.port,
                timeout=self._settings.timeout_s,
                start_tls=None if self._settings.port == 587 else False,
            )
        except (aiosmtplib.SMTPException, OSError) as failed:
            raise Upstream(
                "mail.unavailable", "The mail server does not take the mail; it will be tried again."
            ) from failed

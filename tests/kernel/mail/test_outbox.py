"""Mail: delivered to a real SMTP server, or raised so that the job tries again."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from shipworthy.kernel.errors import Upstream
from shipworthy.kernel.mail.outbox import Mailer
from shipworthy.kernel.settings import MailSection
from shipworthy.local.ports import free_port


class Kept:
    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:
        self.mails.append(envelope.content)  # type: ignore[attr-defined]
        return "250 OK"


async def test_a_mail_arrives_with_an_id_that_names_its_job(tmp_path: Path) -> None:
    kept = Kept()
    controller = Controller(kept, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        mailer = Mailer(MailSection(sender="app@shop.example", port=controller.port))
        await mailer.send(to="ann@example.test", subject="Grüße", text="Hello\n", message_key="token-7")
    finally:
        controller.stop()
    assert len(kept.mails) == 1
    assert b"token-7" in kept.mails[0]


async def test_no_server_is_an_upstream_failure() -> None:
    mailer = Mailer(MailSection(port=free_port(), timeout_s=2))
    with pytest.raises(Upstream):
        await mailer.send(to="a@b.c", subject="x", text="x", message_key="1")

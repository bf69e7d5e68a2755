"""The development mail inbox: an SMTP server that keeps what it gets, and a page to read it.

    python -m shipworthy.local.mailbox --dir DIR --port 2525 [--page-port 8025]

Nothing is ever sent on. Listens on the loopback interface only, without a password.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import threading
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

from shipworthy.local.errors import LocalServiceError, file_errors_explained
from shipworthy.local.mailpage import mail_page_server
from shipworthy.local.mails import MAILS_MAX, Mail, list_mails, store_mail
from shipworthy.local.ports import LOOPBACK, require_port

__all__ = ["Mail", "list_mails", "main", "serve_mailbox"]

MAIL_BYTES_MAX = 10 * 1024 * 1024
_log = logging.getLogger("shipworthy.mailbox")


async def serve_mailbox(
    directory: Path, *, port: int, page_port: int = 0, mails_max: int = MAILS_MAX
) -> None:
    """Serve until cancelled; port 0 takes any free one, and the log says which.

    Errors:  PortTaken, StateDirUnusable, DiskFull.
    """
    _make(directory)
    port = require_port(port, what="mail inbox")
    page = mail_page_server(directory, port=require_port(page_port, what="mail inbox page"))
    handler = _Keep(directory, mails_max=mails_max)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, data_size_limit=MAIL_BYTES_MAX, enable_SMTPUTF8=True, timeout=60),
        LOOPBACK,
        port,
    )
    threading.Thread(target=page.serve_forever, name="mail page", daemon=True).start()
    _log.info("mail inbox: smtp %s:%s, page http://%s:%s/", LOOPBACK, port, LOOPBACK, page.server_port)
    try:
        async with server:
            await server.serve_forever()
    finally:
        await asyncio.to_thread(page.shutdown)
        page.server_close()


def main(arguments: list[str] | None = None) -> int:
    """Run the inbox until SIGTERM or Ctrl-C. Exit codes: 0 stopped, 2 could not start."""
    parser = argparse.ArgumentParser(prog="python -m shipworthy.local.mailbox", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where the .eml files are kept")
    parser.add_argument("--port", type=int, required=True, help="SMTP port on 127.0.0.1; 0: any free one")
    parser.add_argument("--page-port", type=int, default=0, help="port of the page; 0: any free one")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells every command otherwise
    try:
        asyncio.run(_until_signal(serve_mailbox(asked.dir, port=asked.port, page_port=asked.page_port)))
    except LocalServiceError as error:
        _log.error("%s", error.message)
        return 2
    return 0


def _make(directory: Path) -> None:
    with file_errors_explained(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)


async def _until_signal(work: Any) -> None:
    task = asyncio.ensure_future(work)
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        _log.info("mail inbox: stopped")


class _Keep:
    """aiosmtpd's handler: store and accept; a disk that refuses is a temporary failure."""

    def __init__(self, directory: Path, *, mails_max: int) -> None:
        self._directory, self._mails_max = directory, mails_max

    async def handle_DATA(self, server: SMTP, session: object, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        try:
            store_mail(self._directory, content, recipients=envelope.rcpt_tos, mails_max=self._mails_max)
        except OSError as error:
            _log.error("a mail could not be stored: %s", error)
            return f"452 The inbox cannot store this mail ({error.strerror}); try again later"
        return "250 Kept, and not sent on"


if __name__ == "__main__":
    raise SystemExit(main())

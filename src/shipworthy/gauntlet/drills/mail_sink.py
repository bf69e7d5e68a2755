"""A mail server of the examiner's own: takes every mail, and remembers to whom and under which id.

As much of SMTP (RFC 5321) as a client needs to hand over a mail; nothing is sent on.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"<([^<>]*)>")
_LINE_BYTES_MAX = 1_000_000


@dataclass
class MailSink:
    """What was taken: how many mails each address got, and how often each message id came."""

    address: str = ""
    delivered: Counter[str] = field(default_factory=Counter)
    message_ids: Counter[bytes] = field(default_factory=Counter)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation."""
        to: list[str] = []
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            writer.write(b"220 examiner\r\n")
            while line := await reader.readline():
                verb = line[:4].upper().strip()
                if verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    self._take(to, await reader.readuntil(b"\r\n.\r\n"))
                    to = []
                elif verb == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                elif verb == b"RCPT":
                    to += _ADDRESS.findall(line.decode("utf-8", "replace"))
                elif verb in (b"MAIL", b"RSET"):
                    to = []
                writer.write(b"250 ok\r\n")
                await writer.drain()
        writer.close()

    def _take(self, to: list[str], data: bytes) -> None:
        found = _MESSAGE_ID.search(data)
        self.message_ids[found.group(1) if found else b""] += 1
        self.delivered.update(address.lower() for address in to)


@asynccontextmanager
async def mail_sink() -> AsyncIterator[MailSink]:
    """Listen on a free port of this machine until the block ends."""
    sink = MailSink()
    server = await asyncio.start_server(sink.talk, "127.0.0.1", 0, limit=_LINE_BYTES_MAX)
    sink.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield sink
    finally:
        server.close()

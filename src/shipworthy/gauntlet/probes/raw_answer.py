"""One answer read from the socket itself: how long it said it would be, and how long it was.

A client library believes Content-Length: it stops at the promised byte and never sees what follows. This one
counts. Knows no redirects and no session.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

HEAD_BYTES_MAX = 64 * 1024
# Whoever was asked to close does so at once; a server that keeps the connection all the same has said all.
_MORE_S = 0.5


@dataclass(frozen=True)
class Lengths:
    """Units: bytes of the body as it came on the wire; `promised` is None without a Content-Length."""

    promised: int | None
    received: int


async def lengths_of(
    url: str, path: str, *, address: str, headers: Mapping[str, str], timeout_s: float, bytes_max: int
) -> Lengths | None:
    """Return the two lengths of a GET's answer; None where it says none, is cut at `bytes_max`, or is no HTTP.

    `address` is where to connect: the name in `url` is what is asked for.
    Errors:  OSError, TimeoutError when nothing usable comes.
    """
    parts = urlsplit(url)
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if tls else 80)
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_connection(
            address, port, ssl=tls, server_hostname=parts.hostname if tls else None, limit=HEAD_BYTES_MAX
        )
        try:
            said = {"host": parts.netloc, "connection": "close", "accept-encoding": "identity", **headers}
            lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
            writer.write("\r\n".join(lines).encode("latin-1", "replace"))
            promised = _promised(await reader.readuntil(b"\r\n\r\n"))
            return None if promised is None else await _counted(reader, promised, bytes_max)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return None
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _counted(reader: asyncio.StreamReader, promised: int, bytes_max: int) -> Lengths | None:
    received = 0
    while received <= bytes_max:
        patience_s = None if received < promised else _MORE_S
        try:
            async with asyncio.timeout(patience_s):
                part = await reader.read(HEAD_BYTES_MAX)
        except TimeoutError:
            if patience_s is None:
                raise
            return Lengths(promised, received)
        if not part:
            return Lengths(promised, received)
        received += len(part)
    return None


def _promised(head: bytes) -> int | None:
    """Return the length that stands in the head; None where there is none, or it does not count."""
    lines = head.decode("latin-1").split("\r\n")[1:]
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    length = fields.get("content-length", "")
    return int(length) if "transfer-encoding" not in fields and length.isdecimal() else None

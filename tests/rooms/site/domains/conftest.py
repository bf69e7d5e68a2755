"""A DNS of our own: it answers over a real socket, and says of TXT records what a test wrote there."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import cast

import pytest

NXDOMAIN, SERVFAIL = 3, 2


@dataclass
class Dns(asyncio.DatagramProtocol):
    """Answers questions for TXT. `texts` by name; `code` of every answer; `raw` replaces what follows the question."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    code: int = 0
    raw: bytes | None = None
    is_silent: bool = False
    asked: list[str] = field(default_factory=list)
    port: int = 0
    _transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        assert self._transport is not None
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        name, question = ".".join(labels), data[12 : at + 5]
        self.asked.append(name)
        if self.is_silent:
            return
        found = self.texts.get(name, [])
        code = self.code or (0 if found else NXDOMAIN)
        records = b"".join(map(_record, found))
        head = data[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        wrong = b"\0\0" + head[2:] + question  # somebody guesses: another number than was asked with
        self._transport.sendto(wrong, addr)  # type: ignore[arg-type]
        body = records if self.raw is None else self.raw
        self._transport.sendto(head + question + body, addr)  # type: ignore[arg-type]


def _record(text: str) -> bytes:
    """Return one record as servers send it: the name by reference, long texts in pieces of 255 bytes."""
    data = text.encode()
    pieces = [data[at : at + 255] for at in range(0, len(data), 255)] or [b""]
    packed = b"".join(bytes([len(piece)]) + piece for piece in pieces)
    return b"\xc0\x0c" + struct.pack(">HHIH", 16, 1, 300, len(packed)) + packed


@pytest.fixture
async def dns() -> AsyncIterator[Dns]:
    server = Dns()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", 0))
    server.port = transport.get_extra_info("sockname")[1]
    yield server
    transport.close()

"""Asking the DNS for TXT records, as far as proving that a host is somebody's needs it (RFC 1035)."""

from __future__ import annotations

import asyncio
import secrets
import struct
from pathlib import Path
from typing import cast

from shipworthy.kernel.errors import Upstream
from shipworthy.kernel.language import _

_TXT, _IN, _RECURSE, _CUT = 16, 1, 0x0100, 0x0200
_ANSWERS, _NO_SUCH_NAME = 0, 3
_TRIES, _TIMEOUT_S = 2, 3.0
_LABEL_BYTES_MAX = 63
_RESOLV_CONF = Path("/etc/resolv.conf")


async def look_up_txt(name: str, *, server: str) -> list[str]:
    """Return the TXT records of a name; none where the name has none, or is none.

    `server` is host:port of the resolver to ask; empty: the one this machine uses.
    Errors:  Upstream `site.dns_unavailable` when it does not answer, or answers nonsense.
    """
    host, _, port = (server or _machines_resolver()).partition(":")
    number = secrets.token_bytes(2)
    question = _question(name)
    packet = number + struct.pack(">HHHHH", _RECURSE, 1, 0, 0, 0) + question
    for _try in range(_TRIES):
        try:
            answer = await asyncio.wait_for(_ask(packet, (host, int(port or 53))), _TIMEOUT_S)
            return _texts(answer, question)
        except (OSError, TimeoutError):
            continue
        except (IndexError, ValueError, struct.error):
            break
    raise _silent(name)


class _Reply(asyncio.DatagramProtocol):
    """Takes the first datagram that answers the question asked; what answers another one is left."""

    def __init__(self, packet: bytes) -> None:
        self._packet = packet
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.DatagramTransport", transport).sendto(self._packet)

    def datagram_received(self, data: bytes, addr: object) -> None:
        is_ours = data[:2] == self._packet[:2] and data[12 : len(self._packet)] == self._packet[12:]
        if is_ours and not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _ask(packet: bytes, server: tuple[str, int]) -> bytes:
    loop = asyncio.get_running_loop()
    transport, reply = await loop.create_datagram_endpoint(lambda: _Reply(packet), remote_addr=server)
    try:
        return await reply.answer
    finally:
        transport.close()


def _question(name: str) -> bytes:
    labels = [label.encode("ascii") for label in name.split(".") if label]
    if any(len(label) > _LABEL_BYTES_MAX for label in labels):
        raise _silent(name)
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0" + struct.pack(">HH", _TXT, _IN)


def _texts(answer: bytes, question: bytes) -> list[str]:
    """Return the texts of an answer. Errors: IndexError, ValueError, struct.error for nonsense."""
    _number, flags, _asked, count, _rest, _more = struct.unpack(">HHHHHH", answer[:12])
    if flags & 0xF not in (_ANSWERS, _NO_SUCH_NAME) or flags & _CUT:
        raise ValueError("the server refuses, or its answer is cut")
    at, texts = 12 + len(question), []
    for _answer in range(count):
        at = _behind_name(answer, at)
        kind, _class, _ttl, size = struct.unpack(">HHIH", answer[at : at + 10])
        data = answer[at + 10 : at + 10 + size]
        at += 10 + size
        if kind == _TXT:
            texts.append(_joined(data))
    return texts


def _behind_name(answer: bytes, at: int) -> int:
    for _label in range(128):
        length = answer[at]
        if length & 0xC0 == 0xC0:  # the rest of the name stands elsewhere
            return at + 2
        at += 1 + length
        if length == 0:
            return at
    raise ValueError("a name without an end")


def _joined(data: bytes) -> str:
    """Return the strings of one TXT record as one text (RFC 7208, 3.3, does the same)."""
    parts, at = [], 0
    while at < len(data):
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(parts).decode("utf-8", errors="replace")


def _silent(name: str) -> Upstream:
    message = _("The DNS did not tell about {name}. Try again in a minute.", name=name)
    return Upstream("site.dns_unavailable", message)


def _machines_resolver() -> str:
    try:
        lines = _RESOLV_CONF.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    servers = [line.split()[1] for line in lines if line.startswith("nameserver ") and ":" not in line]
    return f"{servers[0] if servers else '127.0.0.1'}:53"

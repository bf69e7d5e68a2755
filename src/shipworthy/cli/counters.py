"""A process's counters, handed on to others: one address, read anew for each who asks."""

from __future__ import annotations

import asyncio
import signal
import urllib.request
from collections.abc import Callable

_ASK_TIMEOUT_S = 2.0
_PATH = b"/-/metrics"


async def exposed(url: str, host: str, port: int, *, say: Callable[[str], None]) -> None:
    """Listen until SIGTERM; every other address than /-/metrics is not there."""

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(2 * _ASK_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await _answer(head, url))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with await asyncio.start_server(visit, host, port) as server:
        say(f"counters of {url} at port {server.sockets[0].getsockname()[1]}")
        await stop.wait()


async def _answer(head: bytes, url: str) -> bytes:
    method, _, rest = head.partition(b" ")
    if method not in (b"GET", b"HEAD") or rest.split(b" ")[0].partition(b"?")[0] != _PATH:
        return _told(b"404 Not Found", b"")
    try:
        text = await asyncio.to_thread(_text, url)
    except OSError:
        return _told(b"503 Service Unavailable", b"")
    return _told(b"200 OK", text if method == b"GET" else b"")


def _text(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_ASK_TIMEOUT_S) as answer:  # noqa: S310 - http only, see cli/canary.py
        text: bytes = answer.read()
    return text


def _told(status: bytes, body: bytes) -> bytes:
    length = str(len(body)).encode()
    head = b"HTTP/1.1 " + status + b"\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: " + length
    return head + b"\r\nConnection: close\r\n\r\n" + body

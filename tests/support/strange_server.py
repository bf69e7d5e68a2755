"""A server that answers as no server should: hangs, lies about its length, never ends, leads in circles, dies."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_PAGE = b"<!doctype html><title>Fine</title>"


def _answer(
    *, status: str = "200 OK", length: int | None = None, body: bytes = _PAGE, more: str = ""
) -> bytes:
    said = f"content-length: {len(body) if length is None else length}\r\n"
    return f"HTTP/1.1 {status}\r\ncontent-type: text/html\r\n{said}{more}\r\n".encode() + body


ANSWERS = {
    "/": _answer(),
    "/short": _answer(length=len(_PAGE) + 100),
    "/long": _answer(length=len(_PAGE) - 5),
    "/error": _answer(status="500 Oh"),
    "/gone": _answer(status="404 No"),
    "/a": _answer(status="302 There", more="location: /b\r\n"),
    "/b": _answer(status="302 Back", more="location: /a\r\n"),
    "/away": _answer(status="302 Away", more="location: https://elsewhere.example/\r\n"),
    "/nowhere": _answer(status="302 Where", more="location: http://[no\r\n"),
    "/once": _answer(status="302 There", more="location: /\r\n"),
}


@dataclass
class StrangeServer:
    """The server and what it does to everybody from now on."""

    base_url: str = ""
    is_deaf: bool = False
    asked: list[str] = field(default_factory=list)  # "GET /path HTTP/1.1"
    hosts: list[str] = field(default_factory=list)
    server: asyncio.Server | None = None
    when_asked: Callable[[], object] = lambda: None
    extra: dict[str, bytes] = field(default_factory=dict)  # path -> body of text/plain

    async def stop_listening(self) -> None:
        assert self.server is not None
        self.server.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, path = head.splitlines()[0], head.split(" ")[1]
            self.asked.append(line)
            self.when_asked()
            self.hosts += [h[6:] for h in head.splitlines() if h.lower().startswith("host: ")]
            await self._answer(path, writer)
        with contextlib.suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        if self.is_deaf or path == "/hang":
            await asyncio.Event().wait()
        if path == "/endless":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1073741824\r\n\r\n")
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
        if path in self.extra:
            body = self.extra[path]
            writer.write(_answer(body=body))
        else:
            writer.write(ANSWERS.get(path, ANSWERS["/gone"]))
        await writer.drain()


@asynccontextmanager
async def strange_server() -> AsyncIterator[StrangeServer]:
    """Serve in this event loop."""
    strange = StrangeServer()
    strange.server = await asyncio.start_server(strange.serve, "127.0.0.1", 0)
    strange.base_url = f"http://127.0.0.1:{strange.server.sockets[0].getsockname()[1]}"
    try:
        yield strange
    finally:
        strange.server.close()

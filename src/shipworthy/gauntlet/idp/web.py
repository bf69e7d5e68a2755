"""HTTP/1.1 for the stub: small, quick, and able to answer late, cut short, or not at all.

Owns connections and parsing; knows nothing of sign-ins. One request of a connection is answered
after the other. On loopback only.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import unquote

import httptools

REQUEST_BYTES_MAX = 64 * 1024  # an authorization request is 1-2 KB; more is not a sign-in
REQUESTS_WAITING_MAX = 100  # of one connection that sends without reading its answers
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    is_last: bool = False  # the caller wants the connection closed afterwards


@dataclass(frozen=True, kw_only=True)
class Response:
    """One answer. `is_cut` promises the whole body, sends half of it and hangs up.

    Units:   `delay_s` seconds until it is sent.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    is_cut: bool = False


Handler = Callable[[Request], Response]


class Listener:
    """A port of this machine that answers with `handler`, and can be made to refuse for a while."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._held: socket.socket | None = None  # keeps the port ours while nobody listens
        self._connections: set[_Connection] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{_LOOPBACK}:{self.port}"

    async def open(self, port: int = 0) -> None:
        """Listen. Errors: OSError when the port is taken."""
        await self._listen(_bound(port))

    async def refuse(self) -> None:
        """Refuse connections from now on, and reset those that are open, until `accept`."""
        if self._server is not None:
            self._stop()
            # Bound without listening: the system refuses, and nobody else can take the port.
            self._held = _bound(self.port)

    async def accept(self) -> None:
        """Listen again after `refuse`."""
        if self._held is not None:
            held, self._held = self._held, None
            await self._listen(held)

    def forget_late(self) -> None:
        """Hang up on those who still wait for a late answer: it will not come."""
        for connection in list(self._connections):
            if connection.is_waiting:
                connection.abort()

    def close(self) -> None:
        """Stop, with all connections."""
        self._stop()
        if self._held is not None:
            self._held.close()
            self._held = None

    async def _listen(self, bound: socket.socket) -> None:
        self.port = bound.getsockname()[1]
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self._handler, self._connections), sock=bound, backlog=1024
        )

    def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.abort()


class _Connection(asyncio.Protocol):
    """One connection: requests are parsed as they come and answered in order."""

    def __init__(self, handler: Handler, all_of_them: set[_Connection]) -> None:
        self._handler, self._all = handler, all_of_them
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._later: asyncio.TimerHandle | None = None
        self._target, self._body, self._unfinished_bytes = b"", b"", 0
        self._headers: dict[str, str] = {}

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._all.add(self)

    def connection_lost(self, _reason: Exception | None) -> None:
        self._all.discard(self)
        if self._later is not None:
            self._later.cancel()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._unfinished_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserUpgrade, httptools.HttpParserError):
            self._refuse(400)
            return
        if self._unfinished_bytes > REQUEST_BYTES_MAX or len(self._waiting) > REQUESTS_WAITING_MAX:
            self._refuse(413)
        self._answer_next()

    @property
    def is_waiting(self) -> bool:
        return self._later is not None

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # What httptools calls

    def on_message_begin(self) -> None:
        self._target, self._body, self._headers = b"", b"", {}

    def on_url(self, part: bytes) -> None:
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        path, _, query = self._target.decode("latin-1").partition("?")
        self._waiting.append(
            Request(
                method=self._parser.get_method().decode("latin-1"),
                path=unquote(path),
                query=query,
                headers=self._headers,
                body=self._body,
                is_last=not self._parser.should_keep_alive(),
            )
        )
        self._unfinished_bytes = 0

    # Answering

    def _answer_next(self) -> None:
        while self._waiting and self._later is None and self._transport is not None:
            request = self._waiting.popleft()
            response = self._handler(request)
            if response.delay_s > 0:
                self._later = asyncio.get_running_loop().call_later(
                    response.delay_s, self._answer_late, request, response
                )
            else:
                self._write(request, response)

    def _answer_late(self, request: Request, response: Response) -> None:
        self._later = None
        self._write(request, response)
        self._answer_next()

    def _write(self, request: Request, response: Response) -> None:
        if self._transport is None:
            return
        self._transport.write(_wire(response))
        if response.is_cut or request.is_last:
            self._transport.close()
            self._transport = None

    def _refuse(self, status: int) -> None:
        self._waiting.clear()
        if self._transport is not None:
            self._transport.write(_wire(Response(status=status, headers={"connection": "close"})))
            self._transport.close()
            self._transport = None


def _wire(response: Response) -> bytes:
    """Return the bytes of an answer; of one that is cut, half the body under the whole length."""
    status = response.status
    reason = HTTPStatus(status).phrase
    lines = [f"HTTP/1.1 {status} {reason}", f"content-length: {len(response.body)}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    body = response.body[: len(response.body) // 2] if response.is_cut else response.body
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((_LOOPBACK, port))
    except OSError:
        bound.close()
        raise
    return bound

"""HTTP/1.1 over a keep-alive pool, by hand: about a tenth of the cost of a general client.

Owns connections and what can go wrong on them. Whatever a server does (dies, hangs, lies
about its length, answers without end) becomes a failure code on the exchange, never an
exception. Redirects are not followed: a 303 is an answer.
"""

from __future__ import annotations

import asyncio
import errno
import time
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools

from shipworthy.gauntlet.load.plan import Address

# The codes of a request that got no usable answer; an unexpected status becomes "status_NNN".
REFUSED = "refused"  # no connection
CLOSED = "closed"  # the connection ended before the first byte of an answer
TRUNCATED = "truncated"  # it ended in the middle of one
MALFORMED = "malformed"  # not HTTP, or more bytes than Content-Length announced
TOO_LARGE = "too_large"  # longer than response_bytes_max
TIMEOUT = "timeout"

# A connection idle for longer is not used again: gunicorn closes idle ones after 2 s, uvicorn
# and Node after 5, and a request sent into the closing would be lost through nobody's fault.
_IDLE_NS_MAX = 1_500_000_000
_BODY_HEAD_BYTES = 400
_ENGINE_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL})


class Exchange:
    """One request on its way and what came back. `on_done` is called exactly once.

    Units:   `deadline_ns`, `sent_ns`, `ended_ns` as time.monotonic_ns; `sent_ns` is 0 when it never left.
    """

    __slots__ = (
        "body",
        "connection",
        "cookies",
        "deadline_ns",
        "ended_ns",
        "failure",
        "is_done",
        "is_head",
        "is_retried",
        "is_safe",
        "on_done",
        "request",
        "sent_ns",
        "status",
        "wants_body",
    )

    def __init__(
        self,
        request: bytes,
        on_done: Callable[[Exchange], None],
        *,
        deadline_ns: int,
        is_safe: bool = False,
        is_head: bool = False,
        wants_body: bool = False,
    ) -> None:
        self.request, self.on_done, self.deadline_ns = request, on_done, deadline_ns
        self.is_safe, self.is_head, self.wants_body = is_safe, is_head, wants_body
        self.connection: _Connection | None = None
        self.sent_ns = self.ended_ns = self.status = 0
        self.body = b""  # whole when wanted, else its first bytes
        self.cookies: list[str] = []
        self.failure = ""
        self.is_done = self.is_retried = False

    def finish(self, failure: str = "") -> None:
        """Settle the exchange and tell its owner; a second call does nothing."""
        if self.is_done:
            return
        self.is_done = True
        self.failure = failure
        self.ended_ns = time.monotonic_ns()
        self.on_done(self)

    def expire(self) -> None:
        """Give up waiting, and give up the connection: its answer may still come."""
        connection = self.connection
        if connection is not None:
            connection.abandon()
        self.finish(TIMEOUT)


class Pool:
    """Keep-alive connections to one address: an idle one when there is one, else a new one.

    Unbounded up to `connections_max`; beyond it requests wait, and their waiting counts,
    because latency runs from the intended send time.
    """

    def __init__(
        self, address: Address, *, connections_max: int, response_bytes_max: int, connect_timeout_s: float
    ) -> None:
        self.address = address
        self.response_bytes_max = response_bytes_max
        self.opened = 0
        self.retried = 0
        self._loop = asyncio.get_running_loop()
        self._connections_max, self._connect_timeout_s = connections_max, connect_timeout_s
        self._idle: list[_Connection] = []
        self._waiting: deque[Exchange] = deque()
        self._open: set[_Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()

    def submit(self, exchange: Exchange) -> None:
        """Send now when a connection is idle; otherwise open one and send when it stands."""
        now_ns = time.monotonic_ns()
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.is_usable(now_ns):
                connection.send(exchange, now_ns)
                return
        self._waiting.append(exchange)
        self._open_for_waiting()

    def is_idle_again(self, connection: _Connection, now_ns: int) -> None:
        """Take a free connection back: straight to who waits, else to the idle ones."""
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.is_done:
                connection.send(exchange, now_ns)
                return
        self._idle.append(connection)

    def is_closed(self, connection: _Connection) -> None:
        """Forget a connection, and replace it when requests still wait."""
        self._open.discard(connection)
        if self._waiting:
            self._open_for_waiting()

    def retry(self, exchange: Exchange) -> None:
        """Send again, once, what met a connection that the server had just closed as idle."""
        self.retried += 1
        exchange.is_retried = True
        exchange.connection = None
        self.submit(exchange)

    async def close(self) -> None:
        """Close everything; exchanges still open are left to their owner."""
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for connection in list(self._open):
            connection.abandon()

    def _open_for_waiting(self) -> None:
        while self._waiting and self._waiting[0].is_done:
            self._waiting.popleft()
        standing = len(self._open) + len(self._connecting)
        if standing < self._connections_max and len(self._connecting) < len(self._waiting):
            task = self._loop.create_task(self._connect())
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                _, connection = await self._loop.create_connection(
                    lambda: _Connection(self), self.address.host, self.address.port
                )
        except OSError as error:  # TimeoutError is one
            if error.errno in _ENGINE_LIMITS and self._open:
                self._connections_max = len(self._open)  # our own limit, not the server's refusal
                return
            self._refuse_one()
            self._connecting.discard(asyncio.current_task())
            self._open_for_waiting()
            return
        self.opened += 1
        self._open.add(connection)
        self.is_idle_again(connection, time.monotonic_ns())

    def _refuse_one(self) -> None:
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.is_done:
                exchange.finish(REFUSED)
                return


class _Connection(asyncio.Protocol):
    """One keep-alive connection; carries one exchange at a time.

    Several methods are callbacks of httptools' parser and are named as it asks.
    """

    __slots__ = (
        "_complete",
        "_excess",
        "_exchange",
        "_has_length",
        "_headers_done",
        "_idle_since_ns",
        "_is_closing",
        "_keep_alive",
        "_parser",
        "_pool",
        "_received_bytes",
        "_served",
        "_transport",
    )

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._is_closing = False
        self._idle_since_ns = time.monotonic_ns()
        self._served = 0
        self._begin()

    def send(self, exchange: Exchange, now_ns: int) -> None:
        assert self._transport is not None
        self._exchange = exchange
        self._received_bytes = 0
        exchange.connection = self
        exchange.sent_ns = now_ns
        self._transport.write(exchange.request)

    def is_usable(self, now_ns: int) -> bool:
        """False when it is closing or has been idle for too long; then it is closed."""
        if self._is_closing:
            return False
        if now_ns - self._idle_since_ns < _IDLE_NS_MAX:
            return True
        self.abandon()
        return False

    def abandon(self) -> None:
        """Drop the connection and whatever it was carrying, without a word to the owner."""
        self._exchange = None
        self._is_closing = True
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio.Protocol ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        if self._exchange is None:
            self.abandon()  # nobody asked: what comes now would be taken for the next answer
            return
        self._received_bytes += len(data)
        if self._received_bytes > self._pool.response_bytes_max:
            self._fail(TOO_LARGE)
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(MALFORMED)
            return
        if self._excess:
            self._fail(MALFORMED)
        elif self._complete:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closing = True
        exchange, self._exchange = self._exchange, None
        self._pool.is_closed(self)
        if exchange is None:
            return
        if self._headers_done and not self._has_length and exc is None:
            exchange.finish()  # a body that ends with the connection (RFC 9112, 6.3)
        elif self._received_bytes:
            exchange.finish(TRUNCATED)
        elif self._served and exchange.is_safe and not exchange.is_retried:
            self._pool.retry(exchange)
        else:
            exchange.finish(CLOSED)

    # -- httptools.HttpResponseParser ----------------------------------------------------

    def on_message_begin(self) -> None:
        self._excess = self._complete

    def on_header(self, name: bytes, value: bytes) -> None:
        length = len(name)
        if length == 10 and name.lower() == b"set-cookie":
            assert self._exchange is not None
            self._exchange.cookies.append(value.decode("latin-1"))
        elif (length == 14 and name.lower() == b"content-length") or (
            length == 17 and name.lower() == b"transfer-encoding"
        ):
            self._has_length = True

    def on_headers_complete(self) -> None:
        assert self._exchange is not None
        self._exchange.status = self._parser.get_status_code()
        self._headers_done = True
        if self._exchange.is_head and self._exchange.status >= 200:
            # The parser cannot know that a HEAD answer has no body; it would wait for one.
            self._complete, self._keep_alive = True, False

    def on_body(self, body: bytes) -> None:
        exchange = self._exchange
        assert exchange is not None
        if exchange.wants_body:
            exchange.body += body
        elif len(exchange.body) < _BODY_HEAD_BYTES:
            exchange.body += body[:_BODY_HEAD_BYTES]

    def on_message_complete(self) -> None:
        assert self._exchange is not None
        if self._exchange.status < 200:  # 100 Continue, 103 Early Hints: the answer is still to come
            self._headers_done = False
            return
        self._complete = True
        self._keep_alive = self._parser.should_keep_alive()

    # ------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._complete = self._excess = self._has_length = self._headers_done = False
        self._keep_alive = True
        self._received_bytes = 0

    def _answered(self) -> None:
        exchange, self._exchange = self._exchange, None
        assert exchange is not None
        keep_alive = self._keep_alive
        self._begin()
        self._served += 1
        # The connection first: the owner's next step may want this very one.
        if keep_alive:
            self._idle_since_ns = time.monotonic_ns()
            self._pool.is_idle_again(self, self._idle_since_ns)
        else:
            self._is_closing = True
            assert self._transport is not None
            self._transport.close()
        exchange.finish()

    def _fail(self, code: str) -> None:
        exchange = self._exchange
        self.abandon()
        if exchange is not None:
            exchange.finish(code)

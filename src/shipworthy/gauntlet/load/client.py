"""HTTP/1.1 over a keep-alive pool, by hand: about a tenth of the cost of a general client.

Owns connections and what can go wrong on them. Whatever a server does (dies, hangs, lies
about its length, answers without end) becomes a failure code on the exchange, never an
exception. Redirects are not followed: a 303 is an answer.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

import httptools

from shipworthy.gauntlet.load.plan import Address
from shipworthy.gauntlet.politeness import Turns

# The codes of a request that got no usable answer; an unexpected status becomes "status_NNN".
REFUSED = "refused"  # no connection
UNTRUSTED = "untrusted"  # the TLS handshake failed: a certificate that is not trusted, or no TLS at all
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


class Traits(Protocol):
    """What the client must know of a kind of request; the same for all that are alike."""

    is_safe: bool  # may be sent again when a connection closed before the first byte
    is_head: bool
    wants_body: bool  # keep the whole body, not only the beginning of an error's
    wants_headers: bool  # keep every header, not only the cookies


class Exchange:
    """One request on its way and what came back. `on_done` is called exactly once.

    Units:   `deadline_ns`, `sent_ns`, `ended_ns` as time.monotonic_ns; `sent_ns` is 0 when it never left.
    """

    # Defaults stand on the class, not in slots: one that nothing unusual happens to sets five of them,
    # which took a quarter of a microsecond off every request (2026-11).
    connection: _Connection | None = None
    sent_ns = ended_ns = status = 0
    body = b""
    cookies: tuple[str, ...] = ()
    headers: list[tuple[bytes, bytes]] | None = None
    failure = ""
    is_done = False

    def __init__(
        self, request: bytes, traits: Traits, deadline_ns: int, on_done: Callable[[Exchange], None]
    ) -> None:
        self.request = request
        self.traits = traits
        self.deadline_ns = deadline_ns
        self.on_done = on_done
        if traits.wants_headers:
            self.headers = []

    def finish(self, failure: str = "", now_ns: int = 0) -> None:
        """Settle the exchange and tell its owner; a second call does nothing."""
        if self.is_done:
            return
        self.is_done = True
        if failure:
            self.failure = failure
        self.ended_ns = now_ns or time.monotonic_ns()
        self.on_done(self)

    def expire(self) -> None:
        """Give up waiting, and give up the connection: its answer may still come."""
        if self.is_done:
            return
        if self.connection is not None:
            self.connection.abandon()
        self.finish(TIMEOUT)


class Pool:
    """Keep-alive connections to one address: an idle one when there is one, else a new one.

    Unbounded up to `connections_max`; beyond it requests wait, and their waiting counts,
    because latency runs from the intended send time.
    """

    def __init__(
        self,
        address: Address,
        *,
        connections_max: int,
        response_bytes_max: int,
        connect_timeout_s: float,
        tls: ssl.SSLContext | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.address = address
        self._turns = turns
        self._tls = tls if address.is_tls else None
        self._tls_name = (address.name or address.host) if self._tls is not None else None
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
        if self._turns is not None and (wait_s := self._turns.claimed_s()) > 0:
            self._loop.call_later(wait_s, self._submit_now, exchange)
            return
        self._submit_now(exchange)

    def _submit_now(self, exchange: Exchange) -> None:
        now_ns = time.monotonic_ns()
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.is_closing:
                continue
            if now_ns - connection.idle_since_ns > _IDLE_NS_MAX:
                connection.abandon()
                continue
            connection.send(exchange, now_ns)
            return
        self._waiting.append(exchange)
        self._open_for_waiting()

    def take_back(self, connection: _Connection, now_ns: int) -> None:
        """Give a free connection to who waits, else keep it idle."""
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.is_done:
                connection.send(exchange, now_ns)
                return
        connection.idle_since_ns = now_ns
        self._idle.append(connection)

    def forget(self, connection: _Connection) -> None:
        """Count a connection as closed, and replace it when requests still wait."""
        self._open.discard(connection)
        if self._waiting:
            self._open_for_waiting()

    def retry(self, exchange: Exchange) -> None:
        """Send again, first of all, what met a connection that the server had just closed as idle.

        Not on another idle one: what closed that connection has probably closed them all.
        """
        self.retried += 1
        exchange.connection = None
        self._waiting.appendleft(exchange)
        self._open_for_waiting()

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
                    lambda: _Connection(self),
                    self.address.host,
                    self.address.port,
                    ssl=self._tls,
                    server_hostname=self._tls_name,
                )
        except OSError as error:  # TimeoutError and SSLError are ones
            if error.errno in _ENGINE_LIMITS and self._open:
                self._connections_max = len(self._open)  # our own limit, not the server's refusal
                return
            self._refuse_one(UNTRUSTED if isinstance(error, ssl.SSLError) else REFUSED)
            self._connecting.discard(asyncio.current_task())
            self._open_for_waiting()
            return
        self.opened += 1
        self._open.add(connection)
        self.take_back(connection, time.monotonic_ns())

    def _refuse_one(self, failure: str) -> None:
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.is_done:
                exchange.finish(failure)
                return


class _Connection(asyncio.Protocol):
    """One keep-alive connection; carries one exchange at a time.

    Several methods are callbacks of httptools' parser and are named as it asks. What is done
    here is done for every request and part of every header, hence plain flags.
    """

    __slots__ = (
        "_exchange",
        "_has_length",
        "_headers",
        "_is_complete",
        "_is_malformed",
        "_keep_alive",
        "_parser",
        "_pool",
        "_received_bytes",
        "_served",
        "_transport",
        "idle_since_ns",
        "is_closing",
    )

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._headers: list[tuple[bytes, bytes]] | None = None
        self.is_closing = False
        self.idle_since_ns = self._received_bytes = self._served = 0
        self._is_complete = self._is_malformed = self._has_length = False
        self._keep_alive = True

    def send(self, exchange: Exchange, now_ns: int) -> None:
        """Send the request; the connection must be free."""
        self._exchange = exchange
        self._headers = exchange.headers
        self._received_bytes = 0
        exchange.connection = self
        exchange.sent_ns = now_ns
        self._transport.write(exchange.request)  # type: ignore[union-attr]  # connected, or it were not in the pool

    def abandon(self) -> None:
        """Drop the connection and whatever it was carrying, without a word to the owner."""
        self._exchange = None
        self.is_closing = True
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio.Protocol ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
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
        if self._is_malformed:
            self._fail(MALFORMED)
        elif self._is_complete:
            self._answered(exchange)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closing = True
        exchange, self._exchange = self._exchange, None
        self._pool.forget(self)
        if exchange is None:
            return
        if exchange.status >= 200 and not self._has_length and exc is None:
            exchange.finish()  # a body that ends with the connection (RFC 9112, 6.3)
        elif self._received_bytes:
            exchange.finish(TRUNCATED)
        elif self._served and exchange.traits.is_safe:
            self._pool.retry(exchange)
        else:
            exchange.finish(CLOSED)

    # -- httptools.HttpResponseParser ----------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        # By length first: most headers are none of these, and lower() makes a copy.
        length = len(name)
        if length == 14:
            self._has_length = self._has_length or name.lower() == b"content-length"
        elif length == 17:
            self._has_length = self._has_length or name.lower() == b"transfer-encoding"
        elif length == 10 and name.lower() == b"set-cookie" and self._exchange is not None:
            self._exchange.cookies += (value.decode("latin-1"),)
        if self._headers is not None:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        exchange = self._exchange
        assert exchange is not None
        if self._is_complete:
            self._is_malformed = True  # a second answer to one request
            return
        exchange.status = self._parser.get_status_code()
        if exchange.traits.is_head and exchange.status >= 200:
            # The parser cannot know that a HEAD answer has no body; it would wait for one.
            self._is_complete, self._keep_alive = True, False

    def on_body(self, body: bytes) -> None:
        exchange = self._exchange
        assert exchange is not None
        if exchange.traits.wants_body:
            exchange.body += body
        elif exchange.status >= 400 and len(exchange.body) < _BODY_HEAD_BYTES:
            exchange.body += body[:_BODY_HEAD_BYTES]

    def on_message_complete(self) -> None:
        assert self._exchange is not None
        if self._exchange.status >= 200:  # 100 Continue, 103 Early Hints: the answer is still to come
            self._is_complete = True
            self._keep_alive = self._parser.should_keep_alive()

    # ------------------------------------------------------------------------------------

    def _answered(self, exchange: Exchange) -> None:
        self._exchange = None
        self._is_complete = self._has_length = False
        self._served += 1
        # The connection first: the owner's next step may want this very one.
        now_ns = time.monotonic_ns()
        if self._keep_alive:
            self._pool.take_back(self, now_ns)
        else:
            self.is_closing = True
            assert self._transport is not None
            self._transport.close()
        exchange.finish("", now_ns)

    def _fail(self, code: str) -> None:
        exchange = self._exchange
        self.abandon()
        if exchange is not None:
            exchange.finish(code)

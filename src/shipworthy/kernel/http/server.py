"""uvicorn's HTTP protocol with the two bounds it lacks, and a way out for answers that are ready.

Owns what happens before there is a request: how long and how large its head may be. A client that
sends a header a second would otherwise hold a socket for ever (Slowloris, R. Hansen, 2009), and one
that never ends its headers would fill the memory. The body has its own bounds (wire.py).

An application with `at_once` is asked first whether it has the answer ready; then no task, no cycle
and no messages are made for it. Under any other ASGI server the same answer goes the usual way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shipworthy.kernel.http.wire import AtOnce

HEAD_BYTES_MAX = 32_768  # nginx allows four buffers of 8 kB, Apache 8 kB a line
HEAD_TIMEOUT_S = 10.0

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 27\r\nconnection: close\r\n\r\nThe headers are too large.\n"
)


class BoundedHttp(HttpToolsProtocol):
    """One connection. Gives a head `HEAD_TIMEOUT_S` from its first byte and `HEAD_BYTES_MAX` bytes.

    A new connection must begin within the same time; an idle one is uvicorn's to close.
    """

    head_timeout_s = HEAD_TIMEOUT_S
    _at_once: AtOnce | None = None
    _is_answered = False  # the request that is being read has had its answer already
    _head_bytes = 0  # of the fields the parser has told us
    _raw_bytes = 0  # of chunks after which the head was still not whole
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._at_once = getattr(self.app, "at_once", None)
        self._give_time()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_time()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_answered = False
        self._head_bytes = self._raw_bytes = 0
        self._give_time()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._end_time()
        if self._at_once is not None and self._may_answer() and (answer := self._at_once(self._request())):
            self._is_answered = True
            self._give_time()  # for a body that nobody will read
            head, body = answer
            self.transport.write(b"".join([head, *self._date(), b"\r\n", body]))
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._is_answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._is_answered:
            self._end_time()
            self.on_response_complete()
        else:
            super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._deadline is not None:  # a field that never ends is not told to us: count it here
            self._raw_bytes += len(data)
            if self._raw_bytes > HEAD_BYTES_MAX:
                self._refuse()

    def send_400_response(self, msg: str) -> None:
        if self._head_bytes > HEAD_BYTES_MAX:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _may_answer(self) -> bool:
        """Say whether an answer written now is the next one due, and the connection goes on as it is."""
        is_due = self.cycle is None or self.cycle.response_complete
        # Who waits for "100 Continue" would send no body after our answer, and the next request be taken for it.
        is_whole = not self.expect_100_continue
        return is_due and is_whole and not self.flow.write_paused and self.parser.should_keep_alive()

    def _request(self) -> dict[str, Any]:
        raw_path, _, query = self.url.partition(b"?")
        method = self.parser.get_method().decode("ascii")
        return {
            "method": method,
            "raw_path": raw_path,
            "query_string": query,
            "headers": self.headers,
            "client": self.client,
        }

    def _date(self) -> Iterator[bytes]:
        return (b"%b: %b\r\n" % header for header in self.server_state.default_headers)

    def _count(self, size_bytes: int) -> None:
        self._head_bytes += size_bytes
        if self._head_bytes > HEAD_BYTES_MAX:
            raise httptools.HttpParserCallbackError("the head is too large")

    def _refuse(self) -> None:
        self._end_time()
        if not self.transport.is_closing():
            if not self._is_answered:
                self.transport.write(_TOO_LARGE)
            self.transport.close()

    def _give_time(self) -> None:
        self._end_time()
        self._deadline = self.loop.call_later(self.head_timeout_s, self._late)

    def _end_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        self.transport.close()


def options() -> dict[str, Any]:
    """Return how uvicorn is run, whoever runs it: bounds, and nothing said twice."""
    return {
        "loop": "uvloop",
        "http": BoundedHttp,
        "ws": "none",
        "lifespan": "on",
        "access_log": False,
        "server_header": False,
        # It would believe X-Forwarded-For of every local caller; how many hops are ours is a setting (wire.py).
        "proxy_headers": False,
        "log_config": None,
        "timeout_graceful_shutdown": 10,
        "backlog": 512,
    }

"""Whatever a server does, the client settles the exchange with a code and keeps working."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from shipworthy.gauntlet.load.client import (
    CLOSED,
    MALFORMED,
    REFUSED,
    TIMEOUT,
    TOO_LARGE,
    TRUNCATED,
    Exchange,
    Pool,
)
from shipworthy.gauntlet.load.plan import address_of
from tests.gauntlet.load.servers import OK, Handler, Seen, answer, answering, never, serving

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Kind:
    is_safe: bool = False
    wants_headers: bool = False
    is_head: bool = False
    wants_body: bool = False


@contextlib.asynccontextmanager
async def pool_to(
    url: str, *, connections_max: int = 10, response_bytes_max: int = 100_000
) -> AsyncIterator[Pool]:
    pool = Pool(
        address_of(url, allow_remote=False),
        connections_max=connections_max,
        response_bytes_max=response_bytes_max,
        connect_timeout_s=20.0,
    )
    try:
        yield pool
    finally:
        await pool.close()


def begin(pool: Pool, *, kind: Kind | None = None, request: bytes = GET) -> asyncio.Future[Exchange]:
    """Submit a request; the future is its settled exchange. A second settling would raise."""
    done: asyncio.Future[Exchange] = asyncio.get_running_loop().create_future()
    pool.submit(Exchange(request, kind or Kind(), time.monotonic_ns() + 10**12, done.set_result))
    return done


async def ask(pool: Pool, *, kind: Kind | None = None, request: bytes = GET) -> Exchange:
    return await asyncio.wait_for(begin(pool, kind=kind, request=request), 30)


async def test_an_answer_is_kept_with_status_cookies_and_times() -> None:
    said = answer(b"hello", status="201 Created", headers="Set-Cookie: a=1\r\nset-cookie: b=2; Max-Age=0\r\n")
    async with serving(answering(said)) as server, pool_to(server.url) as pool:
        exchange = await ask(pool, kind=Kind(wants_body=True))
    assert (exchange.status, exchange.body, exchange.failure) == (201, b"hello", "")
    assert exchange.cookies == ("a=1", "b=2; Max-Age=0")
    assert 0 < exchange.sent_ns <= exchange.ended_ns


async def test_one_connection_serves_requests_one_after_the_other() -> None:
    async with serving(answering(OK)) as server, pool_to(server.url) as pool:
        for _ in range(5):
            assert (await ask(pool)).status == 200
        assert (server.connections, pool.opened, len(server.seen)) == (1, 1, 5)


async def test_requests_at_the_same_time_open_connections_up_to_the_cap_and_the_rest_wait() -> None:
    gate, arrived = asyncio.Event(), asyncio.Semaphore(0)

    async def held(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        arrived.release()
        await gate.wait()
        writer.write(OK)

    async with serving(held) as server, pool_to(server.url, connections_max=3) as pool:
        asked = [begin(pool) for _ in range(8)]
        for _ in range(3):
            await asyncio.wait_for(arrived.acquire(), 30)
        assert (len(server.seen), server.connections) == (3, 3)
        gate.set()
        settled = await asyncio.wait_for(asyncio.gather(*asked), 30)
        assert [e.status for e in settled] == [200] * 8
        assert server.connections == 3


async def closing(_seen: Seen, _writer: asyncio.StreamWriter) -> bool:
    return False


async def lying_short(_seen: Seen, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
    return False


async def endless(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def endless_header(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        pytest.param(closing, CLOSED, id="dies"),
        pytest.param(lying_short, TRUNCATED, id="sends less than announced"),
        pytest.param(answering(OK + b"and more than announced"), MALFORMED, id="sends more than announced"),
        pytest.param(answering(OK + OK), MALFORMED, id="answers twice"),
        pytest.param(answering(b"SSH-2.0-OpenSSH\r\n\r\n"), MALFORMED, id="is no web server"),
        pytest.param(
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), MALFORMED, id="has a broken length"
        ),
        pytest.param(
            answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
            MALFORMED,
            id="upgrades",
        ),
        pytest.param(endless, TOO_LARGE, id="answers a gigabyte"),
        pytest.param(endless_header, TOO_LARGE, id="sends a header without end"),
    ],
)
async def test_a_misbehaving_server_is_a_failure_with_a_code(handler: Handler, code: str) -> None:
    async with serving(handler) as server, pool_to(server.url) as pool:
        assert (await ask(pool)).failure == code
        # The broken connection is not used again: another request meets the same on its own.
        assert (await ask(pool)).failure == code
        assert server.connections == 2


async def test_a_server_that_is_not_there_refuses_every_request_even_beyond_the_cap() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with pool_to(url, connections_max=1) as pool:
            settled = await asyncio.wait_for(asyncio.gather(*(begin(pool) for _ in range(4))), 30)
    assert [(e.failure, e.sent_ns) for e in settled] == [(REFUSED, 0)] * 4


async def test_a_hanging_answer_expires_and_its_connection_is_given_up() -> None:
    async with serving(never) as server, pool_to(server.url) as pool:
        settled: list[Exchange] = []
        exchange = Exchange(GET, Kind(), 0, settled.append)
        pool.submit(exchange)
        await asyncio.wait_for(server.was_asked.wait(), 30)
        exchange.expire()
        exchange.expire()
        assert [e.failure for e in settled] == [TIMEOUT]


async def test_a_request_that_expires_while_waiting_is_never_sent() -> None:
    gate = asyncio.Event()

    async def held(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        writer.write(OK)

    async with serving(held) as server, pool_to(server.url, connections_max=1) as pool:
        first = begin(pool)
        waiting = Exchange(GET, Kind(), 0, lambda _: None)
        pool.submit(waiting)
        waiting.expire()
        last = begin(pool)
        gate.set()
        assert [(await asyncio.wait_for(e, 30)).status for e in (first, last)] == [200, 200]
        assert (waiting.failure, waiting.sent_ns, len(server.seen)) == (TIMEOUT, 0, 2)


async def closing_the_second(_seen: Seen, writer: asyncio.StreamWriter) -> bool | None:
    """Answer the first request of a connection and close on the second, as a keep-alive race does."""
    if getattr(writer, "has_answered", False):
        return False
    writer.has_answered = True  # type: ignore[attr-defined]
    writer.write(OK)
    return None


async def test_a_safe_request_that_meets_a_just_closed_connection_is_sent_again() -> None:
    async with serving(closing_the_second) as server, pool_to(server.url) as pool:
        assert (await ask(pool)).failure == ""
        assert (await ask(pool, kind=Kind(is_safe=True))).failure == ""
        assert (pool.retried, server.connections) == (1, 2)


async def test_it_is_sent_on_a_fresh_connection_since_the_idle_ones_are_as_old() -> None:
    async with serving(closing_the_second) as server, pool_to(server.url) as pool:
        settled = await asyncio.wait_for(asyncio.gather(begin(pool), begin(pool), begin(pool)), 30)
        assert [e.failure for e in settled] == ["", "", ""]
        assert (await ask(pool, kind=Kind(is_safe=True))).failure == ""
        assert (pool.retried, server.connections) == (1, 4)


async def test_an_unsafe_request_is_never_sent_twice() -> None:
    async with serving(closing_the_second) as server, pool_to(server.url) as pool:
        assert (await ask(pool)).failure == ""
        assert (await ask(pool, kind=Kind(is_safe=False))).failure == CLOSED
        assert pool.retried == 0


async def test_an_answer_nobody_asked_for_is_not_taken_for_the_next_one() -> None:
    first_is_in = asyncio.Event()

    async def late(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        if not first_is_in.is_set():
            await writer.drain()
            await first_is_in.wait()
            writer.write(answer(b"poison", status="500 Oops"))

    async with serving(late) as server, pool_to(server.url) as pool:
        assert (await ask(pool)).status == 200
        first_is_in.set()
        await asyncio.wait_for(server.was_left.wait(), 30)
        assert (await ask(pool)).status == 200
        assert server.connections == 2


async def until_closed(_seen: Seen, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
    return False


async def test_a_body_may_end_with_the_connection() -> None:
    async with serving(until_closed) as server, pool_to(server.url) as pool:
        exchange = await ask(pool, kind=Kind(wants_body=True))
    assert (exchange.failure, exchange.status, exchange.body) == ("", 200, b"until the end")


async def test_a_connection_the_server_means_to_close_is_not_used_again() -> None:
    said = answer(b"ok", headers="Connection: close\r\n")
    async with serving(answering(said)) as server, pool_to(server.url) as pool:
        assert [(await ask(pool)).failure for _ in range(2)] == ["", ""]
        assert server.connections == 2


async def test_a_chunked_answer_in_pieces_is_put_together() -> None:
    async def pieces(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        for piece in (
            b"HTTP/1.1 200 OK\r\nTransfer-Enc",
            b"oding: chunked\r\n\r\n5\r\nhel",
            b"lo\r\n0\r\n",
            b"\r\n",
        ):
            writer.write(piece)
            await writer.drain()

    async with serving(pieces) as server, pool_to(server.url) as pool:
        for _ in range(2):
            exchange = await ask(pool, kind=Kind(wants_body=True))
            assert (exchange.failure, exchange.body) == ("", b"hello")
        assert server.connections == 1


async def test_an_interim_answer_is_waited_through() -> None:
    said = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + answer(b"ok", status="404 Not Found")
    async with serving(answering(said)) as server, pool_to(server.url) as pool:
        assert [(await ask(pool)).status for _ in range(2)] == [404, 404]
        assert server.connections == 1


async def test_the_answer_to_a_head_request_has_no_body_to_wait_for() -> None:
    async with (
        serving(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")) as server,
        pool_to(server.url) as pool,
    ):
        exchange = await ask(pool, kind=Kind(is_safe=True, is_head=True))
    assert (exchange.failure, exchange.status) == ("", 200)


async def test_of_an_error_only_the_beginning_is_kept() -> None:
    async with (
        serving(answering(answer(b"e" * 5_000, status="500 Oops"))) as server,
        pool_to(server.url) as pool,
    ):
        exchange = await ask(pool)
    assert exchange.status == 500
    assert exchange.body == b"e" * 400

"""A request's head is bounded in time and size, on a real socket; ordinary requests notice nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from shipworthy.kernel.http.server import HEAD_BYTES_MAX, BoundedHttp, options

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n"


class Hurried(BoundedHttp):
    head_timeout_s = 1.0


async def hello(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": body or b"ok"})


@asynccontextmanager
async def listening(protocol: type[BoundedHttp]) -> AsyncIterator[int]:
    config = uvicorn.Config(hello, **{**options(), "http": protocol, "lifespan": "off"})
    config.load()
    server = uvicorn.Server(config)
    loop = asyncio.get_running_loop()
    state = server.server_state
    listener = await loop.create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


async def said(port: int, *pieces: bytes) -> bytes:
    """Send the pieces, then read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("begun", [b"", b"GET / HT", GET, GET + b"x: y\r\n"])
async def test_a_head_that_never_ends_is_closed_and_a_whole_one_is_answered(begun: bytes) -> None:
    async with listening(Hurried) as port:
        assert await said(port, begun) == b""
        assert b"200 OK" in await said(port, GET, b"connection: close\r\n\r\n")


@pytest.mark.parametrize(
    "head",
    [
        GET + b"x: " + b"y" * HEAD_BYTES_MAX + b"\r\n\r\n",
        GET + b"x: y\r\n" * (HEAD_BYTES_MAX // 2) + b"\r\n",
        GET + b"x: " + b"y" * (HEAD_BYTES_MAX + 1),
        b"GET /" + b"a" * HEAD_BYTES_MAX + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ],
)
async def test_a_head_that_is_too_large_is_told_so_and_a_large_one_is_not(head: bytes) -> None:
    async with listening(BoundedHttp) as port:
        assert (await said(port, head)).startswith(b"HTTP/1.1 431 ")
        large = GET + b"connection: close\r\nx: " + b"y" * (HEAD_BYTES_MAX // 2)
        assert b"200 OK" in await said(port, large[:9_000], large[9_000:], b"\r\n\r\n")


async def test_a_second_request_on_the_connection_has_its_own_bounds() -> None:
    async with listening(Hurried) as port:
        answer = await said(port, GET + b"\r\n", GET)
        assert answer.count(b"200 OK") == 1  # the second never became whole
        answer = await said(port, GET + b"\r\n", GET + b"connection: close\r\n\r\n")
        assert answer.count(b"200 OK") == 2


async def test_nonsense_is_still_a_bad_request() -> None:
    async with listening(BoundedHttp) as port:
        assert (await said(port, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400 ")

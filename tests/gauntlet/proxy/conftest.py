"""The proxies in their own process, before a server that answers what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shipworthy.gauntlet.proxy.proxies import Proxies, proxies_running

PATIENCE_S = 30.0  # a bound against hanging, not a measure


class EchoServer:
    """Sends back what it gets, says BYE when the client has ended, and can die and come back."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def begin(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=600)
        self.port = self._server.sockets[0].getsockname()[1]

    async def die(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
            writer.write(b"BYE")
            await writer.drain()
        except OSError:
            pass  # reset
        finally:
            self._writers.discard(writer)
            writer.close()


@asynccontextmanager
async def echoing() -> AsyncIterator[EchoServer]:
    server = EchoServer()
    await server.begin()
    try:
        yield server
    finally:
        await server.die()


@pytest.fixture
async def echo() -> AsyncIterator[EchoServer]:
    async with echoing() as server:
        yield server


@pytest.fixture
async def proxies() -> AsyncIterator[Proxies]:
    async with proxies_running() as running:
        yield running


async def said_back(port: int, words: bytes) -> bytes:
    """Connect, send, end, and return all that came back."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(words)
            writer.write_eof()
            return await reader.read()
        finally:
            writer.close()

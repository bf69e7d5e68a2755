"""An endpoint that listens: what a CDN or IndexNow would be, on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import msgspec
import pytest

from shipworthy.kernel.queue.job import Payload
from shipworthy.kernel.queue.worker import run_job
from shipworthy.rooms.site.jobs import JOBS
from tests.support.app import RunningApp


@dataclass
class Heard:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Ear:
    """Answers each request with the next of `statuses`, then with 200."""

    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.heard.append(Heard(first.split(" ")[1], headers, body))
        status = self.statuses.pop(0) if self.statuses else 200
        writer.write(f"HTTP/1.1 {status} Said\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    listening = Ear()
    server = await asyncio.start_server(listening.answer, "127.0.0.1", 0)
    listening.port = server.sockets[0].getsockname()[1]
    yield listening
    server.close()
    await server.wait_closed()


class Queued(NamedTuple):
    """A job that waits."""

    kind: str
    payload: bytes

    @property
    def source(self) -> str:
        return msgspec.json.decode(self.payload, type=Payload).source


async def taken(app: RunningApp, kind: str) -> list[Queued]:
    """Take the waiting jobs of a kind, oldest first."""
    rows = await app.admin("delete from pgqueuer where entrypoint = $1 returning id, payload", kind)
    return [Queued(kind, row["payload"]) for row in sorted(rows, key=lambda row: row["id"])]


async def kinds(app: RunningApp) -> set[str]:
    return {row["entrypoint"] for row in await app.admin("select entrypoint from pgqueuer")}


async def run(app: RunningApp, jobs: Sequence[Queued]) -> None:
    """Run jobs as the worker's own role does."""
    known = {kind.kind: kind for kind in JOBS}
    async with app.role("worker") as database:
        runtime = replace(app.runtime, database=database, state={})  # another process
        for job in jobs:
            await run_job(known[job.kind], runtime, job.payload, attempt=0)

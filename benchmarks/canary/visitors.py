"""Visitors: an open loop of requests with sessions of ten and uneven tenants; every answer is accounted for."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from benchmarks.canary.version import token

TENANTS = 20
SESSION = 10  # requests of a session
_OPEN_SESSIONS = 40  # at a time
_ANSWER_TIMEOUT_S = 10.0
_MIX = (("GET", "/page/home"),) * 6 + (("POST", "/invoices"),) * 2 + (("POST", "/login"),) * 2


@dataclass
class Visitors:
    """What they met. A dropped request has no answer, or a failure that no version was told to give."""

    rate_per_s: float
    answers: Counter[str] = field(default_factory=Counter)  # by version
    dropped: list[str] = field(default_factory=list)
    late_by: dict[str, float] = field(
        default_factory=dict
    )  # version -> when the last request it got was sent
    lag_s_max: float = 0.0


class _Sessions:
    """Forty at a time; who has asked ten times makes room for another, of a tenant of uneven size."""

    def __init__(self, luck: random.Random) -> None:
        self._luck, self._number = luck, luck.randrange(1 << 20)
        self._weights = [math.exp(luck.gauss(0.0, 1.0)) for _ in range(TENANTS)]
        # The tenant that a version may be broken for is never a negligible one.
        self._weights[2] = max(self._weights[2], sum(self._weights) * 0.06)
        self._open = [self._new() for _ in range(_OPEN_SESSIONS)]

    def _new(self) -> list[str]:
        self._number += 1
        (tenant,) = self._luck.choices(range(TENANTS), self._weights)
        return [token(self._number, f"t{tenant}")] * SESSION

    def next(self) -> str:
        place = self._luck.randrange(len(self._open))
        session = self._open[place]
        cookie = session.pop()
        if not session:
            self._open[place] = self._new()
        return cookie


@asynccontextmanager
async def visiting(port: int, *, rate_per_s: float, seed: int) -> AsyncIterator[Visitors]:
    """Send requests at random moments, at this rate, until the block ends."""
    visitors = Visitors(rate_per_s)
    coming = asyncio.create_task(_come(visitors, port, random.Random(seed)))
    try:
        yield visitors
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


async def _come(visitors: Visitors, port: int, luck: random.Random) -> None:
    sessions, idle = _Sessions(luck), asyncio.LifoQueue[_Connection]()
    under_way: set[asyncio.Task[None]] = set()
    due_s = time.monotonic()
    try:
        while True:
            due_s += luck.expovariate(visitors.rate_per_s)
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            visitors.lag_s_max = max(visitors.lag_s_max, time.monotonic() - due_s)
            task = asyncio.create_task(_visit(visitors, port, idle, luck.choice(_MIX), sessions.next()))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
    finally:
        await asyncio.gather(*under_way, return_exceptions=True)
        while not idle.empty():
            idle.get_nowait().writer.close()


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def _visit(
    visitors: Visitors,
    port: int,
    idle: asyncio.LifoQueue[_Connection],
    what: tuple[str, str],
    cookie: str,
) -> None:
    sent_s = time.monotonic()
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            connection = idle.get_nowait() if not idle.empty() else await _connect(port)
            method, path = what
            connection.writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: sid={cookie}\r\n"
                "Content-Length: 0\r\n\r\n".encode("ascii")
            )
            head = (await connection.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].split("\r\n")[0] or 0)
            await connection.reader.readexactly(length)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as failed:
        visitors.dropped.append(f"{type(failed).__name__}: {failed}")
        return
    if "connection: close" in head:
        connection.writer.close()
    else:
        idle.put_nowait(connection)
    version = head.partition("x-version:")[2].split("\r\n")[0].strip()
    code = int(head.split(" ")[1])
    if code >= 500 and "x-planted" not in head:
        visitors.dropped.append(f"{code} from {version or 'the front'}")
        return
    visitors.answers[version] += 1
    visitors.late_by[version] = max(visitors.late_by.get(version, 0.0), sent_s)


async def _connect(port: int) -> _Connection:
    return _Connection(*await asyncio.open_connection("127.0.0.1", port))

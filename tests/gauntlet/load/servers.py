"""Tiny HTTP servers that behave, or misbehave, exactly as a test says; and plans to load them with."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from shipworthy.contract.manifest import Journey, Login, Slo, Step
from shipworthy.gauntlet.load.arrivals import Shape
from shipworthy.gauntlet.load.plan import LoadPlan

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """A listening server: its address, all it has received, and what has happened to it."""

    url: str
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    was_left: asyncio.Event = field(default_factory=asyncio.Event)  # a connection has ended


# Writes the answer; returning False closes the connection.
Handler = Callable[[Seen, asyncio.StreamWriter], Awaitable[bool | None]]


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Server]:
    """Serve on a free port of 127.0.0.1 for as long as the block lasts."""
    server = Server(url="")
    talking: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        server.connections += 1
        try:
            while (seen := await _request(reader)) is not None:
                server.seen.append(seen)
                server.was_asked.set()
                if await handler(seen, writer) is False:
                    break
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client may go at any moment, and so may the test
        finally:
            writer.close()
            talking.discard(task)
            server.was_left.set()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        for task in list(talking):
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


def answering(*answers: bytes) -> Handler:
    """Answer with these bytes in turn, the last one for ever."""
    left = list(answers)

    async def handler(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return handler


async def never(_seen: Seen, _writer: asyncio.StreamWriter) -> None:
    """Accept, read, and say nothing for ever."""
    await asyncio.Event().wait()


def answer(body: bytes = b"", *, status: str = "200 OK", headers: str = "") -> bytes:
    """Return a complete response; `headers` are lines that end with CRLF."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def plan_of(
    url: str, *steps: Step, rate_per_s: float = 50.0, signs_in: bool = False, **changes: Any
) -> LoadPlan:
    """Return a plan of one journey named "visit", ten blocks of 50 ms, evenly spaced, without warm-up."""
    plan = LoadPlan(
        name="test",
        base_url=url,
        journeys=(
            Journey(
                name="visit",
                slo="fast",
                rate_per_s=rate_per_s,
                steps=steps or (Step(method="GET", path="/"),),
                login=signs_in,
            ),
        ),
        slos=(Slo(name="fast", quantile=0.95, threshold_ms=500.0),),
        blocks=10,
        block_s=0.05,
        warmup_s=0.0,
        shape=Shape(kind="fixed"),
        timeout_s=10.0,
        login=Login(route="POST /login", form={"email": "{email}", "password": "{password}"})
        if signs_in
        else None,
    )
    return replace(plan, **changes)


async def _request(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(method=method, path=path, headers=headers, body=body)

"""A closed loop: a few connections on which the next request leaves when the last is answered.

For what a request costs a server in CPU, not for how long it takes: a closed loop hides waiting. The load
engine's client sends; this process belongs on another core than the server.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

from shipworthy.gauntlet.load.client import Exchange, Pool
from shipworthy.gauntlet.load.plan import Address

CONNECTIONS = 8
_ANSWER_S_MAX = 20.0


@dataclass(frozen=True)
class _Traits:
    is_safe: bool = True
    is_head: bool = False
    wants_body: bool = False
    wants_headers: bool = False


@dataclass(frozen=True)
class Answered:
    """What came of it: answers by status (a failure by its name), in how many seconds."""

    counts: Mapping[str, int]
    seconds: float

    @property
    def requests(self) -> int:
        return sum(self.counts.values())


async def closed_loop(
    port: int, paths: Sequence[str], *, host: str, seconds: float, headers: Mapping[str, str] | None = None
) -> Answered:
    """Ask for some addresses over and over, in turn, from `CONNECTIONS` connections, for so long."""
    said = {"host": host, **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    requests = cycle(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode() for path in paths)
    address = Address(host="127.0.0.1", port=port, authority=host, origin=f"http://{host}")
    pool = Pool(address, connections_max=2 * CONNECTIONS, response_bytes_max=1 << 22, connect_timeout_s=10.0)
    loop = asyncio.get_running_loop()
    counts: Counter[str] = Counter()
    began, traits, all_done, open_now = time.monotonic(), _Traits(), loop.create_future(), CONNECTIONS

    def send() -> None:
        deadline_ns = time.monotonic_ns() + round(_ANSWER_S_MAX * 1e9)
        exchange = Exchange(next(requests), traits, deadline_ns, done)
        pool.submit(exchange)

    def done(exchange: Exchange) -> None:
        nonlocal open_now
        counts[exchange.failure or str(exchange.status)] += 1
        if time.monotonic() - began < seconds:
            loop.call_soon(send)
            return
        open_now -= 1
        if not open_now and not all_done.done():
            all_done.set_result(None)

    for _ in range(CONNECTIONS):
        send()
    async with asyncio.timeout(seconds + _ANSWER_S_MAX):
        await all_done
    took = time.monotonic() - began
    await pool.close()
    return Answered(dict(counts), took)

"""Sign-ins offered at a rate whatever the answers, and what a health check sees meanwhile.

One server at a time, on one core; this process belongs on another. Latency counts from the moment a
request was meant to leave. The load engine's client sends; its journeys know no goodput.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shipworthy.gauntlet.load.client import Exchange, Pool
from shipworthy.gauntlet.load.plan import Address

OBJECTIVE_S = 0.2
HEALTH_PER_S = 20.0
_ANSWER_S_MAX = 10.0
_ROOM = 200  # connections


@dataclass(frozen=True)
class Target:
    """A running server: where, the nth sign-in as bytes, the statuses that mean signed in and refused."""

    port: int
    login: Callable[[int], bytes]
    signed_in: int
    healthz: str
    refused: tuple[int, ...] = (429, 503)


@dataclass(frozen=True)
class _Traits:
    is_safe: bool = False
    is_head: bool = False
    wants_body: bool = False
    wants_headers: bool = False


@dataclass
class Seen:
    """What came of a load. Times in seconds; `at_s` since the load began."""

    seconds: float
    logins: list[tuple[float, float]] = field(default_factory=list)  # (at, took) of those signed in
    refused_s: list[float] = field(default_factory=list)
    health_s: list[float] = field(default_factory=list)
    failed: int = 0
    offered: int = 0
    late_s: list[float] = field(default_factory=list)  # how late we sent

    @property
    def goodput_per_s(self) -> float:
        return sum(took < OBJECTIVE_S for _, took in self.logins) / self.seconds

    def in_time_of_second(self, second: int) -> float:
        """Of the sign-ins that were asked for within a second, the share that was served in time."""
        took = [took for at, took in self.logins if int(at) == second]
        return sum(one < OBJECTIVE_S for one in took) / len(took) if took else 0.0


def request(port: int, path: str, headers: dict[str, str], body: bytes) -> bytes:
    said = {"host": f"localhost:{port}", **headers, "content-length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


async def offer(target: Target, *, rate_per_s: float, seconds: float, seed: int) -> Seen:
    """Offer sign-ins as a Poisson process, and health checks at an even pace."""
    rng, seen = random.Random(seed), Seen(seconds)
    authority = f"localhost:{target.port}"
    address = Address(host="127.0.0.1", port=target.port, authority=authority, origin=f"http://{authority}")
    pools = [
        Pool(address, connections_max=_ROOM, response_bytes_max=1 << 20, connect_timeout_s=5.0)
        for _ in range(2)
    ]
    health = f"GET {target.healthz} HTTP/1.1\r\nhost: localhost:{target.port}\r\n\r\n".encode()
    events = _poisson(rng, rate_per_s, seconds) + [
        (n / HEALTH_PER_S, -1) for n in range(int(seconds * HEALTH_PER_S))
    ]
    began_ns, open_now = time.monotonic_ns(), 0
    all_done = asyncio.Event()

    def settled() -> None:
        nonlocal open_now
        open_now -= 1
        if not open_now:
            all_done.set()

    for at_s, nth in sorted(events):
        wait_s = at_s - (time.monotonic_ns() - began_ns) / 1e9
        await asyncio.sleep(max(0.0, wait_s))
        seen.late_s.append(max(0.0, (time.monotonic_ns() - began_ns) / 1e9 - at_s))
        open_now += 1
        all_done.clear()
        due_ns = began_ns + round(at_s * 1e9)
        deadline_ns = due_ns + round(_ANSWER_S_MAX * 1e9)
        is_login = nth >= 0

        def done(
            exchange: Exchange, *, at_s: float = at_s, due_ns: int = due_ns, is_login: bool = is_login
        ) -> None:
            _record(seen, target, exchange, at_s, (exchange.ended_ns - due_ns) / 1e9, is_login=is_login)
            settled()

        sent = Exchange(target.login(nth) if is_login else health, _Traits(), deadline_ns, done)
        seen.offered += is_login
        pools[is_login].submit(sent)
        asyncio.get_running_loop().call_later(_ANSWER_S_MAX, sent.expire)
    await all_done.wait()
    for pool in pools:
        await pool.close()
    return seen


def p95_ms(times_s: list[float], *, quantile: int = 95) -> float | None:
    """Return a percentile in milliseconds, or None of too few."""
    if len(times_s) < 20:
        return None
    return round(statistics.quantiles(times_s, n=100)[quantile - 1] * 1000, 1)


def _poisson(rng: random.Random, rate_per_s: float, seconds: float) -> list[tuple[float, int]]:
    found, at_s = [], rng.expovariate(rate_per_s)
    while at_s < seconds:
        found.append((at_s, len(found)))
        at_s += rng.expovariate(rate_per_s)
    return found


def _record(
    seen: Seen, target: Target, exchange: Exchange, at_s: float, took_s: float, *, is_login: bool
) -> None:
    if not is_login:
        seen.health_s.append(took_s)
    elif exchange.failure or exchange.status not in (target.signed_in, *target.refused):
        seen.failed += 1
    elif exchange.status == target.signed_in:
        seen.logins.append((at_s, took_s))
    else:
        seen.refused_s.append(took_s)

"""What does the load engine cost, and is it on time?

Measured against a server that does nothing, so that what is seen is the engine. The engine
runs in its own pinned process, the server on the other core. `core` calls `measured`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import httptools
import uvloop

from benchmarks.report import Report, publish, show_table
from shipworthy.contract.manifest import Journey, Slo, Step
from shipworthy.gauntlet.load.client import Exchange, Pool
from shipworthy.gauntlet.load.journey import Arrival, Route, Traveller
from shipworthy.gauntlet.load.plan import LoadPlan, addresses
from shipworthy.gauntlet.load.process import run_in_process
from shipworthy.gauntlet.load.record import Recorder
from shipworthy.gauntlet.load.result import LoadResult
from shipworthy.gauntlet.load.template import requests_of

CONNECTIONS = 32
_SATURATED_REQUESTS = 60_000
_RATE_PER_S = 2_000.0
_REPEATS = 3
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 200\r\n\r\n" + b"x" * 200
# What two pinned processes and an otherwise idle machine show; beyond it others wanted the cores too.
_PRESSURE_SHARE_MAX = 0.25
_STEAL_SHARE_MAX = 0.05


def main() -> None:
    """Measure and publish; `--server` and `--saturate` are the helper processes of the same file."""
    if "--server" in sys.argv:
        uvloop.run(_serve())
    elif "--saturate" in sys.argv:
        sys.stdout.write(json.dumps(uvloop.run(_saturate(sys.argv[-1]))) + "\n")
    elif "--saturate-for" in sys.argv:
        uvloop.run(_saturate(sys.argv[-1], for_s=float(sys.argv[-2])))
    else:
        figures, valid, notes = measured()
        publish(Report(name="load-engine", figures=figures, valid=valid, notes=notes), bounds=_BOUNDS)


_BOUNDS = {
    "load_cpu_us_saturated": "25",
    "load_cpu_us_open_2000": "100",
    "load_lag_p99_ms_2000": "2, aimed 1",
}


def measured() -> tuple[dict[str, float], bool, list[str]]:
    """Return the three figures (medians of three), whether they may be claimed, and why not.

    Units:   CPU microseconds per request of the engine's process; milliseconds.
    """
    with server() as url:
        saturated = [_saturated_in_process(url) for _ in range(_REPEATS)]
        opened = [_open_2000(url) for _ in range(_REPEATS)]
    show_table(
        "every repeat",
        ("repeat", "saturated us", "saturated req/s", "open us", "lag p99 ms", "exceeded or failed"),
        (
            (str(i + 1), s["cpu_us"], s["per_s"], _cpu_us(o), o.lag_ms_p99, o.journeys[0].exceedances)
            for i, (s, o) in enumerate(zip(saturated, opened, strict=True))
        ),
    )
    audits = [audit for result in opened for audit in result.audits]
    steal_share = median(a.steal_share or 0.0 for a in audits)
    pressure_share = median(a.pressure_share or 0.0 for a in audits)
    notes = []
    if steal_share > _STEAL_SHARE_MAX:
        notes.append(f"the hypervisor took {steal_share:.0%} of the time")
    if pressure_share > _PRESSURE_SHARE_MAX:
        notes.append(
            f"other work wanted the cores: something waited for one {pressure_share:.0%} of the time"
        )
    failed = sum(sum(o.journeys[0].failures.values()) for o in opened)
    if failed:
        notes.append(f"{failed} requests failed against a server that never does")
    figures = {
        "load_cpu_us_saturated": round(median(s["cpu_us"] for s in saturated), 2),
        "load_cpu_us_open_2000": round(median(map(_cpu_us, opened)), 2),
        "load_lag_p99_ms_2000": round(median(o.lag_ms_p99 for o in opened), 3),
        "load_requests_per_s_saturated": round(median(s["per_s"] for s in saturated)),
        "load_machine_pressure": round(pressure_share, 3),
    }
    return figures, not notes, notes


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run the empty server on the last core and yield its address."""
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load_engine", "--server"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        yield f"http://127.0.0.1:{int(child.stdout.readline())}"
    finally:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def _open_2000(url: str) -> LoadResult:
    """Offer 2,000 requests a second for ten seconds, Poisson, from a pinned process."""
    return run_in_process(plan_of(url, rate_per_s=_RATE_PER_S), cpu=cores()[0])


def _cpu_us(result: LoadResult) -> float:
    return result.cpu_s / result.journeys[0].requests * 1e6


def _saturated_in_process(url: str) -> dict[str, float]:
    found = subprocess.run(
        [sys.executable, "-m", "benchmarks.load_engine", "--saturate", url],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer: dict[str, float] = json.loads(found.stdout)
    return answer


async def _saturate(url: str, *, for_s: float | None = None) -> dict[str, float]:
    """Run arrivals back to back on 32 connections: the engine's whole path without its waiting.

    A fixed number of them, or for so many seconds.
    """
    _pin(cores()[0])
    plan = plan_of(url, rate_per_s=1.0)
    hosts = addresses(plan)
    pool = Pool(
        hosts["console"], connections_max=CONNECTIONS, response_bytes_max=1 << 20, connect_timeout_s=5.0
    )
    recorder = Recorder(plan, measure_from_ns=time.monotonic_ns())
    closed_loop = _ClosedLoop()
    traveller = Traveller(requests=requests_of(plan.journeys[0].steps, addresses=hosts, user=None), jars=None)
    closed_loop.route = Route(
        place=0,
        travellers=(traveller,),
        pools={"console": pool},
        sink=recorder,
        timeout_ns=5_000_000_000,
        on_sent=_ignore,
        on_end=closed_loop.ended,
    )
    await closed_loop.run(2_000)  # warm
    cpu_s, wall_s = time.process_time(), time.monotonic()
    while for_s is not None and time.monotonic() - wall_s < for_s:
        await closed_loop.run(_SATURATED_REQUESTS)
    await closed_loop.run(_SATURATED_REQUESTS)
    cpu_s, wall_s = time.process_time() - cpu_s, time.monotonic() - wall_s
    await pool.close()
    assert recorder.tally()[0].failures == 0, "the empty server failed"
    return {"cpu_us": cpu_s / _SATURATED_REQUESTS * 1e6, "per_s": _SATURATED_REQUESTS / wall_s}


class _ClosedLoop:
    """Starts the next arrival when one ends, the opposite of what the engine is for."""

    route: Route

    def __init__(self) -> None:
        self._left = self._open = 0
        self._done: asyncio.Future[None] | None = None

    async def run(self, requests: int) -> None:
        self._left = requests
        self._done = asyncio.get_running_loop().create_future()
        for _ in range(CONNECTIONS):
            self._begin()
        await self._done

    def _begin(self) -> None:
        self._left -= 1
        self._open += 1
        Arrival(self.route, self._left, time.monotonic_ns()).go()

    def ended(self) -> None:
        self._open -= 1
        if self._left > 0:
            self._begin()
        elif not self._open:
            assert self._done is not None
            self._done.set_result(None)


def _ignore(_exchange: Exchange) -> None:
    """The closed loop sweeps no timeouts."""


def plan_of(url: str, *, rate_per_s: float) -> LoadPlan:
    return LoadPlan(
        name="load-engine",
        base_url=url,
        journeys=(
            Journey(
                name="nothing",
                slo="fast",
                rate_per_s=rate_per_s,
                steps=(Step(method="GET", path="/"),),
                login=False,
            ),
        ),
        slos=(Slo(name="fast", quantile=0.99, threshold_ms=50.0),),
        blocks=10,
        block_s=1.0,
        warmup_s=1.0,
    )


def cores() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


def _pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


async def _serve() -> None:
    _pin(cores()[-1])
    listening = await asyncio.get_running_loop().create_server(_Empty, "127.0.0.1", 0)
    sys.stdout.write(f"{listening.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await listening.serve_forever()


class _Empty(asyncio.Protocol):
    """Answers every request with the same 200 bytes; /count and /pid tell about the server itself."""

    answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._parser = httptools.HttpRequestParser(self)
        self._told = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        if url == b"/count":
            self._told = b"%d" % _Empty.answered
        elif url == b"/pid":
            self._told = b"%d" % os.getpid()

    def on_message_complete(self) -> None:
        if self._told:
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(self._told), self._told)
            )
            self._told = b""
            return
        _Empty.answered += 1
        self._transport.write(_ANSWER)


if __name__ == "__main__":
    main()

"""Record the noise of this machine: two copies of one server asked at once, request by request.

`python -m benchmarks.judge.record` renews trace.json.gz, which the simulations resample. It
sends each request itself, because the load engine keeps histograms and a trace needs every
latency with its second. Bounded: `--seconds`, 40 requests a second to each copy.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.judge.server import running_server
from benchmarks.report import machine

PATH = Path(__file__).with_name("trace.json.gz")
RATE_PER_S = 40.0
TIMEOUT_S = 5.0
WARMUP_S = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=300)
    seconds = parser.parse_args().seconds
    with running_server(seed=1) as first, running_server(seed=2) as second:
        arms = asyncio.run(duet((first, second), seconds=seconds))
    document = {
        "recorded": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "rate_per_s": RATE_PER_S,
        "unit": "us, from the intended send time; one list a second",
        "arms": arms,
    }
    PATH.write_bytes(gzip.compress(json.dumps(document, separators=(",", ":")).encode(), mtime=0))


async def duet(addresses: tuple[str, str], *, seconds: int) -> list[list[list[int]]]:
    """Return, for each arm and each second, the latencies in microseconds, by intended send time."""
    arms: list[list[list[int]]] = [[[] for _ in range(seconds)] for _ in addresses]
    luck, loop, tasks = random.Random(1), asyncio.get_running_loop(), []
    begun, at_s = loop.time() + 0.1, 0.0
    while (at_s := at_s + luck.expovariate(RATE_PER_S * len(addresses))) < WARMUP_S + seconds:
        arm = luck.randrange(len(addresses))
        await asyncio.sleep(max(0.0, begun + at_s - loop.time()))
        second = int(at_s) - WARMUP_S
        tasks.append(
            asyncio.create_task(_ask(addresses[arm], begun + at_s, arms[arm][second] if second >= 0 else []))
        )
    await asyncio.gather(*tasks)
    return arms


async def _ask(address: str, intended_s: float, latencies_us: list[int]) -> None:
    loop = asyncio.get_running_loop()
    host, _, port = address.removeprefix("http://").partition(":")
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await reader.readuntil(b"\r\n\r\nok")
            writer.close()
    except TimeoutError:
        latencies_us.append(round(TIMEOUT_S * 1e6))
    else:
        latencies_us.append(round((loop.time() - intended_s) * 1e6))


if __name__ == "__main__":
    main()

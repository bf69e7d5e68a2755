"""A small real server on loopback whose slowness is known: some waiting and some computing a request.

Each answer waits a lognormal time, as for a database, and then computes. `--slower 1.2`
stretches both by a fifth. Owns nothing but that; two of them make a duet.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import math
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

WAIT_S_MEDIAN = 0.015
WAIT_SIGMA = 0.5  # of the logarithm: p95 is 2.3 times the median, as of a usual endpoint
HASH_ROUNDS = 2_000  # about a millisecond of one core
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def running_server(*, slower: float = 1.0, seed: int = 1) -> Iterator[str]:
    """Run one server process until the block ends; yield its address, http://127.0.0.1:port."""
    command = [sys.executable, "-m", "benchmarks.judge.server", "--slower", str(slower), "--seed", str(seed)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            raise RuntimeError(f"the server ended before it listened (exit {process.wait()})")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


async def serve(*, slower: float, seed: int) -> None:
    """Listen on a free port of loopback, print it, and answer until standard input ends with the parent."""
    luck = random.Random(seed)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(slower * WAIT_S_MEDIAN * math.exp(WAIT_SIGMA * luck.gauss(0.0, 1.0)))
                hashlib.pbkdf2_hmac("sha256", b"work", b"salt", round(HASH_ROUNDS * slower))
                writer.write(_ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, gone.set)
    await gone.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slower", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    try:
        asyncio.run(serve(slower=chosen.slower, seed=chosen.seed))
    except KeyboardInterrupt:
        sys.exit(0)

"""A password hasher for tests: instant, or as slow as the test says, and counted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.auth.hashing import STATE, HashPool


class HeldHasher:
    """Stands in for Argon2id. While `held`, every hash waits; it counts how many wait at once."""

    def __init__(self) -> None:
        self._free = threading.Event()
        self._free.set()
        self._lock = threading.Lock()
        self.running = 0
        self.running_max = 0
        self.done: list[str] = []
        self.started = threading.Semaphore(0)

    def hold(self) -> None:
        self._free.clear()

    def release(self) -> None:
        self._free.set()

    def hash(self, password: str) -> str:
        self._work(password)
        return f"hash of {password}"

    def verify(self, hash: str, password: str) -> bool:
        self._work(password)
        return hash == f"hash of {password}"

    def check_needs_rehash(self, hash: str) -> bool:
        return False

    def _work(self, password: str) -> None:
        with self._lock:
            self.running += 1
            self.running_max = max(self.running_max, self.running)
        self.started.release()
        assert self._free.wait(timeout=20), "the test forgot to release the hasher"
        with self._lock:
            self.running -= 1
            self.done.append(password)


@asynccontextmanager
async def full_line(runtime: Runtime, *, room: int = 0) -> AsyncIterator[HeldHasher]:
    """For the length of the block one hash runs on and on, one waits, and who comes after `room` more is refused."""
    hasher = HeldHasher()
    pool = HashPool(hasher, workers=1, queue_max=1 + room)
    real, runtime.state[STATE] = runtime.state[STATE], pool
    hasher.hold()
    held = [asyncio.create_task(pool.hash("runs"))]
    try:
        assert await asyncio.to_thread(hasher.started.acquire, timeout=20)
        held.append(asyncio.create_task(pool.hash("waits")))
        await asyncio.sleep(0)
        yield hasher
    finally:
        hasher.release()
        await asyncio.gather(*held, return_exceptions=True)  # the test may have closed the pool
        await asyncio.to_thread(pool.close)
        runtime.state[STATE] = real

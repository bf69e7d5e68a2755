"""Argon2id on threads of its own, behind a short queue.

Hashing is the most expensive thing this app does. It runs on a fixed number of threads, so no
flood of sign-ins takes the cores from everything else; what the queue cannot hold is refused at
once. A place in the queue is freed by the worker thread, never by the request: a caller who goes
away does not make room for another hash.
"""

from __future__ import annotations

import asyncio
import base64
import os
import queue
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shipworthy.kernel.errors import Busy
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.settings import AuthSection

STATE = "auth.hashing"
# Who waited longer has pressed the button again or left; hashing for them only delays the others.
WAIT_S_MAX = 1.0


class Hasher(Protocol):
    """What does the work; argon2's PasswordHasher, or a slow one in tests."""

    def hash(self, password: str) -> str: ...

    def verify(self, hash: str, password: str) -> bool: ...

    def check_needs_rehash(self, hash: str) -> bool: ...


def argon2id(settings: AuthSection) -> PasswordHasher:
    """Return the hasher with the app's parameters; one lane, because the pool is the parallelism."""
    return PasswordHasher(time_cost=settings.hash_passes, memory_cost=settings.hash_memory_kib, parallelism=1)


def open_pool(settings: AuthSection) -> HashPool:
    """Return the pool an app's settings ask for. Its threads start with the first hash."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return HashPool(
        argon2id(settings),
        workers=settings.hash_workers or max(1, cores - 1),
        queue_max=settings.hash_queue_max,
        decoy=_decoy(settings),
    )


def pool_of(runtime: Runtime) -> HashPool:
    """Return the process's one pool, which the room's start put there."""
    pool = runtime.state[STATE]
    assert isinstance(pool, HashPool)
    return pool


class HashPool:
    """Hashes and verifies passwords, at most `workers` at a time."""

    def __init__(
        self,
        hasher: Hasher,
        *,
        workers: int,
        queue_max: int,
        decoy: str = "",
        wait_s_max: float = WAIT_S_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.decoy = decoy
        self._hasher, self._clock, self._wait_s_max = hasher, clock, wait_s_max
        self._workers = workers
        self._queue: queue.Queue[_Task | None] = queue.Queue(queue_max)
        self._threads: list[threading.Thread] = []

    async def hash(self, password: str) -> str:
        """Return the encoded hash. Errors: Busy `auth.busy`."""
        return str(await self._run(lambda: self._hasher.hash(password)))

    async def verify(self, password: str, *, stored: str) -> bool:
        """Return whether `password` made `stored`. Errors: Busy `auth.busy`."""
        return bool(await self._run(lambda: self._is_right(password, stored)))

    def is_outdated(self, stored: str) -> bool:
        """Return whether `stored` was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def refuse_when_full(self) -> None:
        """Refuse before any other work is done for a caller who could not be served. Errors: Busy."""
        if self._queue.full():
            raise _busy()

    def close(self) -> None:
        """Let the threads finish what they compute; who still waits is told that we are busy."""
        while not self._queue.empty():
            with suppress(queue.Empty):
                if task := self._queue.get_nowait():
                    task.refuse()
        threads, self._threads = self._threads, []
        for _ in threads:
            self._queue.put(None)
        for thread in threads:
            thread.join(timeout=5)

    async def _run(self, work: Callable[[], Any]) -> Any:
        task = _Task(work, stale_at=self._clock() + self._wait_s_max)
        try:
            self._queue.put_nowait(task)
        except queue.Full:
            raise _busy() from None
        self._start_threads()
        return await asyncio.wrap_future(task.done)

    def _start_threads(self) -> None:
        while len(self._threads) < self._workers:
            name = f"argon2-{len(self._threads)}"
            self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
            self._threads[-1].start()

    def _work(self) -> None:
        while task := self._queue.get():
            if self._clock() > task.stale_at:
                task.refuse()
            else:
                task.run()

    def _is_right(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


@dataclass(frozen=True)
class _Task:
    """One hash to compute, and where its result is waited for."""

    work: Callable[[], Any]
    stale_at: float
    done: Future[Any] = field(default_factory=Future)

    def run(self) -> None:
        if not self.done.set_running_or_notify_cancel():
            return  # the caller has gone away
        try:
            self.done.set_result(self.work())
        except Exception as failure:  # handed to the caller: a thread has nobody to raise to
            self.done.set_exception(failure)

    def refuse(self) -> None:
        if self.done.set_running_or_notify_cancel():
            self.done.set_exception(_busy())


def _busy() -> Busy:
    return Busy(
        "auth.busy",
        "Many people are signing in right now. Nothing was changed; try again in a few seconds.",
        retry_after_s=1 + secrets.randbelow(4),  # spread, so that those refused do not return together
    )


def _decoy(settings: AuthSection) -> str:
    """Return a hash that no password makes and that costs as much to verify as a real one."""
    salt, digest = (base64.b64encode(os.urandom(n)).decode().rstrip("=") for n in (16, 32))
    return f"$argon2id$v=19$m={settings.hash_memory_kib},t={settings.hash_passes},p=1${salt}${digest}"

"""Argon2id on threads of its own, behind the login gate's line.

Hashing is the most expensive thing this app does. It runs on a fixed number of threads, so no
flood of sign-ins takes the cores from everything else; whoever could not be served in time is
refused at once (gate/line.py). A place is freed by the worker thread, never by the request: a
caller who goes away does not make room for another hash.
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shipworthy.kernel.errors import Busy
from shipworthy.kernel.language import _
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.settings import Settings
from shipworthy.rooms.auth.gate.line import Caller, Line, Place, Standing
from shipworthy.rooms.auth.gate.workers import workers_here

STATE = "auth.hashing"
# A thread on a reserved core hashes with what nobody else wants (Linux, where each thread has its own).
_SPARE_NICE = 5
# Of one browser we know: a person presses the button twice, a program with a stolen cookie more often.
_PLACES_PER_DEVICE_MAX = 2
STRANGER = Caller(Standing.UNKNOWN, "")


class Hasher(Protocol):
    """What does the work; argon2's PasswordHasher, or a slow one in tests."""

    def hash(self, password: str) -> str: ...

    def verify(self, hash: str, password: str) -> bool: ...

    def check_needs_rehash(self, hash: str) -> bool: ...


def argon2id(*, memory_kib: int, passes: int) -> PasswordHasher:
    """Return the hasher; one lane, because the pool is the parallelism."""
    return PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)


def open_pool(settings: Settings) -> HashPool:
    """Return the pool an app's settings ask for. Its threads start with the first hash."""
    auth = settings.auth
    found = partial(workers_here, hash_memory_kib=auth.hash_memory_kib, processes=settings.http.workers)
    sure = auth.hash_workers or found(cores_reserved=auth.hash_cores_reserved)
    workers = auth.hash_workers or found(cores_reserved=0)
    return HashPool(
        argon2id(memory_kib=auth.hash_memory_kib, passes=auth.hash_passes),
        workers=workers,
        spare=workers - sure,
        queue_max=auth.hash_queue_max * workers,
        wait_s_max=auth.hash_wait_max_ms / 1000,
        decoy=_decoy(memory_kib=auth.hash_memory_kib, passes=auth.hash_passes),
    )


def pool_of(runtime: Runtime) -> HashPool:
    """Return the process's one pool, which the room's start put there."""
    pool = runtime.state[STATE]
    assert isinstance(pool, HashPool)
    return pool


class Ticket:
    """A place in the line, held while its owner looks up what is to be hashed. Good for one hash."""

    __slots__ = ("is_used", "place")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.is_used = False


class HashPool:
    """Hashes and verifies passwords, at most `workers` at a time; `spare` of these give way to everything else."""

    def __init__(
        self,
        hasher: Hasher,
        *,
        workers: int,
        spare: int = 0,
        queue_max: int,
        decoy: str = "",
        wait_s_max: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.decoy = decoy
        self.workers, self.spare = workers, spare
        self._hasher, self._clock = hasher, clock
        self._line = Line(workers=workers, waiting_max=queue_max, wait_s_max=wait_s_max)
        self._changed = threading.Condition(threading.Lock())
        self._threads: list[threading.Thread] = []
        self._is_closed = False

    async def hash(self, password: str, *, ticket: Ticket | None = None) -> str:
        """Return the encoded hash. Errors: Busy `auth.busy`."""
        return str(await self._run(lambda: self._hasher.hash(password), ticket))

    async def verify(self, password: str, *, stored: str, ticket: Ticket | None = None) -> bool:
        """Return whether `password` made `stored`. Errors: Busy `auth.busy`."""
        return bool(await self._run(lambda: self._is_right(password, stored), ticket))

    def is_outdated(self, stored: str) -> bool:
        """Return whether `stored` was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits and a worker is free, as far as can be told without the lock."""
        return self._line.is_idle

    def has_place(self, caller: Caller) -> bool:
        """Return whether this caller would get a ticket now. Cost: a few microseconds."""
        with self._changed:
            return self._line.has_place(self._ranked(caller))

    @contextmanager
    def ticket(self, caller: Caller = STRANGER) -> Iterator[Ticket]:
        """Hold a place in the line before any work is done. Errors: Busy `auth.busy`.

        It ends with the block if nothing was hashed for it, else when the worker is done: whoever is
        cancelled in between frees nothing.
        """
        ticket = self._enter(caller)
        try:
            yield ticket
        finally:
            if not ticket.is_used:
                with self._changed:
                    self._line.give_up(ticket.place)

    def refuse_when_full(self) -> None:
        """Refuse before any other work is done for a caller who could not be served. Errors: Busy."""
        if not self.has_place(STRANGER):
            raise busy()

    def close(self) -> None:
        """Let the threads finish what they compute; who still waits is told that we are busy."""
        with self._changed:
            self._is_closed = True
            while place := self._line.next():
                place.work.refuse()
                self._line.done(None)
            threads, self._threads = self._threads, []
            self._changed.notify_all()
        for thread in threads:
            thread.join(timeout=5)

    def _ranked(self, caller: Caller) -> Caller:
        is_spent = (
            caller.standing is Standing.KNOWN_DEVICE
            and self._line.places_of(caller) >= _PLACES_PER_DEVICE_MAX
        )
        return Caller(Standing.UNKNOWN, caller.flow) if is_spent else caller

    def _enter(self, caller: Caller) -> Ticket:
        with self._changed:
            place = None if self._is_closed else self._line.enter(self._ranked(caller), self._clock())
        if place is None:
            raise busy()
        return Ticket(place)

    async def _run(self, work: Callable[[], Any], ticket: Ticket | None) -> Any:
        task = _Task(work)
        held = ticket or self._enter(STRANGER)
        assert not held.is_used, "a ticket is good for one hash"
        with self._changed:
            if self._is_closed:
                raise busy()
            held.is_used = True
            self._line.make_ready(held.place, task)
            self._start_threads()
            self._changed.notify()
        return await asyncio.wrap_future(task.done)

    def _start_threads(self) -> None:
        while len(self._threads) < self.workers:
            nth = len(self._threads)
            work = self._work if nth < self.workers - self.spare else self._work_aside
            self._threads.append(threading.Thread(target=work, name=f"argon2-{nth}", daemon=True))
            self._threads[-1].start()

    def _work_aside(self) -> None:
        if sys.platform == "linux":
            mine = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, mine, os.getpriority(os.PRIO_PROCESS, mine) + _SPARE_NICE)
        self._work()

    def _work(self) -> None:
        while place := self._next():
            took_s = None
            if self._is_late(place):
                place.work.refuse()
            else:
                began_s = self._clock()
                if place.work.run():
                    took_s = self._clock() - began_s
            with self._changed:
                self._line.done(took_s)

    def _next(self) -> Place | None:
        with self._changed:
            while not self._is_closed:
                if place := self._line.next():
                    return place
                self._changed.wait()
        return None

    def _is_late(self, place: Place) -> bool:
        with self._changed:
            return self._line.is_late(place, self._clock())

    def _is_right(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


@dataclass(frozen=True)
class _Task:
    """One hash to compute, and where its result is waited for."""

    work: Callable[[], Any]
    done: Future[Any] = field(default_factory=Future)

    def run(self) -> bool:
        """Compute it; return False when the caller has gone away and nothing was computed."""
        if not self.done.set_running_or_notify_cancel():
            return False
        try:
            self.done.set_result(self.work())
        except Exception as failure:  # handed to the caller: a thread has nobody to raise to
            self.done.set_exception(failure)
        return True

    def refuse(self) -> None:
        if self.done.set_running_or_notify_cancel():
            self.done.set_exception(busy())


def busy() -> Busy:
    """Return the refusal; the same words for everybody, because the door keeps them ready."""
    return Busy(
        "auth.busy",
        _("Many people are signing in right now. Nothing was changed; try again in a few seconds."),
        retry_after_s=1 + secrets.randbelow(4),  # spread, so that those refused do not return together
    )


def _decoy(*, memory_kib: int, passes: int) -> str:
    """Return a hash that no password makes and that costs as much to verify as a real one."""
    salt, digest = (base64.b64encode(os.urandom(n)).decode().rstrip("=") for n in (16, 32))
    return f"$argon2id$v=19$m={memory_kib},t={passes},p=1${salt}${digest}"

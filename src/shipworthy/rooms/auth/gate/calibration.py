"""What hashes cost on this host, which parameters fit it, and how many sign-ins it holds.

The rate is measured with as many threads as the app would use: memory is shared, and several hashes
at once are slower than one alone. Parameters never fall below OWASP's minimum.
Source: OWASP, Password Storage (Argon2id with m=19456, t=2, p=1 at least).
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from shipworthy.judge.capacity import cores_needed
from shipworthy.rooms.auth.gate.workers import workers_here
from shipworthy.rooms.auth.hashing import argon2id

# From the weakest that is allowed to the strongest worth asking for: memory and passes.
CHOICES = ((19_456, 2), (32_768, 2), (47_104, 2), (65_536, 2), (65_536, 3))
GOAL_PER_S = 500  # the playbook's L1
# Three hashes then fit into what a sign-in may wait: one runs, one waits, one's own.
HASH_MS_MAX = 50.0
# A sign-in beside its hash: two transactions and the answer (`make bench NAME=core`, login_overhead_cpu_ms).
AROUND_MS = 3.0
# Above four fifths the wait grows faster than the load (judge/capacity.py).
_BUSY_MAX = 0.8
_WARM_UPS, _SAMPLES, _SECONDS = 2, 12, 1.5
_PHRASE = "a password to measure with"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One choice of parameters on this host. `logins_per_s` is what the line serves in time."""

    memory_kib: int
    passes: int
    workers: int
    hash_cpu_ms: float
    hashes_per_s: float
    logins_per_s: float
    cores_for_goal: int

    @property
    def busy_share(self) -> float:
        """How much of their time the threads were hashing; the rest somebody else had."""
        return min(1.0, self.hashes_per_s * self.hash_cpu_ms / 1000 / self.workers)


def measure(memory_kib: int, passes: int, *, cores_reserved: int, seconds: float = _SECONDS) -> Measured:
    """Return what one choice costs here. Takes about `seconds` and a dozen hashes."""
    hasher = argon2id(memory_kib=memory_kib, passes=passes)
    stored = hasher.hash(_PHRASE)
    workers = workers_here(hash_memory_kib=memory_kib, cores_reserved=cores_reserved, processes=1)

    def verify() -> None:
        hasher.verify(stored, _PHRASE)

    cpu_ms = _cpu_ms(verify)
    rate = _rate_per_s(verify, threads=workers, seconds=seconds)
    return Measured(
        memory_kib=memory_kib,
        passes=passes,
        workers=workers,
        hash_cpu_ms=cpu_ms,
        hashes_per_s=rate,
        logins_per_s=rate * _BUSY_MAX,
        cores_for_goal=cores_needed(GOAL_PER_S, cpu_ms=cpu_ms + AROUND_MS, utilisation_max=_BUSY_MAX),
    )


def chosen(measured: list[Measured], *, logins_per_s: float | None) -> Measured:
    """Return the strongest that fits: quick enough, or still `logins_per_s`; else the weakest that is allowed."""
    if logins_per_s is None:
        fits = [one for one in measured if one.hash_cpu_ms <= HASH_MS_MAX]
    else:
        fits = [one for one in measured if one.logins_per_s >= logins_per_s]
    return fits[-1] if fits else measured[0]


def _cpu_ms(verify: Callable[[], None]) -> float:
    times = []
    for sample in range(_WARM_UPS + _SAMPLES):
        began = time.thread_time()
        verify()
        if sample >= _WARM_UPS:
            times.append((time.thread_time() - began) * 1000)
    return statistics.median(times)


def _rate_per_s(verify: Callable[[], None], *, threads: int, seconds: float) -> float:
    """Count hashes of all threads that were done within the time; they give the interpreter free while they hash."""
    done = [0] * threads
    began = time.perf_counter()

    def work(nth: int) -> None:
        while time.perf_counter() - began < seconds:
            verify()
            done[nth] += 1

    running = [threading.Thread(target=work, args=(nth,)) for nth in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(done) / (time.perf_counter() - began)

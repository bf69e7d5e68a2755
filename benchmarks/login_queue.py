"""`make bench NAME=login-queue`: in what order should sign-ins wait for their hash? (ADR 0009)

A simulation on a virtual clock: Poisson arrivals of three classes at one worker, whose hashes take
the CPU time that Argon2id cost here a moment ago; in the last load a neighbour takes two thirds of
the core for a third of the time, and nobody tells the queue. The product's own line (rooms/auth/gate/line.py)
stands beside a plain queue, the per-class LIFO with a deadline that the literature recommends, and a
FIFO of the same length. What is compared: logins served in time, and how long a refusal takes.
"""

from __future__ import annotations

import heapq
import random
import statistics
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Protocol

from argon2 import PasswordHasher

from benchmarks.report import Figure, Report, publish, show_table
from shipworthy.rooms.auth.gate.line import Caller, Line, Place, Standing

OBJECTIVE_S = 0.2
AROUND_S = 0.012  # what a sign-in takes beside waiting and hashing: two transactions, the answer
WAIT_S_MAX = 0.15
BOUND = 8  # places a class, of the bounded queues
_HASHES = 200
_MIX = {Standing.KNOWN_DEVICE: 0.5, Standing.KNOWN_NETWORK: 0.2, Standing.UNKNOWN: 0.3}
_LOADS = ("0.8x", "1.2x", "5x", "5x stolen")
_STOLEN_S, _STOLEN_FACTOR = (40.0, 80.0), 3.0
_SECONDS = 120.0


class Order(Protocol):
    """A way to wait. Times are seconds of the virtual clock."""

    def arrive(self, who: Caller, now_s: float) -> list[Asked]:
        """Take one more; return those who are told now that they will not be served."""

    def next(self, now_s: float) -> tuple[Asked | None, list[Asked]]:
        """Return whose hash begins now, and who is told at this moment that they came in vain."""

    def took(self, hash_s: float) -> None:
        """A hash is done."""


@dataclass(eq=False)
class Asked:
    who: Caller
    at_s: float


class Plain:
    """First come, first served, without end."""

    def __init__(self) -> None:
        self._queue: deque[Asked] = deque()

    def arrive(self, who: Caller, now_s: float) -> list[Asked]:
        self._queue.append(Asked(who, now_s))
        return []

    def next(self, now_s: float) -> tuple[Asked | None, list[Asked]]:
        return (self._queue.popleft(), []) if self._queue else (None, [])

    def took(self, hash_s: float) -> None:
        pass


class Bounded:
    """A short queue for each class, the best known first; too late is dropped at its turn.

    `is_lifo`: the newest goes first and pushes the oldest out; else the oldest goes first and a
    newcomer finds the queue full.
    """

    def __init__(self, *, is_lifo: bool) -> None:
        self._queues: dict[Standing, deque[Asked]] = {standing: deque() for standing in Standing}
        self._is_lifo = is_lifo

    def arrive(self, who: Caller, now_s: float) -> list[Asked]:
        queue, asked = self._queues[who.standing], Asked(who, now_s)
        if len(queue) < BOUND:
            queue.append(asked)
            return []
        if not self._is_lifo:
            return [asked]
        queue.append(asked)
        return [queue.popleft()]

    def next(self, now_s: float) -> tuple[Asked | None, list[Asked]]:
        late = []
        for queue in self._queues.values():
            while queue:
                asked = queue.pop() if self._is_lifo else queue.popleft()
                if now_s - asked.at_s <= WAIT_S_MAX:
                    return asked, late
                late.append(asked)
        return None, late

    def took(self, hash_s: float) -> None:
        pass


class Ours:
    """The product's line."""

    def __init__(self) -> None:
        self._line = Line(workers=1, waiting_max=64, wait_s_max=WAIT_S_MAX)

    def arrive(self, who: Caller, now_s: float) -> list[Asked]:
        place = self._line.enter(who, now_s)
        asked = Asked(who, now_s)
        if place is None:
            return [asked]
        self._line.make_ready(place, asked)
        return []

    def next(self, now_s: float) -> tuple[Asked | None, list[Asked]]:
        late: list[Asked] = []
        while place := self._line.next():
            if not self._line.is_late(place, now_s):
                return place.work, late
            late.append(place.work)
            self._line.done(None)
        return None, late

    def took(self, hash_s: float) -> None:
        self._line.done(hash_s)


class OursNewestFirst(Ours):
    """The product's line, but within a class the newest goes first."""

    def __init__(self) -> None:
        super().__init__()
        self._line = _NewestFirst(workers=1, waiting_max=64, wait_s_max=WAIT_S_MAX)


class _NewestFirst(Line):
    def make_ready(self, place: Place, work: object) -> None:
        super().make_ready(place, work)
        lane = self._lanes[place.caller.standing]
        lane.flows[place.caller.flow].ready.rotate(1)
        lane.turns.remove(place.caller.flow)
        lane.turns.appendleft(place.caller.flow)


@dataclass
class Outcome:
    """What one order made of one load. Times in seconds."""

    served_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    in_time: Counter[Standing] = field(default_factory=Counter)
    offered: Counter[Standing] = field(default_factory=Counter)

    def refused(self, asked: list[Asked], now_s: float) -> None:
        self.refused_s += [now_s - one.at_s for one in asked]


def main() -> None:
    """Measure the hashes, simulate every order at every load, and publish."""
    hashes_s = _measured_hashes_s()
    rate_max_per_s = 1 / statistics.fmean(hashes_s)
    orders = {"plain": Plain, "fifo_bounded": lambda: Bounded(is_lifo=False),
              "lifo_bounded": lambda: Bounded(is_lifo=True), "line_lifo": OursNewestFirst, "line": Ours}  # fmt: skip
    figures: dict[str, Figure] = {"hash_ms_median": round(statistics.median(hashes_s) * 1000, 1)}
    rows = []
    for load in _LOADS:
        times, _, stolen = load.partition("x ")
        for name, make in orders.items():
            rate_per_s = float(times.rstrip("x")) * rate_max_per_s
            outcome = simulated(make(), hashes_s, rate_per_s=rate_per_s, seed=7, is_stolen=bool(stolen))
            told = _figures(outcome, rate_max_per_s)
            rows.append((f"{name} at {load}", *told.values()))
            figures |= {f"{name}_{key}_{load.replace(' ', '_')}": value for key, value in told.items()}
    show_table("one worker, " + str(_SECONDS) + " virtual seconds a row", ("order", *told), rows)
    publish(Report(name="login-queue", figures=figures, notes=[f"{rate_max_per_s:.1f} hashes/s is 1x"]))


def simulated(
    order: Order, hashes_s: list[float], *, rate_per_s: float, seed: int, is_stolen: bool = False
) -> Outcome:
    """Run one order for `_SECONDS` of the virtual clock."""
    rng, outcome = random.Random(seed), Outcome()
    standings, weights = list(_MIX), list(_MIX.values())
    events = [(rng.expovariate(rate_per_s), 0, "arrive")]
    serving: Asked | None = None
    hash_s, count = 0.0, 0
    while events:
        now_s, _, kind = heapq.heappop(events)
        if now_s > _SECONDS:
            break
        count += 1
        if kind == "arrive":
            standing = rng.choices(standings, weights)[0]
            who = Caller(standing, f"{rng.randrange(10_000)}")
            outcome.offered[standing] += 1
            outcome.refused(order.arrive(who, now_s), now_s)
            heapq.heappush(events, (now_s + rng.expovariate(rate_per_s), count, "arrive"))
        else:
            assert serving is not None
            order.took(hash_s)
            whole_s = now_s - serving.at_s + AROUND_S
            outcome.served_s.append(whole_s)
            outcome.in_time[serving.who.standing] += whole_s < OBJECTIVE_S
            serving = None
        if serving is None:
            serving, late = order.next(now_s)
            outcome.refused(late, now_s)
            if serving is not None:
                hash_s = rng.choice(hashes_s)
                if is_stolen and _STOLEN_S[0] < now_s < _STOLEN_S[1]:
                    hash_s *= _STOLEN_FACTOR
                heapq.heappush(events, (now_s + hash_s, count, "done"))
    return outcome


def _figures(outcome: Outcome, rate_max_per_s: float) -> dict[str, Figure]:
    in_time = sum(outcome.in_time.values())
    return {
        "goodput_share": round(in_time / (rate_max_per_s * _SECONDS), 3),
        "served_p95_ms": _p95_ms(outcome.served_s),
        "refused_p95_ms": _p95_ms(outcome.refused_s),
        "known_device_share": round(_share(outcome, Standing.KNOWN_DEVICE), 3),
        "unknown_share": round(_share(outcome, Standing.UNKNOWN), 3),
    }


def _share(outcome: Outcome, standing: Standing) -> float:
    return outcome.in_time[standing] / max(outcome.offered[standing], 1)


def _p95_ms(times_s: list[float]) -> Figure:
    if len(times_s) < 20:
        return None
    return round(statistics.quantiles(times_s, n=20)[18] * 1000, 1)


def _measured_hashes_s() -> list[float]:
    """Return the CPU time Argon2id costs here, at the default parameters."""
    hasher = PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1)
    known = hasher.hash("correct horse battery")
    times = []
    for _ in range(_HASHES):
        began = time.process_time()
        hasher.verify(known, "correct horse battery")
        times.append(time.process_time() - began)
    return times


if __name__ == "__main__":
    sys.exit(main())

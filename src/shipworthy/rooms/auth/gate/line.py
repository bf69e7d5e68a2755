"""The line before the hash: who gets a place, who is next. Pure: no thread, no clock, no I/O.

A place is given only if the hash would come in time, judged by how long hashes take *now*. Whoever
gets none is told at once; whoever got one and waited too long all the same (others with a better
standing came later) is dropped when their turn comes, before any work is done for them.

Three classes share the workers by weight, so that a flood of strangers cannot push aside people in
their own browsers, and these cannot shut newcomers out. Within a class the callers take turns by
`flow` (a network, a browser): one that floods waits behind itself.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

_HASH_S_UNKNOWN = 0.05  # until the first is measured
_COMING = 2  # a class that waits may double while we wait: at 0.8 of capacity 82 % of strangers are served, not 78 %
_SMOOTHING = (
    0.2  # of the newest measurement: five hashes on, a machine that lost a core is known to be slower
)
# A host whose one hash takes longer than the bound must still serve: one runs, one waits.
_HASHES_MIN = 2


class Standing(IntEnum):
    """How well we know who asks, before any look-up."""

    KNOWN_DEVICE = 0  # a browser somebody has signed in with
    KNOWN_NETWORK = 1  # a network somebody has signed in from
    UNKNOWN = 2


# Of classes that wait at the same time. With 4:2:1 strangers had a place in 0.8 % of their tries at five times
# the capacity and hashes of 32 ms, and 11 % with this (ADR 0009).
SHARES = {Standing.KNOWN_DEVICE: 2, Standing.KNOWN_NETWORK: 1, Standing.UNKNOWN: 1}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for a place. All callers of one `flow` take turns as one."""

    standing: Standing
    flow: str


@dataclass(eq=False, slots=True)
class Place:
    """A place in the line, from the moment it is given until its hash is done or nobody wants it."""

    caller: Caller
    entered_s: float
    work: Any = None  # what is to be done, once it is known


@dataclass(eq=False, slots=True)
class _Flow:
    places: int = 0  # given and not begun
    ready: deque[Place] = field(default_factory=deque)


@dataclass(eq=False, slots=True)
class _Lane:
    share: int
    places: int = 0
    credit: int = 0
    flows: dict[str, _Flow] = field(default_factory=dict)
    turns: deque[str] = field(default_factory=deque)  # the flows with something ready, next first


class Line:
    """The places before `workers` workers. The caller holds its lock around every call.

    Units:   `waiting_max` places of one class; `wait_s_max` from a place given to its hash done.
    """

    def __init__(self, *, workers: int, waiting_max: int, wait_s_max: float) -> None:
        self.hash_s = _HASH_S_UNKNOWN
        self.running = 0
        self._workers, self._waiting_max, self._wait_s_max = workers, waiting_max, wait_s_max
        self._lanes = {standing: _Lane(share) for standing, share in SHARES.items()}

    @property
    def waiting(self) -> int:
        return sum(lane.places for lane in self._lanes.values())

    @property
    def is_idle(self) -> bool:
        return self.waiting + self.running < self._workers

    def has_place(self, caller: Caller) -> bool:
        """Return whether this caller's hash would come in time."""
        if self.is_idle:
            return True
        if self._lanes[caller.standing].places >= self._waiting_max:
            return False
        expected_s = self.hash_s * (1 + (self._ahead_of(caller) + 1) / self._workers)
        return expected_s <= self._bound_s()

    def enter(self, caller: Caller, now_s: float) -> Place | None:
        """Give a place, or None."""
        if not self.has_place(caller):
            return None
        lane = self._lanes[caller.standing]
        lane.flows.setdefault(caller.flow, _Flow()).places += 1
        lane.places += 1
        return Place(caller, now_s)

    def places_of(self, caller: Caller) -> int:
        """Return how many places this flow holds that have not begun."""
        flow = self._lanes[caller.standing].flows.get(caller.flow)
        return flow.places if flow else 0

    def make_ready(self, place: Place, work: Any) -> None:
        """It is known now what is to be hashed: the place may have its turn."""
        place.work = work
        lane = self._lanes[place.caller.standing]
        flow = lane.flows[place.caller.flow]
        flow.ready.append(place)
        if len(flow.ready) == 1:
            lane.turns.append(place.caller.flow)

    def give_up(self, place: Place) -> None:
        """Nothing will be hashed for this place; only for one that was never made ready."""
        self._vacate(place)

    def next(self) -> Place | None:
        """Begin the next place's hash; None when none is ready. Ask `is_late` whether it still makes sense."""
        ready = [lane for lane in self._lanes.values() if lane.turns]
        if not ready:
            return None
        # Smooth weighted turns: each gains its share, the richest goes and pays for the round.
        for lane in ready:
            lane.credit += lane.share
        chosen = max(ready, key=lambda lane: lane.credit)
        chosen.credit -= sum(lane.share for lane in ready)
        name = chosen.turns.popleft()
        flow = chosen.flows[name]
        place = flow.ready.popleft()
        if flow.ready:
            chosen.turns.append(name)
        if not chosen.turns:
            chosen.credit = 0
        self._vacate(place)
        self.running += 1
        return place

    def is_late(self, place: Place, now_s: float) -> bool:
        """Return whether others wait behind somebody who waited longer than anybody should, and has given up.

        Where nobody else waits, a refusal would help nobody: the machine stood still, and still may serve.
        """
        has_others = any(lane.turns for lane in self._lanes.values())
        return has_others and now_s - place.entered_s > self._bound_s()

    def done(self, took_s: float | None) -> None:
        """A worker is free. `took_s` is how long the hash took; None when none was made."""
        self.running -= 1
        if took_s is not None:
            self.hash_s += _SMOOTHING * (took_s - self.hash_s)

    def _bound_s(self) -> float:
        return max(self._wait_s_max, _HASHES_MIN * self.hash_s)

    def _ahead_of(self, caller: Caller) -> float:
        """How many hashes come before this caller's, if the other classes keep coming as they do now."""
        lane = self._lanes[caller.standing]
        own = self.places_of(caller)
        turns = sum(min(flow.places, own + 1) for name, flow in lane.flows.items() if name != caller.flow)
        within = own + turns
        others = sum(
            min((within + 1) * other.share / lane.share, _COMING * other.places)
            for other in self._lanes.values()
            if other is not lane
        )
        return within + others

    def _vacate(self, place: Place) -> None:
        lane = self._lanes[place.caller.standing]
        flow = lane.flows[place.caller.flow]
        lane.places -= 1
        flow.places -= 1
        if not flow.places:
            del lane.flows[place.caller.flow]

"""`Toxic`: one way in which a connection is worse than it should be. Data, and what it asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Literal

Kind = Literal["latency", "bandwidth", "timeout", "reset_peer", "slow_close", "limit_data", "down"]
Stream = Literal["upstream", "downstream"]
LEASE_S_MAX = 600.0  # nothing is broken for longer than this without somebody saying so again
_SLICE_S = 0.05  # a throttled lane passes twenty pieces a second


@dataclass(frozen=True, kw_only=True)
class Toxic:
    """One toxic; `stream` is the direction it lies in (upstream: from the app to what it needs).

    latency: everything arrives `latency_ms` later, give or take `jitter_ms`, in order.
    bandwidth: `kb_per_s` and no more.
    timeout: nothing passes; what was sent is held back and arrives when the toxic is gone, as
      TCP repeats it after a partition. With `timeout_ms` the connection is closed after that.
    reset_peer: a connection is reset `timeout_ms` after it was made, or at once.
    slow_close: the end of a stream is passed on `delay_ms` later.
    limit_data: the connection is closed after `limit_bytes`.
    down: nobody listens and every connection is reset, as when the other side is dead.
    """

    kind: Kind
    stream: Literal["both", "upstream", "downstream"] = "both"
    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    kb_per_s: float = 0.0
    timeout_ms: float = 0.0
    delay_ms: float = 0.0
    limit_bytes: int = 0

    def __post_init__(self) -> None:
        numbers = (
            self.latency_ms,
            self.jitter_ms,
            self.kb_per_s,
            self.timeout_ms,
            self.delay_ms,
            self.limit_bytes,
        )
        if not all(0 <= number < inf for number in numbers):  # so written, NaN is refused too
            raise ValueError(f"a toxic's numbers are 0 or more: {self}")
        if self.kind == "bandwidth" and not self.kb_per_s:
            raise ValueError("bandwidth needs kb_per_s above 0; for no data at all take timeout")
        if self.jitter_ms > self.latency_ms:
            raise ValueError("jitter_ms is at most latency_ms: nothing arrives before it was sent")

    def lies_in(self, stream: Stream) -> bool:
        return self.stream in ("both", stream)


def held_for_s(toxics: Iterable[Toxic], *, roll: float, is_end: bool) -> float:
    """Return how long after its arrival a piece is passed on; infinite while nothing passes.

    `roll` is the piece's own chance, -1..1, so that asking twice gives the same answer.
    """
    total_ms = 0.0
    for toxic in toxics:
        if toxic.kind == "timeout":
            return inf
        if toxic.kind == "latency":
            total_ms += toxic.latency_ms + roll * toxic.jitter_ms
        if toxic.kind == "slow_close" and is_end:
            total_ms += toxic.delay_ms
    return total_ms / 1000


def rate_bytes_per_s(toxics: Iterable[Toxic]) -> float:
    """Return what may pass in a second; infinite without a limit."""
    return min((t.kb_per_s * 1000 for t in toxics if t.kind == "bandwidth"), default=inf)


def slice_bytes(rate_per_s: float) -> int:
    """Return how much is passed at once at this rate."""
    return max(1, int(min(rate_per_s * _SLICE_S, 2**31)))


def lease_of(lease_s: float) -> float:
    """Return a lease that can be kept. Errors: ValueError."""
    if not 0 < lease_s <= LEASE_S_MAX:
        raise ValueError(f"a lease lasts above 0 and up to {LEASE_S_MAX:g} s, not {lease_s}")
    return lease_s

"""GCRA: a limit as one number per key, the time at which everything asked so far will have been paid for. Pure.

Source:  ITU-T I.371, annex A (virtual scheduling): a cell conforms when it is not earlier than TAT - tau.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a minute, and so many at once. Errors: ValueError for a rate of nothing."""

    per_minute: float
    burst: int = 1

    def __post_init__(self) -> None:
        if not (self.per_minute > 0 and self.burst >= 1):
            raise ValueError("a rate lets at least something through")

    @property
    def each_s(self) -> float:
        """What one costs, in seconds of the key's future."""
        return 60.0 / self.per_minute

    @property
    def tolerance_s(self) -> float:
        """How far ahead of its time a key may be."""
        return self.each_s * (self.burst - 1)


def judged(paid_until_s: float, now_s: float, rate: Rate) -> tuple[float, float]:
    """Return the seconds to wait (0: it may pass) and until when the key has paid now.

    What is refused costs nothing: who keeps asking is let through as soon as who waited. No key ever owes more
    than all of its tolerance, so a clock that was set back locks nobody out.
    """
    begins_s = min(max(paid_until_s, now_s), now_s + rate.tolerance_s + rate.each_s)
    wait_s = begins_s - rate.tolerance_s - now_s
    if wait_s > 1e-9:
        return wait_s, paid_until_s
    return 0.0, begins_s + rate.each_s

"""A breaker: a server that fails again and again is left alone for a while, then tried by one."""

from __future__ import annotations

from collections.abc import Callable

FAILURES_MAX = 5
OPEN_S = 5.0


class Breaker:
    """Closed until `FAILURES_MAX` failures in a row; open for `OPEN_S`; then one try decides."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._open_until_s = 0.0

    def lets_through(self) -> bool:
        """Whether this call may be made; after an open spell only the first of many may."""
        if self._failures < FAILURES_MAX:
            return True
        now_s = self._clock()
        if now_s < self._open_until_s:
            return False
        self._open_until_s = now_s + OPEN_S  # until this one has come back, the others stay out
        return True

    def worked(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES_MAX:
            self._open_until_s = self._clock() + OPEN_S

"""How fast another machine may be asked: 20 requests a second, over all instruments together.

One budget a run. Whoever asks single questions waits for a turn; a load takes its part away for as long as it
lasts. What has no pace of its own, a browser or thirty requests at one moment, is not used there at all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

REQUESTS_PER_S_MAX = 20.0
# Of a load: so many, and so many at once after a pause. In no second more than 19, which leaves one for questions.
LOAD_PER_S_MAX, LOAD_AT_ONCE = 15.0, 4
# What may be declared: nearer to the bound, requests would wait for one another and seem slow.
LOAD_DECLARED_PER_S_MAX = 12.0


class Turns:
    """Turns of one run: never closer than the rate allows, but for `at_once` of them after a pause.

    Units:   `per_s_max` requests a second.
    """

    def __init__(
        self,
        per_s_max: float = REQUESTS_PER_S_MAX,
        *,
        at_once: int = 0,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_s, self._at_once, self._clock_s = per_s_max, at_once, clock_s
        self._next_s = 0.0

    async def next(self) -> None:
        """Return when it is the caller's turn."""
        wait_s = self.claimed_s()
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    def claimed_s(self) -> float:
        """Claim the next turn; return how long until then, in seconds. Source: GCRA, ITU-T I.371."""
        now_s, apart_s = self._clock_s(), 1 / self._per_s
        due_s = max(self._next_s, now_s)
        self._next_s = due_s + apart_s
        return max(0.0, due_s - self._at_once * apart_s - now_s)

    @contextmanager
    def lent_to_load(self) -> Iterator[None]:
        """Leave all but one request a second to a load that keeps to its own turns."""
        before, self._per_s = self._per_s, 1.0
        try:
            yield
        finally:
            self._per_s = before


def load_turns() -> Turns:
    """Return the turns of a load against another machine."""
    return Turns(LOAD_PER_S_MAX, at_once=LOAD_AT_ONCE)

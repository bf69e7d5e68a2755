"""What an issuer publishes, kept: fresh for as long as it says, stale while it is fetched again.

One fetch at a time, whoever asks. A provider that is away is served from what we have for up to a
day; nobody waits for a fetch while there is something to serve.
Source:  RFC 5861 (stale-while-revalidate, stale-if-error).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

FRESH_S = 600.0
FRESH_S_MIN = 60.0
FRESH_S_MAX = 24 * 3600.0
STALE_S_MAX = 24 * 3600.0
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=\"?(\d{1,9})")
T = TypeVar("T")


@dataclass(frozen=True)
class _Held(Generic[T]):
    value: T
    fresh_until_s: float


class Cached(Generic[T]):
    """One document. `fetch` returns its value and for how many seconds that is fresh."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[tuple[T, float]]],
        *,
        clock: Callable[[], float],
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._fetch, self._clock, self._count = fetch, clock, count
        self._held: _Held[T] | None = None
        self._flight: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Return the document; fetch first only when there is none, or none that may still be served.

        Errors: whatever `fetch` raises.
        """
        held, now_s = self._held, self._clock()
        if held is None or now_s >= held.fresh_until_s + STALE_S_MAX:
            self._count("miss")
            return await self.refresh()
        if now_s < held.fresh_until_s:
            self._count("hit")
        else:
            self._count("stale")
            self._begin()
        return held.value

    async def refresh(self) -> T:
        """Fetch now, or wait for the fetch that is under way. Errors: whatever `fetch` raises."""
        return await asyncio.shield(self._begin())

    @property
    def is_fetching(self) -> bool:
        return self._flight is not None

    async def close(self) -> None:
        """Give up the fetch that is under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)

    def _begin(self) -> asyncio.Task[T]:
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())
            self._flight.add_done_callback(self._landed)
        return self._flight

    async def _fly(self) -> T:
        value, fresh_s = await self._fetch()
        self._held = _Held(value, self._clock() + fresh_s)
        return value

    def _landed(self, flight: asyncio.Task[T]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # looked at: a fetch nobody waited for is no unhandled error


def fresh_s_of(headers: Mapping[str, str]) -> float:
    """Return for how long an answer is fresh: its max-age within our bounds, or ten minutes."""
    said = headers.get("cache-control", "").lower()
    if "no-store" in said or "no-cache" in said:
        return FRESH_S_MIN
    found = _MAX_AGE.search(said)
    return min(max(float(found.group(1)), FRESH_S_MIN), FRESH_S_MAX) if found else FRESH_S

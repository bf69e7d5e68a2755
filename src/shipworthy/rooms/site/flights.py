"""Single flight: however many ask for the same thing at once, it is fetched once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """Fetches under way, by key."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}

    async def once(self, key: Hashable, fetch: Coroutine[Any, Any, T]) -> T:
        """Return what `fetch` returns, or what a fetch of the same key returns that is under way.

        It goes on when the caller is cancelled, for others may wait for it.
        Errors:  those of the fetch, for everybody who waits.
        """
        flight = self._under_way.get(key)
        if flight is None:
            flight = self._under_way[key] = asyncio.create_task(fetch)
            flight.add_done_callback(lambda done: self._landed(key, done))
        else:
            fetch.close()
        return await asyncio.shield(flight)

    def _landed(self, key: Hashable, flight: asyncio.Task[T]) -> None:
        del self._under_way[key]
        if not flight.cancelled():
            flight.exception()  # whoever waited has it; where nobody did, it is no news

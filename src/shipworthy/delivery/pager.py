"""Calling a person: a deploy that holds because both versions fail needs somebody, now.

Every way is tried until it took the call or the deploy is over; a repeat carries the same id. Knows no
mail and no webhook: whoever starts a deploy says what the ways are.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

LAST_TRY_S = 10.0  # when the deploy is over


class Unheard(Exception):
    """A way did not take the call; it is tried again."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a person is called for. `id` is the same at every try, so that a receiver knows a repeat."""

    id: str
    deploy: str
    release: str
    previous: str
    weight: int
    reason: str


Way = Callable[[Page], Awaitable[None]]
Noted = Callable[..., None]  # of a record: what happened, and its facts


class Pager:
    """One deploy's calls. `told` names the ways that took one."""

    def __init__(self, ways: Mapping[str, Way], *, note: Noted, again_s: float) -> None:
        self._ways, self._note, self._again_s = dict(ways), note, again_s
        self._calling: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()
        self.told: list[str] = []

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._ways)

    def call(self, page: Page) -> None:
        """Begin to call by every way; the deploy goes on meanwhile."""
        for name, way in self._ways.items():
            self._calling.append(asyncio.create_task(self._until_heard(name, way, page), name=f"page {name}"))

    async def close(self) -> None:
        """Try whom nothing reached yet once more, for LAST_TRY_S at most."""
        self._over.set()
        if self._calling:
            await asyncio.wait(self._calling, timeout=LAST_TRY_S)
        for task in self._calling:
            task.cancel()
        await asyncio.gather(*self._calling, return_exceptions=True)

    async def _until_heard(self, name: str, way: Way, page: Page) -> None:
        is_last = False
        while not is_last:
            is_last = self._over.is_set()
            try:
                await way(page)
            except Unheard as unheard:
                self._note("page unheard", by=name, why=str(unheard))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), self._again_s)
                continue
            self.told.append(name)
            self._note("page heard", by=name)
            return

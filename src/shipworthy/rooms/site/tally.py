"""A tally: counted in memory, written down every few seconds, never while somebody waits. Bounded, whoever counts."""

from __future__ import annotations

import asyncio
import uuid
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.errors import Busy
from shipworthy.kernel.runtime import Runtime

_EVERY_S = 5.0  # as much is lost when a process dies

Thing = TypeVar("Thing", bound="tuple[Any, ...]")


class Tally(ABC, Generic[Thing]):
    """The counts of one process that are not written down yet.

    A thing begins with its tenant's id and says in `group_of` which others are written in one transaction
    with it. While the database is away `keys_max` different things are kept; what comes on top is not counted.
    """

    keys_max: ClassVar[int]

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._counts: Counter[Thing] = Counter()

    def count(self, things: Iterable[Thing]) -> None:
        for thing in things:
            if thing in self._counts or len(self._counts) < self.keys_max:
                self._counts[thing] += 1

    async def write_down(self) -> None:
        """Add the counts to those in the database, a group at a time; what fails is kept for the next time."""
        counts, self._counts = self._counts, Counter()
        for group in sorted({self.group_of(thing) for thing in counts}):
            # In one order in every process, so that none waits for a row while it holds one.
            mine = {t: n for t, n in sorted(counts.items()) if self.group_of(t) == group}
            try:
                async with self._runtime.database.begin(Scope(self._runtime.realm_id, group[0])) as tx:
                    await self.write(tx, group, mine)
            except Busy:
                self._counts.update(mine)

    async def write_down_forever(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            await self.write_down()

    @abstractmethod
    def group_of(self, thing: Thing) -> tuple[uuid.UUID, ...]:
        """Return what is written together, the tenant's id first."""

    @abstractmethod
    async def write(self, tx: Tx, group: tuple[uuid.UUID, ...], counts: Mapping[Thing, int]) -> None:
        """Add these counts, which come in order, to those in the database."""

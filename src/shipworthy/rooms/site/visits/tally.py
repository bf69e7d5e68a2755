"""The tally: what was counted and is not written down yet, a few seconds' worth. Bounded, whoever counts."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from shipworthy.kernel.context import Scope
from shipworthy.kernel.errors import Busy
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.site.catalogue import q

_EVERY_S = 5.0  # as much is lost when a process dies
_KEYS_MAX = 20_000  # of different things in between; what would be more is not counted


class Counted(NamedTuple):
    """One thing that is counted, of one site on one day."""

    tenant_id: uuid.UUID
    site_id: uuid.UUID
    day: date
    kind: str
    path: str
    name: str


class Tally:
    """The counts of one process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._counts: Counter[Counted] = Counter()

    def add(self, things: Iterable[Counted]) -> None:
        for thing in things:
            if thing in self._counts or len(self._counts) < _KEYS_MAX:
                self._counts[thing] += 1

    async def write_down(self) -> None:
        """Add the counts to those in the database, a site at a time; what fails is kept for the next time.

        A page that is not published is not counted: anybody may say that they read anything.
        """
        counts, self._counts = self._counts, Counter()
        for tenant_id, site_id in sorted({(thing.tenant_id, thing.site_id) for thing in counts}):
            mine = {t: n for t, n in counts.items() if (t.tenant_id, t.site_id) == (tenant_id, site_id)}
            things = sorted(
                mine
            )  # in one order in every process, so that none waits for a row while it holds one
            try:
                async with self._runtime.database.begin(Scope(self._runtime.realm_id, tenant_id)) as tx:
                    await tx.run(
                        q.visits_add,
                        site_id=site_id,
                        days=[thing.day for thing in things],
                        kinds=[thing.kind for thing in things],
                        paths=[thing.path for thing in things],
                        names=[thing.name for thing in things],
                        counts=[mine[thing] for thing in things],
                    )
            except Busy:
                self._counts.update(mine)

    async def write_down_forever(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            await self.write_down()

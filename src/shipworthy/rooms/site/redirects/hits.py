"""How often redirects are followed: counted in memory, written down every few seconds, never while somebody waits."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter

from shipworthy.kernel.context import Scope
from shipworthy.kernel.errors import Busy
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.site.catalogue import q

_EVERY_S = 5.0
_KEYS_MAX = 50_000  # while the database is away; what comes on top is not counted

Hit = tuple[uuid.UUID, uuid.UUID]  # tenant and redirect


class Hits:
    """The counts of one process that are not written down yet."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._counts: Counter[Hit] = Counter()

    def count(self, hit: Hit) -> None:
        if hit in self._counts or len(self._counts) < _KEYS_MAX:
            self._counts[hit] += 1

    async def flush(self) -> None:
        """Write the counts down, a tenant at a time; what fails is kept for the next time."""
        counts, self._counts = self._counts, Counter()
        for tenant_id in {tenant_id for tenant_id, _ in counts}:
            mine = {hit: n for hit, n in counts.items() if hit[0] == tenant_id}
            now = self._runtime.now()
            # In one order in every process, so that none waits for a row while it holds one.
            rows = [{"redirect_id": hit[1], "hits": n, "now": now} for hit, n in sorted(mine.items())]
            try:
                async with self._runtime.database.begin(Scope(self._runtime.realm_id, tenant_id)) as tx:
                    await tx.many(q.redirect_hit, rows)
            except Busy:
                self._counts.update(mine)

    async def flush_forever(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            await self.flush()

"""How often redirects are followed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from shipworthy.kernel.db.tx import Tx
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.tally import Tally

Hit = tuple[uuid.UUID, uuid.UUID]  # tenant and redirect


class Hits(Tally[Hit]):
    """The redirects that one process led people on by."""

    keys_max = 50_000

    def group_of(self, thing: Hit) -> tuple[uuid.UUID, ...]:
        return thing[:1]

    async def write(self, tx: Tx, group: tuple[uuid.UUID, ...], counts: Mapping[Hit, int]) -> None:
        now = self._runtime.now()
        await tx.many(
            q.redirect_hit, [{"redirect_id": hit[1], "hits": n, "now": now} for hit, n in counts.items()]
        )

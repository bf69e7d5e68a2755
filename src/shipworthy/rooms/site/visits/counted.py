"""What is counted of visits, and where it is kept."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from shipworthy.kernel.db.tx import Tx
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.tally import Tally


class Counted(NamedTuple):
    """One thing that is counted, of one site on one day."""

    tenant_id: uuid.UUID
    site_id: uuid.UUID
    day: date
    kind: str
    path: str
    name: str


class VisitTally(Tally[Counted]):
    """The visits of one process.

    A page that is not published is not counted: anybody may say that they read anything.
    """

    keys_max = 20_000

    def group_of(self, thing: Counted) -> tuple[uuid.UUID, ...]:
        return (thing.tenant_id, thing.site_id)

    async def write(self, tx: Tx, group: tuple[uuid.UUID, ...], counts: Mapping[Counted, int]) -> None:
        await tx.run(
            q.visits_add,
            site_id=group[1],
            days=[thing.day for thing in counts],
            kinds=[thing.kind for thing in counts],
            paths=[thing.path for thing in counts],
            names=[thing.name for thing in counts],
            counts=list(counts.values()),
        )

"""Verification: walk a tenant's sealed chain from its start, hold it against its head and against every anchor."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from shipworthy.kernel.audit.anchors import GENESIS as NO_ANCHOR
from shipworthy.kernel.audit.anchors import anchors_in
from shipworthy.kernel.audit.chain import GENESIS, Break, first_break
from shipworthy.kernel.audit.keys import AuditKeys
from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Database, Record
from shipworthy.kernel.files.store import FileStore

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")


@dataclass(frozen=True)
class Vouched:
    """What an anchor says of one chain: row `seq` had this hash at that moment."""

    seq: int
    hash: bytes
    number: int
    at: datetime


@dataclass(frozen=True)
class Anchors:
    """The anchors of a realm: what they say of each tenant, and what is wrong with them, if anything is."""

    by_tenant: Mapping[uuid.UUID, list[Vouched]] = field(default_factory=dict)
    count: int = 0
    problems: tuple[str, ...] = ()

    def of(self, tenant_id: uuid.UUID) -> list[Vouched]:
        return list(self.by_tenant.get(tenant_id, ()))


@dataclass(frozen=True)
class Report:
    """How many rows hold, how many wait to be sealed, up to which an anchor vouches, and where the chain breaks."""

    sealed: int
    unsealed: int
    broken: Break | None
    anchored: int = 0


async def read_anchors(
    files: FileStore, keys: AuditKeys, database: Database, *, realm_id: uuid.UUID
) -> Anchors:
    """Return what the anchors in the store say; one that is not to be believed says nothing, and is a problem.

    Errors:  Upstream `files.unavailable`, Busy.
    """
    problems: list[str] = []
    by_tenant: dict[uuid.UUID, list[Vouched]] = {}
    count, expected, previous = 0, 1, NO_ANCHOR
    async for found in anchors_in(files, realm_id):
        if found.number > expected:
            problems.append(_missing(expected, found.number - 1))
        if found.anchor is None:
            problems.append(f"anchor {found.number} cannot be read")
        elif why := found.anchor.wrong_with(keys):
            problems.append(f"anchor {found.number} is not to be believed: {why}")
        else:
            if found.number == expected and found.anchor.previous != previous:
                problems.append(f"anchor {found.number} does not follow the one before it")
            count += 1
            for tenant, seq, digest in found.anchor.heads:
                said = by_tenant.setdefault(tenant, [])
                if not said or said[-1].seq != seq or said[-1].hash.hex() != digest:
                    said.append(Vouched(seq, bytes.fromhex(digest), found.number, found.anchor.at))
        expected, previous = found.number + 1, found.sha256
    async with database.begin(Scope(realm_id)) as tx:
        last = await tx.maybe(q.audit_anchor_last)
    if last is not None and last["number"] >= expected:
        problems.append(_missing(expected, last["number"]))
    return Anchors(by_tenant, count, tuple(problems))


async def tenants_in(database: Database, realm_id: uuid.UUID, anchors: Anchors) -> list[uuid.UUID]:
    """Return every tenant that has a chain, or had one when an anchor was signed."""
    found = set(anchors.by_tenant)
    after = uuid.UUID(int=0)
    async with database.begin(Scope(realm_id)) as tx:
        while rows := await tx.all(q.tenant_ids, after=after):
            found |= {uuid.UUID(int=row["tenant_id"].int) for row in rows}
            after = rows[-1]["tenant_id"]
    return sorted(found)


def _missing(first: int, last: int) -> str:
    which = f"anchor {first} is" if first == last else f"anchors {first} to {last} are"
    return f"{which} missing from the file store"


async def verify_chain(database: Database, scope: Scope, vouched: Iterable[Vouched] = ()) -> Report:
    """Walk the chain a page at a time.

    A head or an anchor beyond the last row means that the tail was cut; an anchor that names another hash for a
    row means that the chain was written anew somewhere between the row that an anchor last vouched for and that one.
    """
    walk = _Walk(sorted(vouched, key=lambda v: (v.seq, v.number)))
    async with database.begin(scope) as tx:
        while rows := await tx.all(q.audit_chain, after=walk.seq):
            if broken := walk.over(rows):
                return Report(broken.seq - 1, 0, broken, walk.anchored)
        head = await tx.maybe(q.audit_head_get)
        unsealed = (await tx.one(q.audit_unsealed_count))["rows"]
    return Report(walk.seq, unsealed, walk.at_its_end(head), walk.anchored)


class _Walk:
    """Where one walk over a chain is, and what the anchors said of the rows to come."""

    def __init__(self, vouched: list[Vouched]) -> None:
        self.seq, self._prev = 0, GENESIS
        self.anchored = 0  # the last row so far that an anchor vouches for
        self._ahead = vouched

    def over(self, rows: list[Record]) -> Break | None:
        """Go over a page of rows; return where it breaks."""
        broken = first_break(rows, seq=self.seq, prev=self._prev)
        whole = broken.seq - 1 if broken else rows[-1]["seq"]
        while self._ahead and self._ahead[0].seq <= whole:
            said = self._ahead.pop(0)
            if bytes(rows[said.seq - self.seq - 1]["hash"]) != said.hash:
                return self._rewritten(said)
            self.anchored = said.seq
        if broken is None:
            self.seq, self._prev = whole, bytes(rows[-1]["hash"])
        return broken

    def at_its_end(self, head: Record | None) -> Break | None:
        if self._ahead:
            said = self._ahead[0]
            return Break(
                self.seq + 1,
                f"the chain ends at row {self.seq}, but row {said.seq} was there when anchor {said.number} was"
                f" signed ({_moment(said)}): rows were cut off its end",
            )
        end = (self.seq, self._prev)
        if (head is None and self.seq) or (head is not None and (head["seq"], bytes(head["hash"])) != end):
            return Break(self.seq + 1, "the chain ends before its recorded head: rows were cut off its end")
        return None

    def _rewritten(self, said: Vouched) -> Break:
        first = self.anchored + 1
        which = f"row {first}" if first == said.seq else f"a row from {first} to {said.seq}"
        return Break(
            first,
            f"{which} was changed and the chain sealed anew: anchor {said.number} ({_moment(said)}) names another"
            f" hash for row {said.seq}",
        )


def _moment(said: Vouched) -> str:
    return f"{said.at:%Y-%m-%d %H:%M} UTC"

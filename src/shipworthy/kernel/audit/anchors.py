"""Anchors: from time to time the ends of all chains, signed, go to the file store, out of the database's reach.

Whoever rules the database can write a whole chain anew, or cut its end and its head; the anchors then say otherwise.
Each names the one before by its hash, so that none can be taken out from between two others.

    <realm>/audit-anchor/000000000007.json
    {"format", "realm", "number", "at", "previous", "root", "tenants", "heads": [[tenant, seq, hash]…], "kid", "signature"}

The signature is of all but the heads; these are what `root` is the Merkle root of.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from shipworthy.kernel.audit.keys import AuditKeys
from shipworthy.kernel.audit.merkle import leaf_of, root_of
from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Record, Tx, UniqueViolation
from shipworthy.kernel.errors import Missing, Refusal
from shipworthy.kernel.files.store import FileStore
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.telemetry.log import log

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")

FORMAT = "shipworthy audit anchor 1"
GENESIS = "0" * 64
_FOLDER = "audit-anchor"
_LOOK_S = 60.0  # how often a worker asks whether one is due
Head = tuple[uuid.UUID, int, bytes]


class AnchorHead(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed. Units: hashes as hex."""

    format: str
    realm: uuid.UUID
    number: int
    at: datetime
    previous: str
    root: str
    tenants: int

    @property
    def signed(self) -> bytes:
        return msgspec.json.encode(self, order="sorted")


class Anchor(AnchorHead, frozen=True, kw_only=True):
    """One anchor, whole."""

    heads: list[tuple[uuid.UUID, int, str]]
    kid: str
    signature: bytes

    @property
    def head(self) -> AnchorHead:
        return AnchorHead(**{name: getattr(self, name) for name in AnchorHead.__struct_fields__})

    @property
    def leaves(self) -> list[bytes]:
        return [leaf_of(tenant, seq=seq, head=bytes.fromhex(digest)) for tenant, seq, digest in self.heads]

    def of(self, tenant_id: uuid.UUID) -> tuple[int, int, bytes] | None:
        """Return a tenant's place among the heads, its last row and that row's hash; None where it had none."""
        for index, (tenant, seq, digest) in enumerate(self.heads):
            if tenant == tenant_id:
                return index, seq, bytes.fromhex(digest)
        return None

    def wrong_with(self, keys: AuditKeys) -> str | None:
        """Return why this anchor is not to be believed; None where it is."""
        if self.format != FORMAT or self.tenants != len(self.heads):
            return "it is of another format"
        if root_of(self.leaves).hex() != self.root:
            return "its heads are not those that were signed"
        if keys.public(self.kid) is None:
            return f"it is signed by the unknown key {self.kid}; name its public half in SHIPWORTHY_AUDIT_TRUSTED"
        return None if keys.proves(self.kid, self.head.signed, self.signature) else "its signature is wrong"


@dataclass(frozen=True, kw_only=True)
class Found:
    """An anchor's file as it lies in the store; `anchor` is None where it can not be read."""

    number: int
    sha256: str
    anchor: Anchor | None


async def anchor_forever(runtime: Runtime, *, stop: asyncio.Event) -> None:
    """Anchor whenever it is due until told to stop. What fails is tried again at the next look."""
    period = timedelta(seconds=runtime.settings.audit.anchor_period_s)
    while not stop.is_set():
        try:
            await anchor_heads(runtime, older_than=period)
        except Refusal as away:
            log.warning("audit anchors wait", extra={"reason": away.code})
        try:
            await asyncio.wait_for(stop.wait(), timeout=min(_LOOK_S, period.total_seconds()))
        except TimeoutError:
            continue


async def anchor_heads(runtime: Runtime, *, older_than: timedelta) -> int | None:
    """Put an anchor into the file store where the last one is older and some chain grew; return its number.

    Of several workers at once one does it. A file is put before its row is committed: a row without its file cannot
    come about.
    Errors:  Upstream `files.unavailable`, Busy.
    """
    try:
        async with runtime.database.begin(Scope(runtime.realm_id)) as tx:
            return await _anchored(runtime, tx, older_than)
    except UniqueViolation:  # another worker was faster
        return None


async def _anchored(runtime: Runtime, tx: Tx, older_than: timedelta) -> int | None:
    # Files are put before their row is committed: without a turn a second worker would see the file and go on after it.
    if not (await tx.one(q.audit_anchor_turn))["is_mine"]:
        return None
    last, now = await tx.maybe(q.audit_anchor_last), runtime.now()
    if last is not None and now - last["at"] < older_than:
        return None
    heads = await _heads(tx)
    root = root_of([leaf_of(tenant, seq=seq, head=digest) for tenant, seq, digest in heads])
    if not heads or (last is not None and bytes(last["root"]) == root):
        return None
    number, previous = await _next(runtime, last)
    head = AnchorHead(
        format=FORMAT,
        realm=runtime.realm_id,
        number=number,
        at=now,
        previous=previous,
        root=root.hex(),
        tenants=len(heads),
    )
    kid, signature = runtime.audit_keys.sign(head.signed)
    anchor = Anchor(
        **msgspec.structs.asdict(head),
        heads=[(tenant, seq, digest.hex()) for tenant, seq, digest in heads],
        kid=kid,
        signature=signature,
    )
    body = msgspec.json.encode(anchor)
    await tx.run(q.audit_anchor_write, number=number, at=now, root=root, sha256=hashlib.sha256(body).digest())
    await runtime.files.put(anchor_object(runtime.realm_id, number), body)
    return number


async def _next(runtime: Runtime, last: Record | None) -> tuple[int, str]:
    """Return the number of the next anchor, and the hash of the file before it.

    A file that the database knows nothing of is kept, and followed: a worker may have died before it committed, or
    somebody took the database back to an earlier day. No anchor is ever written over.
    """
    known = last["number"] if last else 0
    stored = await _numbers(runtime.files, runtime.realm_id)
    if stored and stored[-1] > known:
        return stored[-1] + 1, (await _read(runtime.files, runtime.realm_id, stored[-1])).sha256
    return known + 1, bytes(last["sha256"]).hex() if last else GENESIS


async def _heads(tx: Tx) -> Sequence[Head]:
    heads: list[Head] = []
    after = uuid.UUID(int=0)
    while rows := await tx.all(q.audit_tips, after=after):
        heads += [(uuid.UUID(int=row["tenant_id"].int), row["seq"], bytes(row["hash"])) for row in rows]
        after = rows[-1]["tenant_id"]
    return heads


async def anchors_in(files: FileStore, realm_id: uuid.UUID) -> AsyncIterator[Found]:
    """Return every anchor in the store, the oldest first. Errors: Upstream `files.unavailable`."""
    for number in await _numbers(files, realm_id):
        yield await _read(files, realm_id, number)


async def _numbers(files: FileStore, realm_id: uuid.UUID) -> list[int]:
    names = [name.rpartition("/")[2] for name in await files.names(f"{realm_id}/{_FOLDER}")]
    return sorted(int(stem) for name in names if (stem := name.removesuffix(".json")).isdecimal())


async def anchor_numbered(files: FileStore, realm_id: uuid.UUID, number: int) -> Anchor | None:
    """Return one anchor; None where there is none that can be read."""
    try:
        return (await _read(files, realm_id, number)).anchor
    except Missing:
        return None


async def _read(files: FileStore, realm_id: uuid.UUID, number: int) -> Found:
    body = await files.get(anchor_object(realm_id, number))
    try:
        anchor = msgspec.json.decode(body, type=Anchor)
    except (msgspec.DecodeError, ValueError):
        anchor = None
    is_it = anchor is not None and (anchor.number, anchor.realm) == (number, realm_id)
    return Found(number=number, sha256=hashlib.sha256(body).hexdigest(), anchor=anchor if is_it else None)


def anchor_object(realm_id: uuid.UUID, number: int) -> str:
    return f"{realm_id}/{_FOLDER}/{number:012d}.json"

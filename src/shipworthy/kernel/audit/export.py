"""The trail as a file: CSV or JSON lines, with a manifest by which anybody proves it without us.

    audit.csv or audit.jsonl   one sealed row a line, in the order of the chain, with its place and hashes
    manifest.json              how many, from where to where, the file's hash, and the anchor that vouches for a row

Personal values that were not erased stand in `personal`, each with the salt that proves it. What begins like a
formula for a spreadsheet gets an apostrophe in CSV; reading it back takes that off.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec

from shipworthy.kernel.audit.anchors import AnchorHead, anchor_numbered
from shipworthy.kernel.audit.chain import GENESIS
from shipworthy.kernel.audit.keys import AuditKeys, key_text
from shipworthy.kernel.audit.merkle import path_of
from shipworthy.kernel.audit.personal import personal_of
from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Database, Record
from shipworthy.kernel.files.store import FileStore

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")

Kind = Literal["csv", "jsonl"]
FORMAT = "shipworthy audit export 1"
MANIFEST = "manifest.json"
COLUMNS = (
    "seq", "at", "actor_id", "action", "object_type", "object_id", "detail", "trace_id", "audit_id", "prev", "hash", "personal",
)  # fmt: skip
_LIKE_A_FORMULA = re.compile(r"^'*[=+\-@\t\r\n|%]")
_ANCHORS_LOOKED_AT_MAX = 50  # back from the newest, for one that is not beyond the export
_json = msgspec.json.Encoder(order="sorted")
Progress = Callable[[int, int], Awaitable[None]]


class Proof(AnchorHead, frozen=True, kw_only=True):
    """An anchor, and the path from one row of this tenant's to what it signed."""

    kid: str
    public_key: str
    signature: bytes
    seq: int
    index: int
    path: list[str]

    @property
    def head(self) -> AnchorHead:
        return AnchorHead(**{name: getattr(self, name) for name in AnchorHead.__struct_fields__})


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an export holds. Units: hashes as hex, days in UTC; `prev` is the hash of the row before the first."""

    format: str
    tenant: uuid.UUID
    made_at: datetime
    file: str
    bytes: int
    sha256: str
    rows: int
    first_seq: int
    last_seq: int
    from_day: date | None
    to_day: date | None
    prev: str
    head: str
    anchor: Proof | None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What part of whose trail, and how. Days are in UTC, both included; None: from the beginning, to the end."""

    scope: Scope
    kind: Kind
    from_day: date | None = None
    to_day: date | None = None

    @property
    def file(self) -> str:
        return f"audit.{self.kind}"


async def write_export(
    wanted: Wanted,
    out: BinaryIO,
    *,
    database: Database,
    files: FileStore,
    keys: AuditKeys,
    realm_id: uuid.UUID,
    now: datetime,
    tell: Progress,
) -> Manifest:
    """Write the rows to `out` and return the manifest that goes with them.

    A page a transaction: sealed rows do not change, so what is written is one whole piece of the chain all the same.
    Errors:  Upstream `files.unavailable`, Busy.
    """
    first, last = await _bounds(database, wanted)
    total = last - first + 1 if last else 0
    digest, size_bytes, done, prev, head = hashlib.sha256(), 0, 0, GENESIS, GENESIS

    async def write(text: bytes) -> None:
        nonlocal size_bytes
        digest.update(text)
        size_bytes += len(text)
        await asyncio.to_thread(out.write, text)

    if wanted.kind == "csv":
        await write(_csv_line(COLUMNS))
    while done < total:
        async with database.begin(wanted.scope) as tx:
            rows = await tx.all(q.audit_part, after=first - 1 + done, last=last)
            personal = await personal_of(tx, [row["audit_id"] for row in rows])
        if not rows:  # rows are missing from the chain: verifying names the first
            break
        prev = prev if done else bytes(rows[0]["prev"])
        head = bytes(rows[-1]["hash"])
        await write(b"".join(_line(row, personal.get(row["audit_id"], {}), wanted.kind) for row in rows))
        done += len(rows)
        await tell(done, total)
    return Manifest(
        format=FORMAT,
        tenant=_tenant(wanted),
        made_at=now,
        file=wanted.file,
        bytes=size_bytes,
        sha256=digest.hexdigest(),
        rows=done,
        first_seq=first if done else 0,
        last_seq=last if done else 0,
        from_day=wanted.from_day,
        to_day=wanted.to_day,
        prev=prev.hex(),
        head=head.hex(),
        anchor=await _proof(database, files, keys, wanted, realm_id, first, last) if done else None,
    )


def manifest_text(manifest: Manifest) -> bytes:
    return msgspec.json.format(_json.encode(manifest)) + b"\n"


def rows_in(file: BinaryIO, kind: Kind) -> Any:
    """Yield the rows of an export's file as the chain's functions take them. Errors: ValueError for what is no row."""
    if kind == "jsonl":
        for line in file:
            yield _row(msgspec.json.decode(line))
        return
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    for cells in csv.DictReader(text):
        told: dict[str, Any] = {name: _read_cell(value or "") for name, value in cells.items()}
        told["seq"] = int(told["seq"])
        told["actor_id"] = told["actor_id"] or None
        told["detail"] = msgspec.json.decode(told["detail"])
        told["personal"] = msgspec.json.decode(told["personal"] or "{}")
        yield _row(told)


def first_id_of(day: date) -> uuid.UUID:
    """Return the lowest id that a row written on this day (UTC) or later can have. Ids are of version 7."""
    milliseconds = int(datetime.combine(day, time(), UTC).timestamp() * 1000)
    return uuid.UUID(int=milliseconds << 80)


async def _bounds(database: Database, wanted: Wanted) -> tuple[int, int]:
    since = first_id_of(wanted.from_day) if wanted.from_day else uuid.UUID(int=0)
    before = first_id_of(wanted.to_day + timedelta(days=1)) if wanted.to_day else uuid.UUID(int=2**128 - 1)
    async with database.begin(wanted.scope) as tx:
        found = await tx.one(q.audit_bounds, since=since, before=before)
    return (found["first"], found["last"]) if found["first"] else (0, 0)


async def _proof(
    database: Database,
    files: FileStore,
    keys: AuditKeys,
    wanted: Wanted,
    realm_id: uuid.UUID,
    first: int,
    last: int,
) -> Proof | None:
    """Return the latest anchor that vouches for a row of this export, with the way from it; None without one."""
    async with database.begin(Scope(realm_id)) as tx:
        newest = await tx.maybe(q.audit_anchor_last)
    if newest is None:
        return None
    for number in range(newest["number"], max(0, newest["number"] - _ANCHORS_LOOKED_AT_MAX), -1):
        anchor = await anchor_numbered(files, realm_id, number)
        found = anchor.of(_tenant(wanted)) if anchor else None
        if anchor is None or found is None or found[1] < first:
            return None
        index, seq, _head = found
        public = keys.public(anchor.kid)
        if seq <= last and public is not None:
            return Proof(
                **msgspec.structs.asdict(anchor.head),
                kid=anchor.kid,
                public_key=key_text(public),
                signature=anchor.signature,
                seq=seq,
                index=index,
                path=[step.hex() for step in path_of(anchor.leaves, index)],
            )
    return None


def _tenant(wanted: Wanted) -> uuid.UUID:
    assert wanted.scope.tenant_id is not None, "the trail is a tenant's"
    return wanted.scope.tenant_id


def _line(row: Record, personal: Mapping[str, Any], kind: Kind) -> bytes:
    told = {
        "seq": row["seq"],
        "at": row["at"].isoformat(),
        "actor_id": str(row["actor_id"]) if row["actor_id"] else None,
        "action": row["action"],
        "object_type": row["object_type"],
        "object_id": row["object_id"],
        "detail": row["detail"],
        "trace_id": row["trace_id"],
        "audit_id": str(row["audit_id"]),
        "prev": bytes(row["prev"]).hex(),
        "hash": bytes(row["hash"]).hex(),
        "personal": dict(personal),
    }
    if kind == "jsonl":
        return _json.encode(told) + b"\n"
    told["detail"], told["personal"] = _json.encode(told["detail"]).decode(), _json.encode(personal).decode()
    return _csv_line(["" if told[name] is None else str(told[name]) for name in COLUMNS])


def _csv_line(cells: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow([f"'{cell}" if _LIKE_A_FORMULA.match(cell) else cell for cell in cells])
    return out.getvalue().encode()


def _read_cell(text: str) -> str:
    return text[1:] if text.startswith("'") and _LIKE_A_FORMULA.match(text) else text


def _row(told: dict[str, Any]) -> dict[str, Any]:
    return {
        **told,
        "at": datetime.fromisoformat(told["at"]),
        "prev": bytes.fromhex(told["prev"]),
        "hash": bytes.fromhex(told["hash"]),
    }

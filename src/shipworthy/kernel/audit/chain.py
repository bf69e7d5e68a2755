"""The chain: each sealed row's hash covers its content, its position and the row before.

    hash = SHA-256(prev || canonical JSON of (seq, audit_id, at, actor, action, object, detail, trace))

so that an edit, a deletion, an insertion or a swap breaks every later hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

GENESIS = bytes(32)
_json = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True)
class Break:
    """The first place where the chain does not hold."""

    seq: int
    reason: str


def seal(row: Mapping[str, Any], *, seq: int, prev: bytes) -> bytes:
    """Return the hash of one row in its place."""
    content = [
        seq,
        str(row["audit_id"]),
        row["at"].isoformat(),
        str(row["actor_id"]) if row["actor_id"] else None,
        row["action"],
        row["object_type"],
        row["object_id"],
        row["detail"],
        row["trace_id"],
    ]
    return hashlib.sha256(prev + _json.encode(content)).digest()


def first_break(rows: Iterable[Mapping[str, Any]], *, seq: int = 0, prev: bytes = GENESIS) -> Break | None:
    """Return where the chain of sealed rows, in order, stops holding; None when it holds."""
    for row in rows:
        seq += 1
        if row["seq"] != seq:
            return Break(seq, f"row {seq} is missing; the next one is {row['seq']}")
        if bytes(row["prev"]) != prev:
            return Break(seq, f"row {seq} does not follow the row before it")
        if bytes(row["hash"]) != (prev := seal(row, seq=seq, prev=prev)):
            return Break(seq, f"row {seq} was changed after it was sealed")
    return None

"""A Merkle tree over the ends of all chains: one hash stands for them all, and a short path proves one of them.

Whoever holds the path of one tenant learns nothing of the others but hashes.
Source:  RFC 9162, 2.1 (leaves and inner nodes are hashed differently, so that none passes for the other).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence

EMPTY = hashlib.sha256(b"").digest()


def leaf_of(tenant_id: uuid.UUID, *, seq: int, head: bytes) -> bytes:
    """Return the leaf of one chain's end."""
    return hashlib.sha256(b"\0" + tenant_id.bytes + seq.to_bytes(8, "big") + head).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the one hash that stands for all leaves in their order."""
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else EMPTY


def path_of(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from one leaf to the root, nearest first."""
    path, level = [], list(leaves)
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside])
        level, index = _above(level), index // 2
    return path


def root_by(leaf: bytes, *, index: int, leaves: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root to which a path leads from a leaf; None where the path has another length than it must."""
    if not 0 <= index < leaves:
        return None
    found, steps = leaf, iter(path)
    while leaves > 1:
        if index ^ 1 < leaves:
            beside = next(steps, None)
            if beside is None:
                return None
            found = _node(beside, found) if index % 2 else _node(found, beside)
        index, leaves = index // 2, (leaves + 1) // 2
    return found if next(steps, None) is None else None


def _above(level: Sequence[bytes]) -> list[bytes]:
    """The level above; the last of an odd number is carried up as it is."""
    pairs = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()

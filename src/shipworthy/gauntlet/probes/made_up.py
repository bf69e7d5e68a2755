"""Ids that nobody has, in the shape of one that somebody has. Pure."""

from __future__ import annotations

import uuid


def made_up_like(value: str) -> str:
    """Return an id of the same shape that nobody has: a uuid for a uuid, else text or digits as long."""
    fresh = uuid.uuid4()
    if is_uuid(value):
        return str(fresh)
    return str(fresh.int)[: max(9, len(value))] if value.isdigit() else f"nobody-{fresh.hex[:12]}"


def is_uuid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True

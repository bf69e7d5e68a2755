"""Refresh tokens: a program's id, a counter, and a proof that we wrote both. Kept nowhere.

The successor of a token follows from it, so whoever comes second within the grace gets the very
same one: no fork to hide in. Whoever comes later holds a copy.
"""

from __future__ import annotations

import base64
import hmac
import re
import uuid
from dataclasses import dataclass

_USE = b"shipworthy/auth/refresh-token/1\x00"  # keeps other uses of the signing key apart from this one
_PREFIX = "swr1"  # so that scanners of leaked secrets can know one
_PROOF_BYTES = 16
_SHAPE = re.compile(rf"{_PREFIX}\.([0-9a-f]{{32}})\.(0|[1-9][0-9]{{0,17}})\.([A-Za-z0-9_-]{{22}})")


@dataclass(frozen=True, kw_only=True)
class RefreshToken:
    """What a refresh token says."""

    program_id: uuid.UUID
    counter: int


def write(signing_key: bytes, *, realm_id: uuid.UUID, program_id: uuid.UUID, counter: int) -> str:
    """Return the token of this program and counter: always the same one."""
    proof = _proof(signing_key, realm_id, program_id, counter)
    return f"{_PREFIX}.{program_id.hex}.{counter}.{proof}"


def read(signing_key: bytes, token: str, *, realm_id: uuid.UUID) -> RefreshToken | None:
    """Return what a token of ours says, or None for anything else."""
    shape = _SHAPE.fullmatch(token)
    if shape is None:
        return None
    program_id, counter = uuid.UUID(hex=shape[1]), int(shape[2])
    if not hmac.compare_digest(shape[3], _proof(signing_key, realm_id, program_id, counter)):
        return None
    return RefreshToken(program_id=program_id, counter=counter)


def _proof(signing_key: bytes, realm_id: uuid.UUID, program_id: uuid.UUID, counter: int) -> str:
    said = _USE + realm_id.bytes + program_id.bytes + counter.to_bytes(8, "big")
    mac = hmac.digest(signing_key, said, "sha256")[:_PROOF_BYTES]
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")

"""Tokens of mailed links: recomputed where they are needed, kept nowhere.

A token is an HMAC of its id under the installation's signing key. The database holds only its
hash, the job that mails it carries only its id, and a stolen copy of either opens nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid

_USE = b"shipworthy/auth/one-time-token/1\x00"  # keeps other uses of the key apart from this one
_CODE_USE = b"shipworthy/auth/one-time-code/1\x00"
_CODE_DIGITS = 8


def mint(signing_key: bytes, *, realm_id: uuid.UUID, token_id: uuid.UUID) -> str:
    """Return the token of this id: 43 URL-safe characters, always the same ones."""
    mac = hmac.digest(signing_key, _USE + realm_id.bytes + token_id.bytes, "sha256")
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def mint_code(signing_key: bytes, *, realm_id: uuid.UUID, token_id: uuid.UUID) -> str:
    """Return the code of this id, for a person to type: eight digits, always the same ones."""
    mac = hmac.digest(signing_key, _CODE_USE + realm_id.bytes + token_id.bytes, "sha256")
    return str(int.from_bytes(mac, "big") % 10**_CODE_DIGITS).zfill(_CODE_DIGITS)


def is_code(signing_key: bytes, given: str, *, realm_id: uuid.UUID, token_id: uuid.UUID) -> bool:
    """Whether somebody typed the code of this id; spaces do not matter."""
    right = mint_code(signing_key, realm_id=realm_id, token_id=token_id)
    digits = "".join(given.split())
    return hmac.compare_digest(digits.encode("utf-8", "surrogateescape"), right.encode())


def digest(token: str) -> bytes:
    """Return what the database knows of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()

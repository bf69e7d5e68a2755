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


def mint(signing_key: bytes, *, realm_id: uuid.UUID, token_id: uuid.UUID) -> str:
    """Return the token of this id: 43 URL-safe characters, always the same ones."""
    mac = hmac.digest(signing_key, _USE + realm_id.bytes + token_id.bytes, "sha256")
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def digest(token: str) -> bytes:
    """Return what the database knows of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()

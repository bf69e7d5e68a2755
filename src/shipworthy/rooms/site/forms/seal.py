"""The seal of the second step: when what was written was shown, unchanged since, and sent once. Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

SOON_S, LATE_S = 2.0, 3600.0
_NONCE_CHARS = 22  # of 128 random bits


@dataclass(frozen=True)
class Seal:
    """An opened seal: how long ago it was made, and the id that what is sent with it has."""

    age_s: float
    message_id: uuid.UUID


def seal(key: bytes, of: str, values: Mapping[str, str], *, now_s: float) -> str:
    """Return a seal of what somebody wrote into the form `of`."""
    nonce = secrets.token_urlsafe(16)
    return f"{int(now_s)}.{nonce}.{_mac(key, of, values, str(int(now_s)), nonce)}"


def opened(key: bytes, of: str, values: Mapping[str, str], text: str, *, now_s: float) -> Seal | None:
    """Return the seal when it is ours and nothing was changed since; else None."""
    at, _, rest = text.partition(".")
    nonce, _, mac = rest.partition(".")
    is_shaped = at.isascii() and at.isdecimal() and len(at) <= 12 and len(nonce) == _NONCE_CHARS
    if not is_shaped or not hmac.compare_digest(_mac(key, of, values, at, nonce).encode(), mac.encode()):
        return None
    return Seal(now_s - int(at), uuid.uuid5(uuid.NAMESPACE_URL, f"{of}#{nonce}"))


def _mac(key: bytes, of: str, values: Mapping[str, str], at: str, nonce: str) -> str:
    told = json.dumps([of, sorted(values.items()), at, nonce], ensure_ascii=True).encode()
    return hmac.new(key, b"form:" + told, hashlib.sha256).hexdigest()

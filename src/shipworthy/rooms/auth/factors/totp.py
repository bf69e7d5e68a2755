"""Time-based one-time passwords, as every authenticator app makes them.

Source:  RFC 6238 and RFC 4226; the address of the QR code as Google Authenticator reads it.
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20  # as long as the hash, RFC 4226 section 4
_STEPS_OFF = (0, -1, 1)  # a clock may be one step off either way


def code_at(secret: bytes, step: int, *, digits: int = DIGITS) -> str:
    """Return the code of this time step."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def step_of(secret: bytes, code: str, *, now: datetime) -> int | None:
    """Return the time step whose code this is, at most one away from now; None where it is none."""
    current = int(now.timestamp()) // STEP_S
    given = code.encode("utf-8", "surrogateescape")
    matching = [
        current + off
        for off in _STEPS_OFF
        if hmac.compare_digest(code_at(secret, current + off).encode(), given)
    ]
    return matching[0] if matching else None


def address(secret: bytes, *, issuer: str, account: str) -> str:
    """Return what the QR code says."""
    label = quote(f"{issuer}:{account}", safe="")
    query = urlencode({"secret": readable(secret), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"


def readable(secret: bytes) -> str:
    """Return the secret as people type it where they cannot scan."""
    return base64.b32encode(secret).decode().rstrip("=")

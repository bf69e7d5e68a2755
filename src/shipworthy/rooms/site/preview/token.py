"""Preview tokens: which page of which site somebody may look at, and until when. Pure.

A token stands in the query of an address: the lane logs paths and never queries, and the page it opens sends no
referrer. It is bound to the site, so that one of another site, or of another tenant's page, opens nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from datetime import datetime, timedelta

TOKEN_TTL_S = 3600
PARAMETER = "preview"
_LABEL = b"site.preview.1"  # what else the installation's key signs begins with another word
_MAC_BYTES, _TIME_BYTES, _ID_BYTES = 32, 8, 16


def make_token(key: bytes, *, site_id: uuid.UUID, page_id: uuid.UUID, now: datetime) -> str:
    """Return a token for one page of a site, good for an hour."""
    expires_at = int((now + timedelta(seconds=TOKEN_TTL_S)).timestamp())
    body = page_id.bytes + expires_at.to_bytes(_TIME_BYTES)
    return base64.urlsafe_b64encode(body + _mac(key, site_id, body)).decode().rstrip("=")


def page_of(key: bytes, token: str, *, site_id: uuid.UUID, now: datetime) -> uuid.UUID | None:
    """Return the page a token opens on this site; None for every other text, and for one that has ended."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _ID_BYTES + _TIME_BYTES + _MAC_BYTES:
        return None
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, site_id, body)):
        return None
    is_over = int.from_bytes(body[_ID_BYTES:]) <= now.timestamp()
    return None if is_over else uuid.UUID(bytes=body[:_ID_BYTES])


def _mac(key: bytes, site_id: uuid.UUID, body: bytes) -> bytes:
    return hmac.digest(key, _LABEL + site_id.bytes + body, "sha256")

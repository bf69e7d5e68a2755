"""Signed addresses of stored files: whoever has one reads that file until it expires, and no other.

    link = ctx.runtime.file_links.sign(key, name="2026-00001.pdf", now=ctx.now(), ttl_s=3600)
    link.path                  # /files/<tenant>/<kind>/<file>?…, the same for everybody within the hour
    link.expires_at

The console serves these paths (`files/web.py`). Another host serves them itself: it gives the path's three parts
and its query to `open`, which returns what to fetch from `ctx.runtime.files`, or refuses. `shared=True` is for what
anybody may see: caches on the way may keep it then.

Rotation: two keys may live at once (SHIPWORTHY_FILES_KEYS), the first signs, both open.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, urlencode

import msgspec

from shipworthy.kernel.errors import Forbidden

PREFIX = "/files/"
KEYS_MAX = 2
KEY_CHARS_MIN = 32
_USE = b"shipworthy file link 1"
_MAC_BYTES = 16  # 128 bits: nobody guesses one, and an address stays short
_KEY_ID_CHARS = 8

Show = Literal["inline", "attachment"]


class LinkQuery(msgspec.Struct):
    """The query of a signed address. All text: what was tampered with is refused, not explained."""

    name: str = ""
    show: str = ""
    cache: str = ""
    expires: str = ""
    kid: str = ""
    sig: str = ""


@dataclass(frozen=True, slots=True)
class SignedLink:
    """An address, without its host, and until when it opens."""

    path: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """What a valid address stands for. `max_age_s` is how long it still does."""

    key: str
    name: str
    show: Show
    is_shared: bool
    max_age_s: int


class FileLinks:
    """Signs and opens the addresses of one realm's files."""

    def __init__(self, *, keys: tuple[bytes, ...], realm_id: uuid.UUID) -> None:
        assert 1 <= len(keys) <= KEYS_MAX, "one key signs, one more may still open"
        self._realm_id = realm_id
        self._keys = {_key_id(key): key for key in keys}
        self._signs_with = _key_id(keys[0])

    def sign(
        self,
        key: str,
        *,
        name: str,
        now: datetime,
        ttl_s: int,
        show: Show = "attachment",
        shared: bool = False,
    ) -> SignedLink:
        """Return the address of the object `key`, to be saved as `name`; `show="inline"` opens PDFs and pictures.

        It opens for `ttl_s` to twice that: the end is rounded, so that within each `ttl_s` everybody gets one
        and the same address, and a cache can keep what it stands for.
        """
        expires = (int(now.timestamp()) // ttl_s + 2) * ttl_s
        told = LinkQuery(
            name=name,
            show=show,
            cache="public" if shared else "private",
            expires=str(expires),
            kid=self._signs_with,
        )
        told.sig = self._proof(key, told)
        query = urlencode(msgspec.structs.asdict(told), quote_via=quote)
        return SignedLink(f"{PREFIX}{quote(key)}?{query}", datetime.fromtimestamp(expires, UTC))

    def open(self, key: str, told: LinkQuery, *, now: datetime) -> Opened:
        """Return what the address stands for.

        Errors:  Forbidden `files.link_refused` where anything in it was changed or its key is none of ours (any
                 longer), `files.link_expired` where it was valid once.
        """
        is_ours = told.kid in self._keys and hmac.compare_digest(
            told.sig.encode(), self._proof(key, told).encode()
        )
        if not is_ours:
            raise Forbidden(
                "files.link_refused", "This link is not valid. Ask whoever gave it to you for a new one."
            )
        left_s = int(told.expires) - int(now.timestamp())
        if left_s <= 0:
            raise Forbidden(
                "files.link_expired", "This link has expired. Ask whoever gave it to you for a new one."
            )
        show: Show = "inline" if told.show == "inline" else "attachment"
        return Opened(key, told.name, show, told.cache == "public", left_s)

    def _proof(self, key: str, told: LinkQuery) -> str:
        # A null cannot stand in any of the parts (binding.py and router.py refuse it), so it parts them.
        said = "\0".join((key, told.name, told.show, told.cache, told.expires, told.kid))
        secret = self._keys[told.kid]
        mac = hmac.digest(secret, _USE + self._realm_id.bytes + said.encode(), "sha256")[:_MAC_BYTES]
        return urlsafe_b64encode(mac).rstrip(b"=").decode()


def key_of(signing_key: bytes) -> bytes:
    """Return the key of an installation that names none for its files."""
    return hmac.digest(signing_key, _USE, "sha256")


def _key_id(key: bytes) -> str:
    return hashlib.sha256(_USE + b" id" + key).hexdigest()[:_KEY_ID_CHARS]

"""Addresses of pictures: they follow from the picture's row alone, so a page needs nothing else. Pure.

The key in an address names one upload and its bytes: under one address there is never another picture.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, NamedTuple

from shipworthy.kernel.files.store import object_key

Row = Mapping[str, Any]

PREFIX, PRIVATE_PREFIX = "/_a", "/_p"
WIDTHS = (320, 480, 640, 960, 1280, 1920)
FORMATS = ("avif", "webp", "jpg")  # the best first
KIND, PRIVATE_KIND = "asset", "private"  # a private picture lies where no public address leads
_KEY_CHARS = 16
_SLUG_CHARS_MAX = 60
_ADDRESS = re.compile(rb"/_[ap]/([0-9a-f]{16})/([a-z0-9-]{1,60})-([1-9][0-9]{0,3})\.(avif|webp|jpg)")
_IN_HTML = re.compile(r"/_a/([0-9a-f]{16})/")


class Asked(NamedTuple):
    """What an address asks for."""

    key: str
    slug: str
    width: int
    format: str


def key_of(asset_id: uuid.UUID, content_sha256: bytes) -> str:
    """Return the key of a picture: of this upload and these bytes."""
    return hashlib.sha256(asset_id.bytes + content_sha256).hexdigest()[:_KEY_CHARS]


def slug_of(name: str) -> str:
    """Return a file's name as it stands in its addresses: search engines read it."""
    stem = PurePath(name.replace("\\", "/")).stem
    letters = (
        unicodedata.normalize("NFKD", stem.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    )
    return "-".join(re.findall(r"[a-z0-9]+", letters))[:_SLUG_CHARS_MAX].strip("-") or "picture"


def widths_of(width: int) -> tuple[int, ...]:
    """Return in which widths a picture is kept: never wider than it is."""
    return tuple(sorted({*(w for w in WIDTHS if w < width), min(width, WIDTHS[-1])}))


def asset_object(key: str) -> str:
    """Return how a picture with all its forms is called in the ledger of what a tenant keeps."""
    return f"asset/{key}"


def height_at(width: int, *, of: tuple[int, int]) -> int:
    return max(1, round(of[1] * width / of[0]))


def address(asset: Row, width: int, format: str) -> str:
    """Return where one form of a picture is, on the site's own host; a private one opens with a signature only."""
    return (
        f"{PRIVATE_PREFIX if asset['is_private'] else PREFIX}/{asset['key']}/{asset['slug']}-{width}.{format}"
    )


def asked_for(raw_path: bytes) -> Asked | None:
    """Return what a request line asks for; None for what is no picture's address."""
    found = _ADDRESS.fullmatch(raw_path)
    if found is None:
        return None
    key, slug, width, format = (part.decode() for part in found.groups())
    return Asked(key, slug, int(width), format) if int(width) <= WIDTHS[-1] else None


def keys_in(html: str) -> list[str]:
    """Return the keys of the pictures that HTML shows, each once, in order."""
    return list(dict.fromkeys(_IN_HTML.findall(html)))


def master_object(tenant_id: uuid.UUID, key: str, slug: str, *, is_private: bool = False) -> str:
    """Return where the file store has the picture everything is made of."""
    return object_key(tenant_id, PRIVATE_KIND if is_private else KIND, f"{key}/{slug}")


def variant_object(
    tenant_id: uuid.UUID, key: str, slug: str, width: int, format: str, *, is_private: bool = False
) -> str:
    return object_key(tenant_id, PRIVATE_KIND if is_private else KIND, f"{key}/{slug}-{width}.{format}")

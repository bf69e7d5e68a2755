"""Addresses: one canonical form for every path, decided in one place. Pure."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from shipworthy.kernel.errors import Invalid

_PATH_CHARS_MAX = 300
_SEGMENT = re.compile(r"[\w~.-]+", re.UNICODE)
# Addresses the lane answers itself; a page there would never be seen.
RESERVED = frozenset({"/robots.txt", "/sitemap.xml", "/favicon.ico", "/.well-known"})


def canonical_path(path: str) -> str:
    """Return the one form of `path`: NFC, lower case, no empty or dot segments, no slash at the end.

    `path` is percent-decoded already. Idempotent.
    """
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).lower())
    segments: list[str] = []
    for segment in text.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    return "/" + "/".join(segments)


def wanted_path(text: str) -> str:
    """Return the canonical path a person typed for a page.

    Errors:  Invalid `site.path_invalid` naming what may stand in an address.
    """
    path = canonical_path("/" + text.strip().replace(" ", "-"))
    fits = path == "/" or all(_SEGMENT.fullmatch(s) for s in path[1:].split("/"))
    reserved = any(path == r or path.startswith(r + "/") for r in RESERVED)
    if len(path) > _PATH_CHARS_MAX or not fits or reserved:
        message = "An address may hold letters, digits, dots, hyphens and slashes, at most 300 characters."
        if reserved:
            message = f"{path} belongs to the website itself. Choose another address."
        raise Invalid("site.path_invalid", message, fields={"path": message})
    return path


def encoded(path: str) -> str:
    """Return a path as it stands in a URL."""
    return quote(path, safe="/~.-_")

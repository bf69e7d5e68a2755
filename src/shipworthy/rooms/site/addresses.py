"""Addresses: one canonical form for every path, decided in one place. Pure."""

from __future__ import annotations

import re
import unicodedata
import uuid
from urllib.parse import quote, unquote_to_bytes

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _

HOME = "/"
PATH_CHARS_MAX = 300
_SLUG_CHARS_MAX = 80
_NUMBER_CHARS = 6  # of the page's id, behind an address that is taken
_SLUG_FALLBACK = "page"  # for a title without a letter or digit
ROBOTS_PATH, SITEMAP_PATH = "/robots.txt", "/sitemap.xml"
_SITEMAP_PART = re.compile(r"/sitemap-[1-9][0-9]{0,5}\.xml")
RSS_PATH, ATOM_PATH = "/feed.xml", "/atom.xml"
# Addresses the lane answers itself; a page there would never be seen.
RESERVED = (
    ROBOTS_PATH,
    SITEMAP_PATH,
    RSS_PATH,
    ATOM_PATH,
    "/favicon.ico",
    "/.well-known",
    "/-",
    "/_a",
    "/_p",
)


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


def requested_path(raw_path: bytes) -> str | None:
    """Return the canonical path a request line asks for, or None for one that no page can have."""
    try:
        path = canonical_path(unquote_to_bytes(raw_path).decode("utf-8"))
    except UnicodeDecodeError:
        return None
    return path if _is_possible(path) else None


def wanted_path(text: str) -> str:
    """Return the canonical path a person typed for a page.

    Errors:  Invalid `site.path_invalid` naming what may stand in an address.
    """
    path = canonical_path("/" + "-".join(text.split()))
    if not _is_possible(path):
        raise _invalid(
            _(
                "An address may hold letters, digits, dots, hyphens and slashes, at most {count} characters.",
                count=PATH_CHARS_MAX,
            )
        )
    if is_sitemap(path) or any(path == r or path.startswith(r + "/") for r in RESERVED):
        raise _invalid(_("{path} belongs to the website itself. Choose another address.", path=path))
    return path


def path_for_title(title: str) -> str:
    """Return an address made from a title: /spring-offer for “Spring offer!”."""
    text = unicodedata.normalize("NFKD", title.replace("ß", "ss")).lower()
    letters = "".join(char for char in text if not unicodedata.combining(char))
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", letters))
    return wanted_path("-".join(words)[:_SLUG_CHARS_MAX].strip("-") or _SLUG_FALLBACK)


def numbered_path(path: str, page_id: uuid.UUID) -> str:
    """Return an address beside one that is taken: with the end of the page's id behind it."""
    number = f"-{page_id.hex[-_NUMBER_CHARS:]}"
    return path[: PATH_CHARS_MAX - len(number)] + number


def above(path: str) -> list[str]:
    """Return every address above this one, the highest first; the home page is above none."""
    return [path[:end] for end in range(1, len(path)) if path[end] == "/"]


def part_path(number: int) -> str:
    """Return where a part of a large site's sitemap is."""
    return f"/sitemap-{number}.xml"


def is_sitemap(path: str) -> bool:
    return path == SITEMAP_PATH or _SITEMAP_PART.fullmatch(path) is not None


def encoded(path: str) -> str:
    """Return a path as it stands in a URL."""
    return quote(path, safe="/~.-_")


def _is_possible(path: str) -> bool:
    return len(path) <= PATH_CHARS_MAX and all(map(_may_stand_in_path, path))


def _may_stand_in_path(char: str) -> bool:
    # Marks (M) as well as letters and numbers: without them no address can be written in Hindi or Thai.
    return char in "/~.-_" or unicodedata.category(char)[0] in "LMN"


def _invalid(message: str) -> Invalid:
    return Invalid("site.path_invalid", message, fields={"path": message})

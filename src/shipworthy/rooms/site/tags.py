"""Tags: what an answer was made of, so that a change drops what it touches and nothing else. Pure.

An answer carries them while it is kept here, and tells them to a CDN (Surrogate-Key, Cache-Tag).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable

MENU, THEME, SITEMAP, PICTURES = "menu", "theme", "sitemap", "pictures"
EVERYTHING = "*"  # of a site, whatever it was made of
LOOK = "look"  # said beside it when what is known of the hosts changed too


def path_tag(path: str) -> str:
    """Return the tag of an address: of its page, of the ways of writing it, and of there being nothing."""
    return f"p{hashlib.sha256(path.encode()).hexdigest()[:16]}"


def crumb_tag(path: str) -> str:
    """Return the tag of a page's title on the pages below it."""
    return f"c{path_tag(path)[1:]}"


def surrogate_keys(site_id: uuid.UUID, tags: Iterable[str]) -> list[str]:
    """Return the names a CDN keeps an answer under: the site's own, and each tag's within it."""
    site = site_id.hex[:16]
    return [site, *(f"{site}-{tag}" for tag in tags if tag != EVERYTHING)]

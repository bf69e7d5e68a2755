"""Rendering a published page: the theme around its text, as bytes ready to send.

Pure but for the template environment it is given. Every address in a page comes from the page
and the site's own host: nothing a visitor sends can reach it.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import brotli

from shipworthy.kernel.http.pages import Pages
from shipworthy.kernel.settings import Settings
from shipworthy.rooms.site.addresses import ATOM_PATH, HOME, RSS_PATH, above, encoded
from shipworthy.rooms.site.assets.picture import lead_link
from shipworthy.rooms.site.head import head_of
from shipworthy.rooms.site.menus.entries import menus_of
from shipworthy.rooms.site.policy import source_of
from shipworthy.rooms.site.tags import MENU, THEME, crumb_tag, path_tag
from shipworthy.rooms.site.themes import STYLE_SOURCES, STYLES
from shipworthy.rooms.site.visits.beacon import SCRIPT_SOURCE

HTML = "text/html; charset=utf-8"
# Each has its colours in theme.css; this one is for the icon, which no stylesheet reaches.
ACCENTS = {"ocean": "#0b5cad", "pine": "#0f6b4f", "brick": "#b03a1e", "plum": "#7a2e8c"}
_GZIP_LEVEL = 6  # 9 makes a page no smaller and costs twice the time
_BROTLI_QUALITY = 5  # 9 % smaller than gzip in 0.36 ms; 4 gains 2 %, 11 gains 17 % and takes 19 ms (2026-11)
_GZIP_WINDOW = zlib.MAX_WBITS | 16  # gzip's frame around it

# The theme's own words, in the languages an app may have.
WORDS = {
    "en": {
        "skip": "Skip to content",
        "menu": "Main menu",
        "footer_menu": "Menu at the end",
        "below": "Below",
        "crumbs": "You are here",
        "start": "Home",
        "missing_title": "There is no page here",
        "missing_text": "It may have been moved or taken down, or the link may be incomplete.",
        "gone_title": "This page is gone",
        "gone_text": "It was taken down for good. What you look for may stand elsewhere on this website.",
        "home": "Go to the home page",
        "preview": "Preview. Visitors do not see this version until you publish it.",
    },
    "de": {
        "skip": "Zum Inhalt springen",
        "menu": "Hauptmenü",
        "footer_menu": "Menü am Seitenende",
        "below": "Darunter",
        "crumbs": "Sie sind hier",
        "start": "Startseite",
        "missing_title": "Hier ist keine Seite",
        "missing_text": "Vielleicht ist sie umgezogen oder nicht mehr da, oder der Link ist unvollständig.",
        "gone_title": "Diese Seite gibt es nicht mehr",
        "gone_text": "Sie wurde entfernt. Vielleicht steht, was Sie suchen, an anderer Stelle dieser Website.",
        "home": "Zur Startseite",
        "preview": "Vorschau. Besucher sehen diese Fassung erst, wenn Sie sie veröffentlichen.",
    },
}

Row = Mapping[str, Any]
Menu = Sequence[Sequence[str]]  # path and title of each page in it


# Which of a page's links a browser may fetch ahead, when somebody is about to follow one.
_AHEAD = (
    '{"prefetch":[{"where":{"and":[{"href_matches":"/*"},{"not":{"href_matches":"/*\\\\?*"}},'
    '{"not":{"href_matches":"/forms/*"}},{"not":{"selector_matches":"[rel~=nofollow]"}}]},"eagerness":"moderate"}]}'
)
# What a page may do: show itself and pictures, and say which of its links may be fetched ahead. One script,
# which counts a visit and connects to the site itself, as do instruments that read robots.txt in the page's name;
# no frame, nothing from elsewhere.
_MAY_SHOW = f"default-src 'none'; style-src {STYLE_SOURCES}; img-src 'self' https: data:; form-action 'self'; frame-ancestors 'none'"
CSP = f"{_MAY_SHOW}; script-src {source_of(_AHEAD)} {SCRIPT_SOURCE}; connect-src 'self'; base-uri 'none'"


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer ready to send. The etag names the plain bytes."""

    media_type: str
    etag: str
    body: bytes
    gzipped: bytes
    brotli: bytes = b""  # empty: not made
    tags: tuple[str, ...] = ()
    link: str = ""  # what to fetch before the page is read


def origin(settings: Settings, host: str) -> str:
    """Return scheme, host and port of a site: from settings and the domain record, never from a request."""
    port = settings.http.public_port
    default = {"http": 80, "https": 443}[settings.http.public_scheme]
    return f"{settings.http.public_scheme}://{host}" + (f":{port}" if port not in (0, default) else "")


def render_page(
    pages: Pages, page: Row, menu: Menu, *, site_origin: str, locale: str, script: str = ""
) -> Rendered:
    """Return a published page; its canonical address is a function of the page alone."""
    body = pages.render(
        "site/page.html", _shown(page, menu, site_origin, locale) | {"script": script, "ahead": _AHEAD}
    )
    link = lead_link(page["top_html"] + page["intro_html"] + page["body_html"])
    # The way down names the pages above, whether they are shown by now or not.
    tags = (path_tag(page["path"]), MENU, THEME, *map(crumb_tag, above(page["path"])))
    return replace(_ready_page(body, tags), link=link)


def render_missing(
    pages: Pages, site: Row, menu: Menu, *, site_origin: str, locale: str, status: int = 404
) -> Rendered:
    """Return what stands where no page is, or (410) none any more. It has no canonical address: it is no page."""
    shown = _around(site, menu, site_origin, locale, path="") | {"status": status}
    return _ready_page(pages.render("site/missing.html", shown), (MENU, THEME))


def render_form_step(
    pages: Pages, site: Row, menu: Menu, step: Row, *, site_origin: str, locale: str
) -> bytes:
    """Return what follows a form that was sent; it is of one visitor, and kept by nobody."""
    return pages.render(
        "site/form_step.html", _around(site, menu, site_origin, locale, path="") | {"step": step}
    )


def render_preview(pages: Pages, page: Row, menu: Menu, *, site_origin: str, locale: str) -> bytes:
    """Return a page as it would look; its links lead to the site and not into the console."""
    shown = _shown(page, menu, site_origin, locale) | {
        "preview": True,
        "base": site_origin + encoded(page["path"]),
    }
    return pages.render("site/page.html", shown)


def preview_csp(site_origin: str, *, frame_ancestors: Sequence[str]) -> str:
    """Return the policy of a preview: no script, pictures of the site itself, links in tabs of their own, and a
    frame only in the console."""
    may_show = _MAY_SHOW.replace("img-src 'self'", f"img-src 'self' {site_origin}")
    may_show = may_show.replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(frame_ancestors)}")
    sandbox = "sandbox allow-popups allow-popups-to-escape-sandbox"
    return f"{sandbox}; {may_show}; base-uri {site_origin}"


def ready(media_type: str, body: bytes) -> Rendered:
    """Compress once, name once."""
    name = hashlib.sha256(body).hexdigest()[:20]
    return Rendered(media_type, f'"{name}"', body, _compressed(body))


def _ready_page(body: bytes, tags: tuple[str, ...]) -> Rendered:
    packed = brotli.compress(body, mode=brotli.MODE_TEXT, quality=_BROTLI_QUALITY)
    return replace(ready(HTML, body), brotli=packed, tags=tags)


def _compressed(body: bytes) -> bytes:
    """Return the body as gzip. Pages begin alike, up to the end of their styles: that part is compressed
    once for all of them, and it is two thirds of a page."""
    beginning, mark, rest = body.partition(b"</style>")
    if not mark:
        return gzip.compress(body, _GZIP_LEVEL, mtime=0)
    so_far, compressor = _begun(beginning)
    going_on = compressor.copy()
    return b"".join((so_far, going_on.compress(mark + rest), going_on.flush()))


@lru_cache(maxsize=32)  # languages times themes times accents
def _begun(beginning: bytes) -> tuple[bytes, Any]:
    compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return compressor.compress(beginning), compressor


def _shown(page: Row, menu: Menu, site_origin: str, locale: str) -> dict[str, Any]:
    return _around(page, menu, site_origin, locale, path=page["path"]) | {
        "head": head_of(page, site_origin=site_origin, locale=locale, start=WORDS[locale]["start"]),
        "crumbs": [{"href": encoded(there), "title": title} for there, title in page["crumbs"]],
        "title": page["title"],
        "home": page["path"] == HOME,
        "top": page["top_html"],
        "intro": page["intro_html"],
        "body": page["body_html"],
    }


def _around(site: Row, menu: Menu, site_origin: str, locale: str, *, path: str) -> dict[str, Any]:
    """Return what stands around every page: the site's name, its menu, its look."""
    return {
        "lang": locale,
        "words": WORDS[locale],
        "site": {"title": site["site_title"], "tagline": site["tagline"], "accent": site["accent"]},
        "menus": menus_of(menu, site["menu_items"], path=path),
        "style": STYLES[site["theme"]],
        "feeds": {"rss": RSS_PATH, "atom": ATOM_PATH},
        "icon": _icon(site["site_title"], ACCENTS[site["accent"]]),
    }


def _icon(site_title: str, colour: str) -> str:
    """Return the site's initial in its colour, as an address."""
    letter = site_title[0].upper().replace("&", "&amp;").replace("<", "&lt;")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="{colour}"/>'
        f'<text x="16" y="23" font-family="sans-serif" font-size="20" font-weight="700" text-anchor="middle" fill="#fff">{letter}</text></svg>'
    )
    return "data:image/svg+xml," + quote(svg, safe="/:='")

"""Rendering a published page: Markdown to clean HTML, the theme around it, bytes ready to send. Pure
but for the template environment it is given."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nh3
from markdown_it import MarkdownIt

from shipworthy.kernel.http.pages import Pages
from shipworthy.kernel.settings import Settings
from shipworthy.rooms.site.addresses import encoded

_THEME = Path(__file__).parent / "templates"
STYLE = (_THEME / "theme.css").read_text(encoding="utf-8")
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# What a published page may do: show itself and pictures. No script, no frame, nothing from elsewhere.
CSP = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; img-src 'self' https: data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
THEME_VERSION = hashlib.sha256(
    (STYLE + (_THEME / "page.html").read_text(encoding="utf-8")).encode()
).hexdigest()[:12]

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_TAGS = {
    "p", "h2", "h3", "h4", "ul", "ol", "li", "a", "em", "strong", "s", "code", "pre", "blockquote", "hr", "br", "img",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "th": {"align"},
    "td": {"align"},
    "ol": {"start"},
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer ready to send. The etag names the plain bytes."""

    media_type: str
    etag: str
    body: bytes
    gzipped: bytes


def origin(settings: Settings, host: str) -> str:
    """Return scheme, host and port of a site. From settings and the domain record, never from a request."""
    port = settings.http.public_port
    default = {"http": 80, "https": 443}[settings.http.public_scheme]
    return f"{settings.http.public_scheme}://{host}" + (f":{port}" if port not in (0, default) else "")


def revision(site_origin: str) -> str:
    """Name what a render depends on beside its content."""
    return f"{THEME_VERSION}@{site_origin}"


def body_html(markdown: str) -> str:
    """Return clean HTML. The page's title is its only h1, so the body's headings start at h2."""
    tokens = _MARKDOWN.parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = (
                f"h{min(int(token.tag[1]) + 1, 4)}" if token.tag == "h1" else f"h{min(int(token.tag[1]), 4)}"
            )
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto", "tel"})


def render_page(
    pages: Pages, page: Mapping[str, Any], menu: Sequence[Mapping[str, Any]], *, site_origin: str, locale: str
) -> Rendered:
    """Return a published page; its canonical address is a function of the page alone."""
    canonical = site_origin + encoded(page["path"])
    data = {
        "lang": locale,
        "title": page["title"],
        "description": page["description"],
        "canonical": canonical,
        "site": {"title": page["site_title"], "tagline": page["tagline"]},
        "menu": [
            {"href": encoded(m["path"]), "title": m["title"], "here": m["path"] == page["path"]} for m in menu
        ],
        "home": page["path"] == "/",
        "body": body_html(page["body"]),
        "style": STYLE,
        "changed": page["content_changed_at"],
        "json_ld": _json_ld(page, canonical),
    }
    return ready("text/html; charset=utf-8", pages.render("site/page.html", data))


def render_missing(pages: Pages, *, site_title: str, locale: str) -> bytes:
    """Return the page for an address where nothing is. It has no canonical: it is no page."""
    return pages.render("site/missing.html", {"lang": locale, "site": {"title": site_title}, "style": STYLE})


def ready(media_type: str, body: bytes) -> Rendered:
    """Compress once, name once."""
    return Rendered(
        media_type, f'"{hashlib.sha256(body).hexdigest()[:20]}"', body, gzip.compress(body, 9, mtime=0)
    )


def sitemap_xml(paths: Sequence[tuple[str, datetime]], *, site_origin: str) -> bytes:
    """Return a sitemap (sitemaps.org 0.9). `lastmod` is when the content changed, not the build."""
    entries = "".join(
        f"<url><loc>{site_origin}{encoded(path)}</loc><lastmod>{changed.date().isoformat()}</lastmod></url>\n"
        for path, changed in paths
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
    ).encode()


def robots_txt(*, site_origin: str, is_primary: bool) -> bytes:
    """Return robots.txt. A host that is not the site's own is kept out of indexes by header instead:
    a crawler that may not fetch would never see the noindex."""
    if not is_primary:
        return b"User-agent: *\nAllow: /\n"
    return f"User-agent: *\nAllow: /\nSitemap: {site_origin}/sitemap.xml\n".encode()


def _json_ld(page: Mapping[str, Any], canonical: str) -> str:
    document = {
        "@context": "https://schema.org",
        "@type": "WebPage",
        "name": page["title"],
        "url": canonical,
        "description": page["description"],
        "isPartOf": {"@type": "WebSite", "name": page["site_title"]},
    }
    # "<" is escaped so that no title can end the script element.
    return json.dumps(document, ensure_ascii=False).replace("<", "\\u003c")

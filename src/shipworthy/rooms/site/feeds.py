"""What a site published last, as RSS and as Atom. Pure but for the one query that reads it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any

from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.rooms.site.addresses import ATOM_PATH, RSS_PATH, encoded
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.head import description_of
from shipworthy.rooms.site.render import Rendered, ready
from shipworthy.rooms.site.tags import SITEMAP

_RSS, _ATOM = "application/rss+xml; charset=utf-8", "application/atom+xml; charset=utf-8"
_NO_XML = {0xFFFE: None, 0xFFFF: None}  # not even escaped may these stand in XML
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


async def load_feed(
    tx: Tx, site_id: uuid.UUID, path: str, *, site_origin: str, locale: str
) -> Rendered | None:
    """Return the feed at `path`; None while nothing is published but the home page."""
    pages = await tx.all(q.feed_pages, site_id=site_id)
    if not pages:
        return None
    if path == ATOM_PATH:
        made = ready(_ATOM, atom(pages, site_origin=site_origin, locale=locale))
    else:
        made = ready(_RSS, rss(pages, site_origin=site_origin, locale=locale))
    return replace(made, tags=(SITEMAP,))


def rss(pages: Sequence[Record], *, site_origin: str, locale: str) -> bytes:
    """Return RSS 2.0; each item is known by its page's id, wherever that page moves. Source: rssboard.org."""
    items = "".join(
        f"<item><title>{_text(p['title'])}</title><link>{site_origin}{encoded(p['path'])}</link>"
        f'<guid isPermaLink="false">{_urn(p)}</guid><pubDate>{format_datetime(p["published_at"])}</pubDate>'
        f"<description>{_text(_summary(p))}</description></item>\n"
        for p in pages
    )
    site = pages[0]
    return (
        f'{_XML}<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f"<title>{_text(site['site_title'])}</title><link>{site_origin}/</link>"
        f"<description>{_text(site['tagline'] or site['site_title'])}</description><language>{locale}</language>"
        f'<atom:link href="{site_origin}{RSS_PATH}" rel="self" type="application/rss+xml"/>'
        f"<lastBuildDate>{format_datetime(_newest(pages))}</lastBuildDate>\n{items}</channel></rss>\n"
    ).encode()


def atom(pages: Sequence[Record], *, site_origin: str, locale: str) -> bytes:
    """Return Atom. Source: RFC 4287."""
    entries = "".join(
        f"<entry><title>{_text(p['title'])}</title><id>{_urn(p)}</id>"
        f'<link href="{site_origin}{encoded(p["path"])}"/><published>{_moment(p["published_at"])}</published>'
        f"<updated>{_moment(p['content_changed_at'])}</updated><summary>{_text(_summary(p))}</summary></entry>\n"
        for p in pages
    )
    site = pages[0]
    return (
        f'{_XML}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{locale}">'
        f"<title>{_text(site['site_title'])}</title><id>urn:uuid:{site['site_id']}</id>"
        f'<link href="{site_origin}/"/><link href="{site_origin}{ATOM_PATH}" rel="self"/>'
        f"<author><name>{_text(site['site_title'])}</name></author>"
        f"<updated>{_moment(_newest(pages))}</updated>\n{entries}</feed>\n"
    ).encode()


def _summary(page: Record) -> str:
    return description_of(page["description"], page["intro_html"])


def _newest(pages: Sequence[Record]) -> datetime:
    """When anything of it changed last: true, however often it is made."""
    newest: datetime = max(page["content_changed_at"] for page in pages)
    return newest


def _urn(page: Record) -> str:
    return f"urn:uuid:{page['page_id']}"


def _moment(when: Any) -> str:
    text: str = when.isoformat(timespec="seconds")
    return text


def _text(text: str) -> str:
    return escape(text.translate(_NO_XML), quote=False)

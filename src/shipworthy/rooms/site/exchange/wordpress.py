"""What a WordPress export holds, in the words of this room. Pure.

A page keeps the path it had, so that most links lead where they led; what WordPress kept from the public (drafts, what
waits for a review, private and password-protected posts) is a draft here and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from urllib.parse import unquote, urlsplit

import nh3

from shipworthy.rooms.site.exchange.items import Item
from shipworthy.rooms.site.exchange.places import picture_key
from shipworthy.rooms.site.exchange.wxr import Channel, Entry, read_wxr

Chunks = Callable[[], Iterable[bytes]]

_PICTURES = re.compile(r"\.(jpe?g|png|webp|avif|gif|svg|bmp|tiff?|heic)$", re.IGNORECASE)
_TERMS = {"wp:category": "category", "wp:tag": "tag", "wp:term": "term"}
_DRAFTS = {"draft": "", "private": "was_private", "pending": "was_pending"}
_LEFT = {"trash": "in_trash", "auto-draft": "no_text_yet", "inherit": "not_of_its_own"}
_TITLE_CHARS_MAX, _EXCERPT_CHARS_MAX = 200, 400
_WORDS_FOR_TITLE = 8


@dataclass(slots=True)
class Survey:
    """What has to be known of a whole file before its first item is taken."""

    channel: Channel
    base: str = ""  # the website's own address, without a slash at its end
    in_menu: set[str] = field(default_factory=set)  # ids of posts


def survey(chunks: Chunks) -> Survey:
    """Read a file once for what is said of the whole. Errors: Unreadable."""
    found = Survey(Channel())
    for entry in read_wxr(chunks(), found.channel):
        if (
            entry.texts.get("wp:post_type") == "nav_menu_item"
            and _first(entry, "_menu_item_type") == "post_type"
        ):
            found.in_menu.add(_first(entry, "_menu_item_object_id"))
    texts = found.channel.texts
    found.base = (texts.get("wp:base_blog_url") or texts.get("link") or "").rstrip("/")
    return found


def items_of(chunks: Chunks, known: Survey) -> Iterator[Item]:
    """Yield everything a file holds, and what follows from it: old addresses. Errors: Unreadable."""
    terms = []  # they come first in a file, and nobody wants to read them first
    for entry in read_wxr(chunks(), Channel()):
        if entry.name in _TERMS:
            terms.append(_term(entry))
            continue
        kind = entry.texts.get("wp:post_type", "")
        if kind in ("post", "page"):
            yield from _page(entry, kind, known)
        elif kind == "attachment":
            yield from _attachment(entry)
        elif kind == "nav_menu_item":
            yield _menu_entry(entry)
        else:
            yield _left_out(entry, kind or "item", "type_unknown")
    yield from terms


def _page(entry: Entry, kind: str, known: Survey) -> Iterator[Item]:
    texts, source_id = entry.texts, _id(entry)
    status = texts.get("wp:status", "")
    if status in _LEFT:
        yield _left_out(entry, kind, _LEFT[status])
        return
    item = Item(kind="page", source_id=source_id, label=kind, status="draft")
    item.title = _title(entry, item)
    item.path = _path(texts.get("link", "")) or unquote(texts.get("wp:post_name", ""))
    at = _moment(texts.get("wp:post_date_gmt", "")) or _moment(texts.get("wp:post_date", ""))
    if texts.get("wp:post_password"):
        item.note("had_password")
    elif status == "publish":
        item.status = "published"
    elif status == "future":
        item.publish_at = at
    elif _DRAFTS.get(status) is None:
        item.note("status_unknown", status[:40])
    elif _DRAFTS[status]:
        item.note(_DRAFTS[status])
    if entry.comments:
        item.note("comments_left", entry.comments)
    if names := [name for _, name in entry.terms if name]:
        item.note("terms_left", len(names))
    creator = texts.get("creator", "")
    item.data = {
        "content": texts.get("content:encoded", ""),
        "description": _shortened(plain(texts.get("excerpt:encoded", "")), _EXCERPT_CHARS_MAX),
        "author": (known.channel.authors.get(creator) or creator)[:100],
        "at": at.isoformat() if at and status == "publish" else "",
        "in_menu": source_id in known.in_menu,
        "format": "html",
    }
    yield item
    for slug in entry.meta.get("_wp_old_slug", []):
        old = re.sub(r"[^/]+/?$", "", _path(texts.get("link", ""))) + unquote(slug)
        if slug and item.status == "published":
            yield _redirect(f"{source_id}:slug:{slug}", old, source_id, item.title)


def _attachment(entry: Entry) -> Iterator[Item]:
    texts, source_id = entry.texts, _id(entry)
    address = texts.get("wp:attachment_url", "") or texts.get("guid", "")
    item = Item(
        kind="picture", source_id=source_id, label="attachment", title=_title(entry, None, fallback=address)
    )
    if not _PICTURES.search(urlsplit(address).path):
        item.reason = "no_picture"
    item.path = picture_key(address)
    alt = _shortened(plain(_first(entry, "_wp_attachment_image_alt")), 300)
    item.data = {"address": address[:2_000], "alt": alt, "name": item.title}
    yield item
    parent, old = texts.get("wp:post_parent", "0"), _path(texts.get("link", ""))
    if old and parent not in ("", "0"):
        yield _redirect(f"{source_id}:page", old, parent, item.title)


def _menu_entry(entry: Entry) -> Item:
    is_page = _first(entry, "_menu_item_type") == "post_type"
    item = _left_out(entry, "nav_menu_item", "menu_page" if is_page else "menu_other")
    item.title = item.title or plain(_first(entry, "_menu_item_url"))[:_TITLE_CHARS_MAX]
    return item


def _term(entry: Entry) -> Item:
    prefix = {
        "wp:category": ("wp:cat_name", "wp:category_nicename"),
        "wp:tag": ("wp:tag_name", "wp:tag_slug"),
    }
    name, slug = prefix.get(entry.name, ("wp:term_name", "wp:term_slug"))
    label = _TERMS[entry.name]
    title = plain(entry.texts.get(name, ""))[:_TITLE_CHARS_MAX]
    return Item(
        kind="other",
        source_id=f"{label}:{entry.texts.get(slug, '')[:150]}",
        label=label,
        title=title,
        reason="no_terms",
    )


def _redirect(source_id: str, old: str, to: str, title: str) -> Item:
    return Item(kind="redirect", source_id=source_id[:200], label="address", title=title, path=old, to=to)


def _left_out(entry: Entry, label: str, reason: str) -> Item:
    return Item(
        kind="other",
        source_id=_id(entry),
        label=label[:40],
        title=plain(entry.texts.get("title", ""))[:_TITLE_CHARS_MAX],
        reason=reason,
    )


def _title(entry: Entry, item: Item | None, *, fallback: str = "") -> str:
    """Return one line of plain words; an entry without a title is called after what it begins with."""
    title = plain(entry.texts.get("title", ""))
    if not title:
        text = plain(re.sub(r"<!--.*?-->|\[[^\]]*\]", " ", entry.texts.get("content:encoded", "")))
        words = text.split()[:_WORDS_FOR_TITLE]
        title = " ".join(words) or fallback.rpartition("/")[2] or entry.texts.get("wp:post_name", "") or "?"
        if item is not None:
            item.note("title_made")
    if len(title) > _TITLE_CHARS_MAX and item is not None:
        item.note("title_cut", _TITLE_CHARS_MAX)
    return title[:_TITLE_CHARS_MAX].strip()


def plain(html: str) -> str:
    """Return the words of HTML on one line, without tags, and without what no line may hold."""
    words = unescape(nh3.clean(html, tags=set(), clean_content_tags={"script", "style"}))
    return " ".join("".join(char for char in words if char.isprintable() or char.isspace()).split())


def _shortened(text: str, chars_max: int) -> str:
    if len(text) <= chars_max:
        return text
    return text[: chars_max - 1].rpartition(" ")[0].rstrip(" ,;:") + "…"


def _path(link: str) -> str:
    """Return the path of an address that names a page by its path; nothing of one that names it by its query."""
    try:
        url = urlsplit(link.strip())
    except ValueError:
        return ""
    return "" if url.query or (url.path.strip("/") == "" and "?" in link) else url.path


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None  # 0000-00-00 for what has no date yet


def _first(entry: Entry, key: str) -> str:
    return entry.meta.get(key, [""])[0]


def _id(entry: Entry) -> str:
    return (entry.texts.get("wp:post_id") or entry.texts.get("guid") or entry.texts.get("link", ""))[:200]

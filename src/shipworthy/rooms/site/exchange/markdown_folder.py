"""A folder of Markdown files in a zip, as site generators keep them: what is said above each text, addresses it had, and
pictures beside it. Pure.

The page's address is the one its file says (`url`, `permalink`, `slug`), or follows from where the file lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath

from shipworthy.rooms.site.assets.image import BYTES_MAX
from shipworthy.rooms.site.exchange.archive import Archive
from shipworthy.rooms.site.exchange.front_matter import (
    BadFrontMatter,
    Facts,
    as_bool,
    as_list,
    as_text,
    parted,
)
from shipworthy.rooms.site.exchange.items import Item, Unreadable
from shipworthy.rooms.site.exchange.places import FOLDER, picture_key
from shipworthy.rooms.site.exchange.wordpress import plain

_TEXTS = {".md", ".markdown", ".mdown", ".mkd"}
_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".avif"}
_ROOTS = ("content", "static", "public", "src", "docs")  # folders of generators that stand in no address
_INDEX = {"index", "_index", "readme"}
_DATED = re.compile(r"^(\d{4}-\d{2}-\d{2})-(.+)$")  # as Jekyll names its posts
_HEADING = re.compile(r"^# +(.+?)\s*#*\s*$", re.MULTILINE)
_TEXT_BYTES_MAX = 1024 * 1024
_TITLE_CHARS_MAX, _DESCRIPTION_CHARS_MAX = 200, 400


def is_folder(archive: Archive) -> bool:
    return any(PurePosixPath(name).suffix.lower() in _TEXTS for name in archive.names)


def folder_name(archive: Archive) -> str:
    """Return the one folder everything lies in; nothing where there are several."""
    tops = {PurePosixPath(name).parts[0] for name in archive.names}
    is_one = len(tops) == 1 and all("/" in name for name in archive.names)
    return tops.pop() if is_one else ""


def items_of(archive: Archive) -> Iterator[Item]:
    """Yield the pictures, the pages and the addresses these had. Errors: Unreadable."""
    top = folder_name(archive)
    names = sorted(archive.names, key=lambda name: (_suffix(name) in _TEXTS, name))
    for name in names:
        place = _place(name, top)
        if _suffix(name) in _TEXTS:
            yield from _page(archive, name, place)
        elif _suffix(name) in _PICTURES:
            yield _picture(archive, name, place)
        else:
            yield Item(
                kind="other", source_id=name[:400], label="file", title=name[-200:], reason="file_type"
            )


def _picture(archive: Archive, name: str, place: str) -> Item:
    item = Item(kind="picture", source_id=name[:400], label="picture", title=PurePosixPath(name).name[-200:])
    item.path = picture_key(f"{FOLDER}/{place}")
    item.data = {"file": name, "name": PurePosixPath(name).stem[:200], "alt": ""}
    if archive.size_bytes(name) > BYTES_MAX:
        item.reason = "picture_large"
    return item


def _page(archive: Archive, name: str, place: str) -> Iterator[Item]:
    item = Item(kind="page", source_id=name[:400], label="page", title=place[-200:], status="published")
    try:
        text = archive.read(name, bytes_max=_TEXT_BYTES_MAX).decode("utf-8")
        facts, body = parted(text)
    except UnicodeDecodeError:
        item.reason = "not_utf8"
    except BadFrontMatter as bad:
        item.reason = "front_matter"
        item.note("front_matter_line", bad)
    except Unreadable as large:
        if large.note[0] != "file_large":
            raise
        item.reason = "page_large"
    if item.reason:
        item.kind, item.status = "other", ""
        yield item
        return
    _describe(item, facts, body, place)
    yield item
    for alias in [*as_list(facts.get("aliases")), *as_list(facts.get("redirect_from"))]:
        old = alias if alias.startswith("/") else f"/{PurePosixPath(place).parent.as_posix()}/{alias}"
        yield Item(
            kind="redirect",
            source_id=f"{name[:400]}:{alias[:150]}",
            label="address",
            title=item.title,
            path=old[:600],
            to=item.source_id,
        )


def _describe(item: Item, facts: Facts, body: str, place: str) -> None:
    path, dated = _address(facts, place)
    item.path = path
    heading = _HEADING.search(body)
    title = plain(as_text(facts.get("title", "")))
    if not title and heading is not None:
        title, body = plain(heading[1]), body.replace(heading[0], "", 1)
    if not title:
        title = PurePosixPath(path).name.replace("-", " ").strip().capitalize() or "Home"
        item.note("title_made")
    if len(title) > _TITLE_CHARS_MAX:
        item.note("title_cut", _TITLE_CHARS_MAX)
    item.title = title[:_TITLE_CHARS_MAX].strip()
    at = _moment(as_text(facts.get("publishdate") or facts.get("publish_date") or facts.get("date") or dated))
    if as_bool(facts.get("draft")) or as_bool(facts.get("published")) is False:
        item.status = "draft"
    elif at is not None:
        item.publish_at = at  # reading.py says whether that day is to come
    if terms := [*as_list(facts.get("tags")), *as_list(facts.get("categories"))]:
        item.note("terms_left", len(terms))
    author = facts.get("author", "")
    item.data = {
        "format": "markdown",
        "content": body,
        "description": plain(as_text(facts.get("description") or facts.get("summary") or ""))[
            :_DESCRIPTION_CHARS_MAX
        ],
        "author": as_text(author)[:100],
        "at": at.isoformat() if at else "",
        "in_menu": bool(facts.get("menu") or facts.get("in_menu") in (True, "true", "yes")),
        "here": f"{FOLDER}/{place}",
    }


def _address(facts: Facts, place: str) -> tuple[str, str]:
    """Return a page's path, and the day its file's name holds."""
    folder, stem = PurePosixPath(place).parent, PurePosixPath(place).stem
    dated = ""
    if found := _DATED.match(stem):
        dated, stem = found.groups()
        folder = PurePosixPath(*(part for part in folder.parts if part != "_posts"))
    said = as_text(facts.get("url") or facts.get("permalink") or "")
    if said.startswith("/") and ":" not in said and "{" not in said:
        return said, dated
    if slug := as_text(facts.get("slug", "")):
        stem = slug
    elif stem.lower() in _INDEX:
        stem = ""
    parts = [part for part in (*folder.parts, stem) if part not in ("", ".")]
    return "/" + "/".join("-".join(part.split()) for part in parts), dated


def _place(name: str, top: str) -> str:
    """Return where a file lies on the website: without the folders that only the generator knows."""
    parts = list(PurePosixPath(name).parts)
    if top and parts[0] == top and len(parts) > 1:
        parts = parts[1:]
    if len(parts) > 1 and parts[0] in _ROOTS:
        parts = parts[1:]
    return "/".join(parts)


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.replace(" UTC", "+00:00").replace(" +", "+").strip())
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()

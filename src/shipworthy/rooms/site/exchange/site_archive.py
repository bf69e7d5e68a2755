"""A website that was saved here, or by another installation: read line by line, and trusted in nothing. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from shipworthy.rooms.site.assets.image import BYTES_MAX
from shipworthy.rooms.site.exchange.archive import Archive
from shipworthy.rooms.site.exchange.archive_lines import (
    FORMAT,
    MENUS,
    PAGES,
    PICTURES,
    REDIRECTS,
    SITE,
    VERSION,
    MenuLine,
    PageLine,
    PictureLine,
    RedirectLine,
    SiteLine,
)
from shipworthy.rooms.site.exchange.items import ITEM_BYTES_MAX, Item, Unreadable
from shipworthy.rooms.site.menus.hand import ITEMS_MAX
from shipworthy.rooms.site.redirects.leads import GONE
from shipworthy.rooms.site.redirects.verdicts import whole_url

Struct = TypeVar("Struct", bound=msgspec.Struct)


def is_site(archive: Archive) -> bool:
    return SITE in archive.names and PAGES in archive.names


def items_of(archive: Archive) -> Iterator[Item]:
    """Yield how the site looks, its pictures, its pages and where addresses lead. Errors: Unreadable."""
    about = _read(archive.read(SITE, bytes_max=64 * 1024), SiteLine, SITE)
    if about.format != FORMAT:
        raise Unreadable("site_broken", SITE)
    if about.version > VERSION:
        raise Unreadable("site_newer")
    yield Item(kind="settings", source_id="settings", label="settings", title=about.title, data=_plain(about))
    names = set(archive.names)
    for picture in _lines(archive, PICTURES, PictureLine):
        yield _picture(archive, picture, is_here=picture.file in names)
    for page in _lines(archive, PAGES, PageLine):
        yield _page(page)
    for redirect in _lines(archive, REDIRECTS, RedirectLine):
        yield _redirect(redirect)
    if MENUS in names:
        yield _menus(list(_lines(archive, MENUS, MenuLine)))
    for host in about.domains:
        yield Item(
            kind="other", source_id=f"domain:{host}", label="domain", title=host, reason="domain_proof"
        )


def _picture(archive: Archive, line: PictureLine, *, is_here: bool) -> Item:
    item = Item(kind="picture", source_id=f"asset:{line.asset_id}", label="picture", title=line.name)
    item.data = {**_plain(line), "file": line.file}
    if not is_here:
        item.reason = "file_missing"
    elif archive.size_bytes(line.file) > BYTES_MAX:
        item.reason = "picture_large"
    return item


def _page(line: PageLine) -> Item:
    newest = line.versions[-1]
    numbers = [version.version for version in line.versions]
    if numbers != sorted(set(numbers)) or newest.version != line.version:
        raise Unreadable("site_broken", f"{PAGES}: {line.path}")
    if (line.status == "published") != (line.published_version in numbers):
        raise Unreadable("site_broken", f"{PAGES}: {line.path}")
    return Item(
        kind="page",
        source_id=f"page:{line.page_id}",
        label="page",
        title=newest.title,
        path=line.path,
        status=line.status,
        publish_at=line.publish_at,
        data={"format": "site", "page": _plain(line), "page_id": str(line.page_id)},
    )


def _menus(lines: list[MenuLine]) -> Item:
    item = Item(kind="settings", source_id="menus", label="menus", title="", is_last=True)
    if len(lines) > 2 * ITEMS_MAX:
        raise Unreadable("site_broken", MENUS)
    item.data = {"menus": [_plain(line) for line in lines]}
    return item


def _redirect(line: RedirectLine) -> Item:
    item = Item(
        kind="redirect", source_id=f"redirect:{line.from_path}", label="address", title=line.from_path[:200]
    )
    item.path, item.to = line.from_path, f"page:{line.to_page_id}" if line.to_page_id else ""
    item.data = _plain(line)
    targets = (line.to_page_id is not None) + (line.to_url is not None)
    try:
        if targets != (line.status != GONE):
            raise ValueError(line.from_path)
        if line.to_url is not None:
            item.data["to_url"] = whole_url(line.to_url)
    except ValueError:
        item.reason = "address_impossible"
    return item


def _lines(archive: Archive, name: str, shape: type[Struct]) -> Iterator[Struct]:
    """Yield the lines of a file of the archive, which may not be there."""
    waiting = b""
    if name not in archive.names:
        return
    for chunk in archive.chunks(name):
        *whole, waiting = (waiting + chunk).split(b"\n")
        if len(waiting) > ITEM_BYTES_MAX:
            raise Unreadable("item_large", ITEM_BYTES_MAX // 1024**2)
        for line in whole:
            yield _read(line, shape, name)
    if waiting.strip():
        yield _read(waiting, shape, name)


def _read(line: bytes, shape: type[Struct], name: str) -> Struct:
    try:
        return msgspec.json.decode(line, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as broken:
        raise Unreadable("site_broken", f"{name}: {str(broken)[:120]}") from None


def _plain(line: msgspec.Struct) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(line)
    return told


def page_of(data: dict[str, Any]) -> PageLine:
    """Return a page as it stands in an item's data."""
    return msgspec.convert(data["page"], PageLine)


def picture_of(data: dict[str, Any]) -> PictureLine:
    return msgspec.convert({name: value for name, value in data.items() if name != "file"}, PictureLine)


def menus_of(data: dict[str, Any]) -> list[MenuLine]:
    return msgspec.convert(data["menus"], list[MenuLine])


def ids_in(items: Sequence[Item]) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
    """Return the ids of the pages and of the pictures among things."""
    pages = [uuid.UUID(item.data["page_id"]) for item in items if "page_id" in item.data]
    pictures = [uuid.UUID(item.data["asset_id"]) for item in items if "asset_id" in item.data]
    return pages, pictures

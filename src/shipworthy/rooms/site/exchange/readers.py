"""What a file is, its content says: an export of WordPress, a folder of Markdown, or a website that was saved here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from shipworthy.rooms.site.assets.image import BYTES_MAX
from shipworthy.rooms.site.exchange import markdown_folder, site_archive, wordpress
from shipworthy.rooms.site.exchange.archive import Archive
from shipworthy.rooms.site.exchange.items import Item, Unreadable
from shipworthy.rooms.site.exchange.places import FOLDER

_ZIP = b"PK"
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is understood. `origin` is the website's address, `prefix` goes before the ids of its things."""

    kind: str
    origin: str
    prefix: str
    items: Iterator[Item]


def open_import(file: BinaryIO) -> Opened:
    """Return what a file holds. Errors: Unreadable, here and while the items are asked for."""
    start = file.read(512)
    file.seek(0)
    if not start.startswith(_ZIP):
        if not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise Unreadable("file_unknown")
        return _of_wordpress([lambda: _chunks(file)], None)
    archive = Archive(file)
    if site_archive.is_site(archive):
        return Opened("site", "", "site", site_archive.items_of(archive))
    exports = [name for name in archive.names if name.lower().endswith(".xml")]
    if exports:
        return _of_wordpress([_unpacked(archive, name) for name in exports], archive)
    if markdown_folder.is_folder(archive):
        prefix = f"markdown:{markdown_folder.folder_name(archive)[:100]}"
        return Opened("markdown", FOLDER, prefix, markdown_folder.items_of(archive))
    raise Unreadable("zip_unknown")


def _of_wordpress(exports: list[wordpress.Chunks], archive: Archive | None) -> Opened:
    surveys = [wordpress.survey(chunks) for chunks in exports]
    first = surveys[0]
    for other in surveys[1:]:
        first.in_menu |= other.in_menu
        first.channel.authors |= other.channel.authors
    url = urlsplit(first.base)
    prefix = f"wordpress:{url.hostname or ''}{url.path}"[:200]
    finder = _Finder(archive)

    def items() -> Iterator[Item]:
        for chunks in exports:
            for item in wordpress.items_of(chunks, first):
                if item.kind == "picture" and not item.reason:
                    finder.find(item)
                yield item

    return Opened("wordpress", first.base[:2_000], prefix, items())


class _Finder:
    """Finds a picture's file in the archive that came with an export: the one whose folders agree most."""

    def __init__(self, archive: Archive | None) -> None:
        self._archive = archive
        self._by_name: dict[str, list[str]] = {}
        for name in archive.names if archive else ():
            self._by_name.setdefault(PurePosixPath(name).name.lower(), []).append(name)

    def find(self, item: Item) -> None:
        wanted = [part.lower() for part in PurePosixPath(unquote(urlsplit(item.data["address"]).path)).parts]
        candidates = self._by_name.get(wanted[-1], []) if wanted else []
        if not candidates or self._archive is None:
            item.reason = "file_missing"
            item.note("file_wanted", item.data["address"][:300])
            return
        best = max(candidates, key=lambda name: (_agreeing(wanted, name), name))
        item.data["file"] = best
        if self._archive.size_bytes(best) > BYTES_MAX:
            item.reason = "picture_large"


def _agreeing(wanted: list[str], name: str) -> int:
    parts = [part.lower() for part in PurePosixPath(name).parts]
    count = 0
    while count < min(len(parts), len(wanted)) and parts[-1 - count] == wanted[-1 - count]:
        count += 1
    return count


def _unpacked(archive: Archive, name: str) -> wordpress.Chunks:
    return lambda: archive.chunks(name)


def _chunks(file: BinaryIO) -> Iterable[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk

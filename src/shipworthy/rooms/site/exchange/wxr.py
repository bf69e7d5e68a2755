"""WordPress's own export (WXR: RSS with words of WordPress), read piece by piece: a file of any length takes the memory of
its longest item. What declares a document type is refused at that word, so no entity is ever defined.

Read with expat, whose parser may be carried on by another thread; lxml's may not, and took the process with it (2026-11).
Source:  WordPress, `wp-admin/includes/export.php` (WXR 1.0 to 1.2); CWE-611 and CWE-776 for what is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from shipworthy.rooms.site.exchange.items import ITEM_BYTES_MAX, Unreadable

# Of the white space XML knows, these are left; everything else below U+0020 makes a file unreadable, and old ones have it.
_NOT_XML = bytes(code for code in range(0x20) if code not in (0x09, 0x0A, 0x0D))
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_ROOT, _CHANNEL, _ENTRY, _FIELD, _PART = range(1, 6)  # how deep what stands
_ENTRIES = ("item", "wp:category", "wp:tag", "wp:term")
_DEPTH_MAX = 100


@dataclass(slots=True)
class Entry:
    """One `<item>`, or one `<wp:category>`, `<wp:tag>` or `<wp:term>` of the channel: texts by their names."""

    name: str
    texts: dict[str, str] = field(default_factory=dict)
    meta: dict[str, list[str]] = field(default_factory=dict)
    terms: list[tuple[str, str]] = field(default_factory=list)  # its categories: domain and name
    comments: int = 0


@dataclass(slots=True)
class Channel:
    """What a file says of the website itself, as far as it was read."""

    texts: dict[str, str] = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)  # login -> the name they show


def read_wxr(chunks: Iterable[bytes], channel: Channel) -> Iterator[Entry]:
    """Yield every entry of a file in its order; what is said of the whole is put into `channel` before the first.

    Errors:  Unreadable for what is no such file, declares entities, breaks off, or holds an item that is too large.
    """
    reading, is_first = _Reading(channel), True
    try:
        for chunk in chunks:
            if is_first and chunk.startswith(_UTF16):
                raise Unreadable("xml_utf8")
            is_first = False
            reading.feed(chunk.translate(None, _NOT_XML))
            yield from reading.taken()
        reading.feed(b"", is_last=True)
        yield from reading.taken()
    except (expat.ExpatError, UnicodeDecodeError, LookupError) as broken:
        raise Unreadable("xml_broken", getattr(broken, "lineno", 1)) from None


class _Reading:
    """Where in the file we are, and what was read of the entry we are in."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._say
        self._names: list[str] = []
        self._text: list[str] = []
        self._attributes: dict[str, str] = {}
        self._pair: dict[str, str] = {}
        self._entry = Entry("")
        self._done: list[Entry] = []
        self._bytes = 0

    def feed(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Read on. Errors: Unreadable; ExpatError."""
        self._bytes += len(chunk)
        if self._bytes > 2 * ITEM_BYTES_MAX:
            raise Unreadable("item_large", ITEM_BYTES_MAX // 1024**2)
        self._parser.Parse(chunk, is_last)

    def taken(self) -> Iterator[Entry]:
        """Yield the entries that are whole."""
        done, self._done = self._done, []
        yield from done

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._names.append(_said(name))
        depth = len(self._names)
        if depth > _DEPTH_MAX:
            raise Unreadable("xml_other")
        if (depth, name) == (_ROOT, "rss") or (depth, name) == (_CHANNEL, "channel"):
            return
        if depth <= _CHANNEL:
            raise Unreadable("xml_other")
        if depth == _ENTRY:
            self._entry, self._bytes = Entry(self._names[-1]), 0
        elif depth == _FIELD:
            self._attributes, self._pair = attributes, {}
        if depth <= _PART:
            self._text = []

    def _say(self, text: str) -> None:
        if len(self._names) <= _PART:
            self._text.append(text)

    def _end(self, _name: str) -> None:
        depth, name = len(self._names), self._names.pop()
        text = "".join(self._text).strip() if depth <= _PART else ""
        if depth == _ENTRY:
            self._end_entry(name, text)
        elif depth == _FIELD:
            self._end_field(name, text)
        elif depth == _PART:
            self._pair[name] = text

    def _end_field(self, name: str, text: str) -> None:
        entry, pair = self._entry, self._pair
        if name == "wp:postmeta":
            entry.meta.setdefault(pair.get("wp:meta_key", ""), []).append(pair.get("wp:meta_value", ""))
        elif name == "category":
            entry.terms.append((self._attributes.get("domain", "category"), text))
        elif name == "wp:comment":
            entry.comments += 1
        else:
            entry.texts.setdefault(name, text)

    def _end_entry(self, name: str, text: str) -> None:
        entry, self._entry, self._bytes = self._entry, Entry(""), 0
        if name in _ENTRIES:
            self._done.append(entry)
        elif name == "wp:author":
            login, shown = (
                entry.texts.get("wp:author_login", ""),
                entry.texts.get("wp:author_display_name", ""),
            )
            self._channel.authors[login] = shown
        elif not entry.texts:
            self._channel.texts.setdefault(name, text)


def _refuse_doctype(*_told: object) -> None:
    raise Unreadable("xml_doctype")


def _said(name: str) -> str:
    """Return a name as people write it, whichever of WXR's versions and schemes its namespace has."""
    space, _, local = name.rpartition("}")
    if "/export/" in space:
        return f"excerpt:{local}" if space.rstrip("/").endswith("excerpt") else f"wp:{local}"
    return f"content:{local}" if "content" in space else local

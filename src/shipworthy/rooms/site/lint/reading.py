"""A page as a reader and a crawler meet it: its headings, pictures, links and words, each with its block. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser

_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    block_id: str


@dataclass(frozen=True, slots=True)
class Picture:
    src: str
    is_decided: bool  # it has a text alternative, or is said to be decoration
    block_id: str


@dataclass(slots=True)
class Link:
    href: str
    block_id: str
    text: str = ""


@dataclass(slots=True)
class Reading:
    """What was met, in order."""

    headings: list[Heading] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    words: int = 0


def read_pieces(pieces: Iterable[tuple[str, str]]) -> Reading:
    """Read pieces of HTML, each with the id of its block. Cost: about 0.1 ms for 100 words."""
    reading = Reading()
    for block_id, html in pieces:
        reader = _Reader(reading, block_id)
        reader.feed(html)
        reader.close()
    return reading


class _Reader(HTMLParser):
    def __init__(self, reading: Reading, block_id: str) -> None:
        super().__init__(convert_charrefs=True)
        self._reading, self._block_id = reading, block_id
        self._link: Link | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _HEADINGS:
            self._reading.headings.append(Heading(_HEADINGS[tag], self._block_id))
        elif tag == "img":
            alt = given.get("alt") or ""
            is_decided = bool(alt.strip()) or given.get("role") == "presentation"
            self._reading.pictures.append(Picture(given.get("src") or "", is_decided, self._block_id))
            if self._link is not None:
                self._link.text += alt
        elif tag == "a" and given.get("href"):
            self._link = Link(given["href"] or "", self._block_id)
            self._reading.links.append(self._link)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        self._reading.words += len(data.split())
        if self._link is not None:
            self._link.text += data

"""What a type of block is. A new one is a struct in a file of its own, a line in registry.py, and a test.

    class Note(Block):
        type, v, label, symbol = "note", 1, "Note", "info"
        fields = (Field("text", "Text", kind="markdown"),)

        text: LongText = ""

        def html(self, place: Place) -> str:
            return f"<aside>{markdown_html(self.text)}</aside>"

Every field has a default: a draft may be half written, and lint.py says before it is published what is missing.
When the fields of a type change, its struct is kept under another name as one of `older`, with an `up()` that
returns the next version; what is stored stays as it is and is read through `up()`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from html import escape
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import nh3
from msgspec import Meta

from shipworthy.rooms.site.markup import SCHEMES, render_markdown

Line = Annotated[str, Meta(max_length=300)]
LongText = Annotated[str, Meta(max_length=20_000)]

Tags = Mapping[str, frozenset[str]]  # tag -> its attributes
FieldKind = Literal["line", "text", "markdown", "address", "check", "choice", "rows", "asset"]


@dataclass(frozen=True)
class Field:
    """How people fill in one field of a block. `fields` are those of one row, where the kind is rows."""

    name: str
    label: str
    kind: FieldKind = "line"
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    fields: tuple[Field, ...] = ()
    rows_max: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands, and the tenant's pictures it asked for (`assets`) by their ids. The lead picture is the
    first one of a page that visitors see without scrolling."""

    page_id: uuid.UUID
    block_id: str
    assets: Mapping[str, Mapping[str, Any]] = dataclass_field(default_factory=dict)
    is_lead: bool = False


class Block(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of every type, in its newest version."""

    type: ClassVar[str]
    v: ClassVar[int] = 1
    label: ClassVar[str] = ""
    symbol: ClassVar[str] = "circle"
    fields: ClassVar[Sequence[Field]] = ()
    older: ClassVar[tuple[Any, ...]] = ()  # structs of earlier versions, each with `v` and `up()`
    also: ClassVar[Tags] = {}  # what its HTML may hold beside the tags of cleaned()

    def html(self, place: Place) -> str:
        """Return what visitors see. Whatever people wrote is escaped, or comes out of markup.py."""
        raise NotImplementedError

    def opening(self, title: str, place: Place) -> str:
        """Return what stands at the top of the page with its only h1, for a type that can open one."""
        return ""

    def markdown(self) -> Sequence[str]:
        """Return every text that is read as Markdown, so that a page cannot hold more than can be read."""
        return ()

    def assets(self) -> Sequence[str]:
        """Return the ids of the pictures it shows."""
        return ()

    def json_ld(self) -> Mapping[str, Any] | None:
        """Return what search engines are told about it (schema.org)."""
        return None


def markdown_html(text: str) -> str:
    markup = render_markdown(text)
    return f"{markup.intro}\n{markup.rest}".strip()


def link_html(text: str, address: str) -> str:
    """Return a link, or only its text where the address is empty or leads to no safe place."""
    if not text:
        return ""
    return f'<a href="{escape(address)}">{escape(text)}</a>' if is_safe(address) else escape(text)


def button_html(text: str, address: str) -> str:
    """Return a link that looks like a button; nothing while one of both is missing."""
    return f'<p class="action">{link_html(text, address)}</p>' if text and is_safe(address) else ""


def is_safe(address: str) -> bool:
    """Say whether a link may lead there: a place on the site, or an address of a kind that runs no script."""
    scheme, colon, _ = address.partition(":")
    return bool(address) and (
        not colon or any(c in scheme for c in "/?#") or scheme.strip().lower() in SCHEMES
    )


_SAFE: dict[str, set[str]] = {
    **{tag: {"class", "id"} for tag in (
        "p", "h1", "h2", "h3", "h4", "ul", "em", "strong", "s", "code", "blockquote", "hr", "br", "thead", "tbody", "tr",
        "cite", "figure", "figcaption", "details", "summary", "section", "span", "li", "small", "b", "i", "dl", "dt", "dd", "aside",
    )},
    "a": {"href", "title", "class"},
    "img": {"src", "alt", "title", "loading", "decoding", "width", "height", "role", "srcset", "sizes", "fetchpriority"},
    "picture": {"class"},
    "source": {"srcset", "sizes", "type", "media"},
    "ol": {"start", "class"},
    "div": {"role", "tabindex", "aria-label", "class"},
    "pre": {"tabindex", "class"},
    "table": {"class"},
    "caption": {"class"},
    "th": {"class", "scope"},
    "td": {"class"},
}  # fmt: skip


def cleaned(html: str, also: Tags) -> str:
    """Return what a type made of people's words, without anything that could run or style."""
    allowed = {**_SAFE, **{tag: set(names) | _SAFE.get(tag, set()) for tag, names in also.items()}}
    return nh3.clean(html, tags=set(allowed), attributes=allowed, url_schemes=SCHEMES, link_rel=None).strip()

"""HTML that somebody brings along: what is text, picture, list, table or link in it stays, everything else goes."""

from __future__ import annotations

from typing import ClassVar

import nh3

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.blocks.block import Block, Field, LongText, Place, Tags
from shipworthy.rooms.site.markup import SCHEMES

_TAGS = {
    "p", "h1", "h2", "h3", "h4", "ul", "ol", "li", "a", "em", "strong", "b", "i", "s", "small", "sub", "sup", "code", "pre",
    "blockquote", "hr", "br", "img", "table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "dl", "dt",
    "dd", "details", "summary", "section", "abbr", "time", "mark", "kbd", "q", "cite",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height", "role"},
    "ol": {"start"},
    "th": {"scope", "colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
    "time": {"datetime"},
    "abbr": {"title"},
}


class RawHtml(Block):
    type, label, symbol = "html", mark("HTML"), "file-text"
    also: ClassVar[Tags] = {tag: frozenset(_ATTRIBUTES.get(tag, ())) for tag in _TAGS}
    fields = (
        Field(
            "code", mark("HTML"), kind="text", hint=mark("Scripts, styles, frames and forms are taken out.")
        ),
    )

    code: LongText = ""

    def html(self, place: Place) -> str:
        return clean_html(self.code)


def clean_html(code: str) -> str:
    """Return what of HTML a page may hold: nothing that runs, styles, or loads another page."""
    return nh3.clean(code, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=SCHEMES, link_rel=None)

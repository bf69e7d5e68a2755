"""Text in Markdown: what a page was before there were blocks."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.blocks.block import Block, Field, Place, markdown_html
from shipworthy.rooms.site.markup import BODY_CHARS_MAX

_HINT = mark(
    "Markdown: ## heading, **bold**, [link](/contact), - list. A link alone in a paragraph becomes a button; a list whose items begin in bold becomes cards."
)


class Text(Block):
    type, label, symbol = "text", mark("Text"), "file-text"
    fields = (Field("body", mark("Text"), kind="markdown", hint=_HINT),)

    body: Annotated[str, Meta(max_length=BODY_CHARS_MAX)] = ""

    def html(self, place: Place) -> str:
        return markdown_html(self.body)

    def markdown(self) -> tuple[str, ...]:
        return (self.body,)

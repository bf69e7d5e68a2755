"""What somebody said, and who."""

from __future__ import annotations

from html import escape

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.blocks.block import Block, Field, Line, LongText, Place, markdown_html


class Quote(Block):
    type, label, symbol = "quote", mark("Quote"), "user"
    fields = (
        Field("text", mark("Quote"), kind="markdown"),
        Field("by", mark("Who said it"), hint=mark("A name, and where from.")),
    )

    text: LongText = ""
    by: Line = ""

    def html(self, place: Place) -> str:
        if not self.text:
            return ""
        by = f"<p>{escape(self.by)}</p>" if self.by else ""
        return f"<blockquote>{markdown_html(self.text)}{by}</blockquote>"

    def markdown(self) -> tuple[str, ...]:
        return (self.text,)

"""One button that leads somewhere."""

from __future__ import annotations

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.blocks.block import Block, Field, Line, Place, button_html


class Button(Block):
    type, label, symbol = "button", mark("Button"), "send"
    fields = (Field("text", mark("Text")), Field("address", mark("Where it leads"), kind="address"))

    text: Line = ""
    address: Line = ""

    def html(self, place: Place) -> str:
        return button_html(self.text, self.address)

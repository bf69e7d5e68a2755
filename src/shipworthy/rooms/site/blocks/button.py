"""One button that leads somewhere."""

from __future__ import annotations

from shipworthy.rooms.site.blocks.block import Block, Field, Line, Place, button_html


class Button(Block):
    type, label, symbol = "button", "Button", "send"
    fields = (Field("text", "Text"), Field("address", "Where it leads", kind="address"))

    text: Line = ""
    address: Line = ""

    def html(self, place: Place) -> str:
        return button_html(self.text, self.address)

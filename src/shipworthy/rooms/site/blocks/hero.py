"""A hero: large words and up to two buttons. The first block of a page, it holds the page's h1."""

from __future__ import annotations

from html import escape

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.blocks.block import Block, Field, Line, LongText, Place, button_html, markdown_html


class Hero(Block):
    type, label, symbol = "hero", mark("Hero"), "rocket"
    fields = (
        Field("kicker", mark("Line above"), hint=mark("A few words above the heading.")),
        Field("heading", mark("Heading"), hint=mark("Empty: the title of the page.")),
        Field("text", mark("Text"), kind="markdown"),
        Field("button", mark("Button")),
        Field("address", mark("Where it leads"), kind="address"),
        Field("second_button", mark("Second button")),
        Field("second_address", mark("Where it leads"), kind="address"),
    )

    kicker: Line = ""
    heading: Line = ""
    text: LongText = ""
    button: Line = ""
    address: Line = ""
    second_button: Line = ""
    second_address: Line = ""

    def html(self, place: Place) -> str:
        heading = f"<h2>{escape(self.heading)}</h2>" if self.heading else ""
        return f'<section class="band">{self._kicker()}{heading}{self._rest()}</section>'

    def opening(self, title: str, place: Place) -> str:
        rest = self._rest()
        intro = f'<div class="intro">{rest}</div>' if rest else ""
        return f"{self._kicker()}<h1>{escape(self.heading or title)}</h1>{intro}"

    def markdown(self) -> tuple[str, ...]:
        return (self.text,)

    def _kicker(self) -> str:
        return f'<p class="tagline">{escape(self.kicker)}</p>' if self.kicker else ""

    def _rest(self) -> str:
        buttons = button_html(self.button, self.address) + button_html(
            self.second_button, self.second_address
        )
        return markdown_html(self.text) + buttons

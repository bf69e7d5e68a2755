"""A row of cards: a heading, a few words, and a link each."""

from __future__ import annotations

from html import escape
from typing import Annotated

import msgspec
from msgspec import Meta

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.blocks.block import Block, Field, Line, LongText, Place, link_html, markdown_html

CARDS_MAX = 24


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Line = ""
    text: LongText = ""
    link: Line = ""
    address: Line = ""

    def html(self) -> str:
        title = f"<strong>{escape(self.title)}</strong>" if self.title else ""
        link = f'<p class="more">{link_html(self.link, self.address)}</p>' if self.link else ""
        return f"<li>{title}{markdown_html(self.text)}{link}</li>"


class Cards(Block):
    type, label, symbol = "cards", mark("Cards"), "layout-dashboard"
    fields = (
        Field("heading", mark("Heading")),
        Field(
            "cards",
            mark("Card"),
            kind="rows",
            rows_max=CARDS_MAX,
            fields=(
                Field("title", mark("Title")),
                Field("text", mark("Text"), kind="markdown"),
                Field("link", mark("Words of the link")),
                Field("address", mark("Where it leads"), kind="address"),
            ),
        ),
    )

    heading: Line = ""
    cards: Annotated[list[Card], Meta(max_length=CARDS_MAX)] = msgspec.field(default_factory=list)

    def html(self, place: Place) -> str:
        heading = f"<h2>{escape(self.heading)}</h2>" if self.heading else ""
        cards = "".join(card.html() for card in self.cards)
        return heading + (f'<ul class="cards">{cards}</ul>' if cards else "")

    def markdown(self) -> tuple[str, ...]:
        return tuple(card.text for card in self.cards)

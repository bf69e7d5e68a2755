"""Every type of block, in the order in which people are offered them. Somebody's new type is a line here."""

from __future__ import annotations

from shipworthy.rooms.site.blocks.block import Block
from shipworthy.rooms.site.blocks.button import Button
from shipworthy.rooms.site.blocks.cards import Cards
from shipworthy.rooms.site.blocks.divider import Divider
from shipworthy.rooms.site.blocks.faq import Faq
from shipworthy.rooms.site.blocks.form import Form
from shipworthy.rooms.site.blocks.gallery import Gallery
from shipworthy.rooms.site.blocks.hero import Hero
from shipworthy.rooms.site.blocks.image import Image
from shipworthy.rooms.site.blocks.quote import Quote
from shipworthy.rooms.site.blocks.raw_html import RawHtml
from shipworthy.rooms.site.blocks.table import Table
from shipworthy.rooms.site.blocks.text import Text

TYPES: tuple[type[Block], ...] = (
    Text, Hero, Image, Gallery, Cards, Quote, Button, Form, Faq, Table, RawHtml, Divider,
)  # fmt: skip
BY_NAME: dict[str, type[Block]] = {kind.type: kind for kind in TYPES}

"""A line between two parts."""

from __future__ import annotations

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.blocks.block import Block, Place


class Divider(Block):
    type, label, symbol = "divider", mark("Divider"), "menu"

    def html(self, place: Place) -> str:
        return "<hr>"

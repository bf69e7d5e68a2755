"""A line between two parts."""

from __future__ import annotations

from shipworthy.rooms.site.blocks.block import Block, Place


class Divider(Block):
    type, label, symbol = "divider", "Divider", "menu"

    def html(self, place: Place) -> str:
        return "<hr>"

"""Several pictures beside each other."""

from __future__ import annotations

from html import escape
from typing import Annotated

import msgspec
from msgspec import Meta

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.blocks.block import Block, Field, Line, Place
from shipworthy.rooms.site.blocks.image import SHOWN_FIELDS, Shown

PICTURES_MAX = 40
_SIZES = "(min-width: 46rem) 22rem, 100vw"


class Gallery(Block):
    type, label, symbol = "gallery", mark("Gallery"), "image"
    fields = (
        Field("heading", mark("Heading")),
        Field("pictures", mark("Picture"), kind="rows", rows_max=PICTURES_MAX, fields=SHOWN_FIELDS),
    )

    heading: Line = ""
    pictures: Annotated[list[Shown], Meta(max_length=PICTURES_MAX)] = msgspec.field(default_factory=list)

    def html(self, place: Place) -> str:
        heading = f"<h2>{escape(self.heading)}</h2>" if self.heading else ""
        shown = "".join(picture.figure(place, sizes=_SIZES) for picture in self.pictures)
        return heading + (f'<div class="gallery">{shown}</div>' if shown else "")

    def assets(self) -> tuple[str, ...]:
        return tuple(picture.asset for picture in self.pictures)

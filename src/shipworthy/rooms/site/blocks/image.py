"""One picture, in every size a browser may choose from, with what it shows in words or said to be decoration."""

from __future__ import annotations

from html import escape
from typing import Annotated

import msgspec
from msgspec import Meta

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.assets.picture import COLUMN, picture
from shipworthy.rooms.site.blocks.block import Block, Field, Line, Place

_WIDE = "(min-width: 72rem) 67.5rem, 100vw"
_SIZES = {"text": COLUMN, "wide": _WIDE}
_ALT = mark("For people who do not see it. Empty: what the picture itself is described with.")
Asset = Annotated[str, Meta(max_length=36)]  # the id of a picture; empty while none is chosen


class Shown(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A picture as it is shown: which, in what words, or for its looks alone."""

    asset: Asset = ""
    alt: Line = ""
    is_decoration: bool = False
    caption: Line = ""

    def figure(self, place: Place, *, sizes: str, class_: str = "") -> str:
        """Return the picture with its caption; nothing while none is chosen, or where it is thrown away."""
        asset = place.assets.get(self.asset)
        if asset is None:
            return ""
        alt = "" if self.is_decoration else self.alt or asset["alt"]
        shown = picture(asset, alt=alt, is_lead=place.is_lead, sizes=sizes)
        if self.is_decoration:
            shown = shown.replace('alt=""', 'alt="" role="presentation"')
        caption = f"<figcaption>{escape(self.caption)}</figcaption>" if self.caption else ""
        return f'<figure class="{class_}">{shown}{caption}</figure>'


SHOWN_FIELDS = (
    Field("asset", mark("Picture"), kind="asset"),
    Field("alt", mark("What it shows"), hint=_ALT),
    Field("is_decoration", mark("It is decoration and shows nothing that matters"), kind="check"),
    Field("caption", mark("Caption")),
)


class Image(Block):
    type, label, symbol = "image", mark("Picture"), "image"
    fields = (
        *SHOWN_FIELDS,
        Field(
            "width",
            mark("Width"),
            kind="choice",
            choices=(("text", mark("As wide as text")), ("wide", mark("As wide as the page"))),
        ),
    )

    asset: Asset = ""
    alt: Line = ""
    is_decoration: bool = False
    caption: Line = ""
    width: Line = "text"

    def html(self, place: Place) -> str:
        shown = Shown(asset=self.asset, alt=self.alt, is_decoration=self.is_decoration, caption=self.caption)
        is_wide = self.width == "wide"
        return shown.figure(
            place, sizes=_SIZES["wide" if is_wide else "text"], class_="wide-picture" if is_wide else ""
        )

    def assets(self) -> tuple[str, ...]:
        return (self.asset,)

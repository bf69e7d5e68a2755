"""Pictures of a demo tenant: drawn here, so that nobody's photograph has to be carried along."""

from __future__ import annotations

import colorsys
import math
from io import BytesIO

from PIL import Image, ImageDraw

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.room import SeedTenant
from shipworthy.rooms.site.assets.library import add_asset_here

_SIZE = (960, 600)
_RIDGES = 6
# Name, what it shows, and its hue; the first is the one a page may show, the others wait to be used.
PICTURES = (
    ("Morning by the water", "Hills behind a calm bay in the first light", 0.57),
    ("Summer", "Green hills at noon", 0.34),
    ("Autumn", "Red hills in October", 0.03),
)


async def seed_pictures(ctx: Ctx, tenant: SeedTenant) -> list[Record]:
    """Add the pictures; each carries the tenant's marker."""
    return [
        (await add_asset_here(ctx, landscape(hue), name=f"{name} ({tenant.marker})", alt=alt))[0]
        for name, alt, hue in PICTURES
    ]


def landscape(hue: float) -> bytes:
    """Return hills behind hills, the nearer the darker, as a JPEG."""
    width, height = _SIZE
    picture = Image.new("RGB", _SIZE, _colour(hue, 0.14, 0.97))
    pen = ImageDraw.Draw(picture)
    pen.ellipse([width * 0.66, height * 0.14, width * 0.76, height * 0.3], fill=_colour(hue + 0.42, 0.3, 1.0))
    for ridge in range(_RIDGES):
        depth = (ridge + 1) / _RIDGES
        base = height * (0.38 + 0.5 * depth)
        crest = [
            (x, base - _height_at(x / width, ridge) * height * 0.2 * (1.1 - 0.5 * depth))
            for x in range(0, width + 6, 6)
        ]
        pen.polygon(
            [*crest, (width, height), (0, height)], fill=_colour(hue, 0.2 + 0.45 * depth, 0.92 - 0.66 * depth)
        )
    out = BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def _height_at(x: float, ridge: int) -> float:
    return sum(
        math.sin(x * math.tau * waves + ridge * shift) / waves
        for waves, shift in ((1.3, 2.1), (2.9, 4.3), (6.1, 1.7))
    )


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)

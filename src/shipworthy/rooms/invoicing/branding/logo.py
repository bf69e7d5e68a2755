"""A logo as bytes: what somebody sent is checked and written anew, so that nothing is left in it but the picture. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from shipworthy.kernel.language import _

BYTES_MAX = 500_000
PIXELS_MAX = 4_000_000  # looked at before a pixel is decoded
_PRINTED_MAX = (1_200, 400)  # 600 dpi where it stands, 50 by 17 mm
_TAKEN = ("PNG", "JPEG")


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo as it is kept: a PNG, called by what is in it."""

    name: str
    body: bytes


def accept_logo(data: bytes) -> Logo:
    """Return the logo in `data`, upright, without metadata, no larger than it is printed. Same bytes, same logo.

    Errors:  ValueError with what to do about it.
    """
    if len(data) > BYTES_MAX:
        raise ValueError(
            _("This file is larger than {most} kB. Save it smaller and try again.", most=BYTES_MAX // 1000)
        )
    try:
        with Image.open(BytesIO(data), formats=_TAKEN) as image:
            if image.width * image.height > PIXELS_MAX:
                raise _TooManyPixels
            image.load()
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except _TooManyPixels:
        said = _(
            "This picture has more than {most} million pixels. Save it smaller and try again.",
            most=PIXELS_MAX // 1_000_000,
        )
        raise ValueError(said) from None
    except Exception:  # decoders raise whatever they like on bytes that are not what they say
        raise ValueError(_("This is no PNG or JPEG we can read, or its file is damaged.")) from None
    upright.thumbnail(_PRINTED_MAX, Image.Resampling.LANCZOS)
    clean = Image.new("RGBA", upright.size)
    clean.paste(upright)
    out = BytesIO()
    clean.save(out, "PNG", optimize=True)
    body = out.getvalue()
    return Logo(f"{hashlib.sha256(body).hexdigest()[:32]}.png", body)


class _TooManyPixels(Exception):
    pass

"""Pictures as bytes: what somebody sent is checked and kept clean; its smaller forms are made of that. Pure.

What a file is, its content says: neither its name nor the type that was declared is asked.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.site.assets.names import FORMATS, height_at, widths_of

BYTES_MAX = 10 * 1024 * 1024
PIXELS_MAX = 40_000_000  # a decoded picture needs four bytes for each
SIDE_MAX = 2_560  # of what we keep: the largest form a page asks for is 1,920 wide
# Pillow's own bound warns at 89 million pixels; ours refuses long before, and says so to who sent it.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

_TAKEN = ("JPEG", "PNG", "WEBP", "AVIF")
_SRGB = ImageCms.createProfile("sRGB")
# What decoders raise on bytes that are not what they say (Pillow's own, and its codecs').
_BROKEN = (
    UnidentifiedImageError, Image.DecompressionBombError, OSError, EOFError, SyntaxError, ValueError, TypeError,
    IndexError, KeyError, OverflowError, struct.error, zlib.error,
)  # fmt: skip
# Each a format's quality where a photograph shows no difference beside the original at arm's length.
_QUALITY = {"avif": 60, "webp": 78, "jpg": 80}
_AVIF_SPEED = 8  # of 10: 6 takes twice the time for a file 4 % smaller


@dataclass(frozen=True, slots=True)
class Master:
    """A picture as we keep it: upright, in sRGB, with nothing in it but the picture."""

    body: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of a picture."""

    width: int
    format: str
    body: bytes


def accept(data: bytes, *, side_max: int = SIDE_MAX) -> Master:
    """Return the picture in `data` as we keep it, its longer side at most `side_max` pixels.

    Errors:  Invalid `site.image_invalid`, with what to do about it.
    Cost:    about 0.1 s and 4 bytes of memory a pixel, 25 ns a pixel.
    """
    if not data:
        raise _refused(_("Choose a picture to upload."))
    if len(data) > BYTES_MAX:
        raise _refused(
            _(
                "This file is larger than {megabytes} MB. Save it smaller and try again.",
                megabytes=BYTES_MAX // 1024 // 1024,
            )
        )
    if _is_svg(data):
        raise _refused("SVG drawings can carry scripts, so they are not taken. Export it as PNG or WebP.")
    try:
        with Image.open(BytesIO(data), formats=_TAKEN) as image:
            return _kept(image, side_max)
    except _BROKEN:
        raise _refused(
            _("This is no picture we can read, or its file is damaged. Use JPEG, PNG, WebP or AVIF.")
        ) from None


def variants(master: bytes) -> Iterator[Variant]:
    """Yield every form a page may ask for, the largest first; none is larger than the picture itself."""
    with Image.open(BytesIO(master), formats=_TAKEN) as opened:
        image = opened if opened.mode in ("RGB", "RGBA") else opened.convert("RGB")
        for width in reversed(widths_of(image.width)):
            size = (width, height_at(width, of=image.size))
            sized = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
            for format in FORMATS:
                yield Variant(width, format, encoded_as(format, sized))


def encoded_as(format: str, image: Image.Image) -> bytes:
    """Return the picture in a format, by its file ending."""
    out = BytesIO()
    if format == "avif":
        image.save(out, "AVIF", quality=_QUALITY["avif"], speed=_AVIF_SPEED, max_threads=1)
    elif format == "webp":
        image.save(out, "WEBP", quality=_QUALITY["webp"], method=4)
    else:
        _on_white(image).save(out, "JPEG", quality=_QUALITY["jpg"], progressive=True, optimize=True)
    return out.getvalue()


def media_type_of(body: bytes) -> str:
    """Return what a kept picture is, by its first bytes."""
    if body.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG"):
        return "image/png"
    return "image/avif" if body[4:8] == b"ftyp" else "image/webp"


def _kept(image: Image.Image, side_max: int) -> Master:
    """Check the size before a pixel is decoded, and again after: a header may lie."""
    said, form = image.size, image.format
    if said[0] * said[1] > PIXELS_MAX:
        raise _refused(
            _(
                "This picture is {width} x {height} pixels; {millions} million are the most. Save it smaller.",
                width=said[0],
                height=said[1],
                millions=PIXELS_MAX // 1000000,
            )
        )
    # A photograph with a second one behind it (MPO, as telephones make them) is no film.
    if form != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise _refused(_("Moving pictures are not taken. Save one frame of it as a picture."))
    image.load()
    if image.size != said:
        raise _refused(_("This file says another size than it has. Save it again and try once more."))
    clean = _plain(image)
    clean.thumbnail((side_max, side_max), Image.Resampling.LANCZOS)
    out = BytesIO()
    if form == "PNG":
        clean.save(out, "PNG")
    elif form in ("JPEG", "MPO"):
        clean.save(out, "JPEG", quality=92, progressive=True)
    else:
        clean.save(out, "WEBP", quality=92, method=4)
    body = out.getvalue()
    return Master(body, media_type_of(body), *clean.size)


def _plain(image: Image.Image) -> Image.Image:
    """Return it upright and in sRGB, with no word in it: no place, no camera, no name, no comment."""
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):  # 16 bits of grey
        upright = upright.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    has_alpha = upright.has_transparency_data
    colours = upright if upright.mode in ("CMYK", "L") else upright.convert("RGB")
    plain = _in_srgb(colours, profile) if profile else colours.convert("RGB")
    if has_alpha:
        alpha = upright.convert("RGBA").getchannel("A")
        if alpha.getextrema()[0] != 255:
            plain.putalpha(alpha)
    plain.info = {}
    return plain


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return the same colours as every screen shows them; a profile that cannot be read counts as none."""
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(image, own, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image.convert("RGB")
    return converted or image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """JPEG knows no transparency; who gets JPEG sees white behind it."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _is_svg(data: bytes) -> bool:
    start = data[:2_000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith(b"<") and b"<svg" in start


def _refused(message: str) -> Invalid:
    return Invalid("site.image_invalid", message, fields={"file": message})

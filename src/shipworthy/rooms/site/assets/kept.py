"""Pictures that were kept by this program elsewhere: taken as they are when nothing is in them but the picture. Pure.

Whoever sends an archive may have changed it, so a file is looked at like any other: it is decoded whole, within the same
bounds, and its parts are named one by one. What holds a word more is made anew from its pixels.
Source:  ISO/IEC 10918-1 B.1.1.3 (JPEG's markers), W3C PNG 3rd edition 5.3, RFC 9649 (WebP).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from shipworthy.rooms.site.assets.image import SIDE_MAX, Master, accept, media_type_of

_PNG_PARTS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_WEBP_PARTS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}
_JFIF, _SCAN = 0xE0, 0xDA
_JPEG_PARTS = {
    0xDB,
    0xC4,
    0xDD,
    *range(0xC0, 0xC4),
    *range(0xC5, 0xC8),
    *range(0xC9, 0xCC),
}  # tables and frames


def accept_kept(data: bytes) -> Master:
    """Return a picture as we keep it: the very bytes where they are ours. Errors: Invalid `site.image_invalid`."""
    made = accept(data)
    if not holds_nothing_else(data):
        return made
    with Image.open(BytesIO(data)) as image:
        size = image.size
    if max(size) > SIDE_MAX or size != (made.width, made.height):
        return made
    return Master(data, media_type_of(data), *size)


def holds_nothing_else(data: bytes) -> bool:
    """Say whether a file is a JPEG, PNG or WebP of which every byte belongs to the picture."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return set(_png_parts(data)) <= _PNG_PARTS
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return set(_webp_parts(data)) <= _WEBP_PARTS
        return data.startswith(b"\xff\xd8") and _is_bare_jpeg(data)
    except (struct.error, IndexError, ValueError):
        return False


def _png_parts(data: bytes) -> Iterator[bytes]:
    at = 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8]
        at += 12 + length
    if at != len(data):
        raise ValueError("cut")


def _webp_parts(data: bytes) -> Iterator[bytes]:
    if struct.unpack("<I", data[4:8])[0] + 8 != len(data):
        raise ValueError("cut")
    at = 12
    while at < len(data):
        (length,) = struct.unpack("<I", data[at + 4 : at + 8])
        yield data[at : at + 4]
        at += 8 + length + length % 2


def _is_bare_jpeg(data: bytes) -> bool:
    """Walk the segments; between scans lies coded data, in which 0xFF is followed by 0 or a restart."""
    at = 2
    while at < len(data):
        if data[at] != 0xFF:
            return False
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2 == len(data)
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        is_plain_jfif = marker == _JFIF and length == 16
        if marker == _SCAN:
            at = _after_scan(data, at + 2 + length)
            continue
        if marker not in _JPEG_PARTS and not is_plain_jfif:
            return False
        at += 2 + length
    return False


def _after_scan(data: bytes, at: int) -> int:
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2

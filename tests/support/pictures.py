"""Pictures for tests: drawn, not photographed, so that every byte of them is known."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image


def drawing(width: int = 700, height: int = 400, *, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Return a picture in which every corner is another colour."""
    corners = Image.new("RGB", (2, 2))
    corners.putdata([(200, 30, 30), (30, 160, 60), (30, 60, 200), (240, 240, 220 - seed)])
    return corners.resize((width, height), Image.Resampling.BILINEAR).convert(mode)


def file_of(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def opened(body: bytes) -> Image.Image:
    image = Image.open(BytesIO(body))
    image.load()
    return image

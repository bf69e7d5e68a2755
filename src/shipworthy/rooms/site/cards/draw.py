"""Drawing a page's card. Pure: the same words make the same bytes."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from shipworthy.kernel.fonts import FONTS
from shipworthy.rooms.site.head import CARD_SIZE

_WIDTH, _HEIGHT = CARD_SIZE
_SCALE = 2  # drawn twice as large, for edges without steps
_MARGIN = 84
_LINES_MAX = 4
_SIZES = (92, 80, 70, 62, 54)  # the largest at which a title fits
_NAME_SIZE = 36
_COLOURS = 64  # flat colours and their edges
# Ground, shine and accent of each, as the hero of the theme has them in the dark.
_PAINTS = {
    "ocean": ("#0b2239", "#173a5e", "#82bdf9"),
    "pine": ("#0b2a21", "#14483a", "#78d3ad"),
    "brick": ("#33150d", "#5b2516", "#f5a188"),
    "plum": ("#29112f", "#4d2059", "#dcaeea"),
}


def draw_card(*, title: str, site_title: str, accent: str) -> bytes:
    """Return a PNG of 1200 by 630. A word in letters our fonts do not have is left out, not shown as boxes.

    Cost:    about 0.15 s.
    """
    ground, shine, light = _PAINTS[accent]
    card = Image.new("RGB", (_WIDTH * _SCALE, _HEIGHT * _SCALE), ground)
    pen = ImageDraw.Draw(card)
    _disc(pen, centre=(_WIDTH - 60, _HEIGHT + 40), radius=360, fill=shine)
    _disc(pen, centre=(_WIDTH - 350, _HEIGHT + 20), radius=150, outline=light, width=34)
    lines, font = _fitted(_known(title) or _known(site_title))
    top = _MARGIN
    for line in lines:
        pen.text((_MARGIN * _SCALE, top * _SCALE), line, font=font, fill="#ffffff")
        top += round(font.size / _SCALE * 1.14)
    _signed(pen, _known(site_title), light)
    small = card.resize(CARD_SIZE, Image.Resampling.LANCZOS).quantize(_COLOURS, dither=Image.Dither.NONE)
    out = BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


def _disc(pen: ImageDraw.ImageDraw, *, centre: tuple[int, int], radius: int, **paint: object) -> None:
    x, y = centre
    box = [(x - radius) * _SCALE, (y - radius) * _SCALE, (x + radius) * _SCALE, (y + radius) * _SCALE]
    if isinstance(width := paint.get("width"), int):
        paint["width"] = width * _SCALE
    pen.ellipse(box, **paint)  # type: ignore[arg-type]


def _signed(pen: ImageDraw.ImageDraw, name: str, light: str) -> None:
    bottom = _HEIGHT - _MARGIN
    pen.rectangle(
        [_MARGIN * _SCALE, (bottom - 78) * _SCALE, (_MARGIN + 64) * _SCALE, (bottom - 72) * _SCALE],
        fill=light,
    )
    font = _font("Inter-Medium.otf", _NAME_SIZE)
    shown = _cut(name, font, (_WIDTH // 2) * _SCALE)
    pen.text((_MARGIN * _SCALE, bottom * _SCALE), shown, font=font, fill=light, anchor="ls")


def _fitted(title: str) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """Return the title in lines, as large as it fits; what is too long even in the smallest letters is cut."""
    room = (_WIDTH - 2 * _MARGIN) * _SCALE
    for size in _SIZES:
        font = _font("Inter-SemiBold.otf", size)
        lines = _wrapped(title, font, room)
        if len(lines) <= _LINES_MAX:
            return lines, font
    lines[_LINES_MAX - 1] = _cut(" ".join(lines[_LINES_MAX - 1 :]), font, room)
    return lines[:_LINES_MAX], font


def _wrapped(text: str, font: ImageFont.FreeTypeFont, room: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(_cut(word, font, room))
    return lines


def _cut(text: str, font: ImageFont.FreeTypeFont, room: int) -> str:
    if font.getlength(text) <= room:
        return text
    kept = text
    while kept and font.getlength(f"{kept}…") > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def _known(text: str) -> str:
    """Return the words that our fonts can write."""
    return " ".join(word for word in text.split() if all(map(_is_drawn, word)))


@lru_cache(maxsize=2_000)
def _is_drawn(char: str) -> bool:
    font = _font("Inter-SemiBold.otf", 20)
    return bytes(font.getmask(char)) != _box()


@lru_cache(maxsize=1)
def _box() -> bytes:
    """What the font draws for a letter that it does not have."""
    return bytes(_font("Inter-SemiBold.otf", 20).getmask("\U0010fffd"))


@lru_cache(maxsize=16)
def _font(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / name), size_px * _SCALE, layout_engine=ImageFont.Layout.BASIC)

"""Pictures as bytes: what is taken, what is refused, and that nothing is left in them but the picture.

Covers: sample.
"""

from __future__ import annotations

import base64
import contextlib
import struct
import zlib
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.site.assets.image import BYTES_MAX, SIDE_MAX, accept, media_type_of, variants
from shipworthy.rooms.site.assets.names import FORMATS, widths_of
from shipworthy.rooms.site.assets.sample import SAMPLE_BASE64
from tests.support.pictures import drawing, file_of, opened

_SECRET = "Kiel 54.3233, 10.1228"


@cache
def secretive() -> list[bytes]:
    """The same picture with a place in every corner a format has for words."""
    exif = Image.Exif()
    exif[0x010E] = _SECRET
    notes = PngInfo()
    notes.add_text("Comment", _SECRET)
    image = drawing(40, 20)
    return [
        file_of(image, "JPEG", exif=exif, comment=_SECRET.encode()),
        file_of(image, "PNG", exif=exif, pnginfo=notes),
        file_of(image, "WEBP", exif=exif, xmp=_SECRET.encode()),
        file_of(image, "AVIF", exif=exif, xmp=_SECRET.encode()),
    ]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_picture_is_what_its_content_says_and_keeps_its_colours(form: str) -> None:
    master = accept(file_of(drawing(), form, quality=90))
    assert (master.width, master.height) == (700, 400)
    assert master.media_type == {"JPEG": "image/jpeg", "PNG": "image/png"}.get(form, "image/webp")
    for at, want in {(5, 5): (200, 30, 30), (694, 394): (240, 240, 220)}.items():
        shown = opened(master.body).convert("RGB").getpixel(at)
        assert all(abs(a - b) < 14 for a, b in zip(shown, want, strict=True))


def test_no_word_that_came_with_a_picture_is_kept() -> None:
    for sent in secretive():
        assert _SECRET.encode() in sent
        master = accept(sent).body
        for body in (master, *(form.body for form in variants(master))):
            assert _SECRET.encode() not in body
            assert not opened(body).getexif()


def test_a_photograph_that_was_held_upright_is_kept_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90 degrees to see it
    master = accept(file_of(drawing(400, 200), "JPEG", exif=exif))
    assert (master.width, master.height) == (200, 400)
    red, green, _ = opened(master.body).getpixel((195, 5))
    assert red > 150 > green


def test_colours_of_another_profile_become_those_every_screen_shows() -> None:
    image = drawing(20, 20, mode="L")
    odd = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (odd, b"no profile at all"):
        assert "icc_profile" not in opened(accept(file_of(image, "JPEG", icc_profile=profile)).body).info


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGBA", "CMYK", "I;16"])
def test_every_way_of_writing_colours_is_understood(mode: str) -> None:
    image = drawing(30, 20, mode="L").convert("I;16") if mode == "I;16" else drawing(30, 20).convert(mode)
    sent = file_of(image, "JPEG" if mode == "CMYK" else "PNG")
    assert opened(accept(sent).body).mode in ("RGB", "RGBA")


def test_transparency_stays_where_a_format_knows_it() -> None:
    image = drawing(400, 200, mode="RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    master = accept(file_of(image, "PNG"))
    forms = {form.format: opened(form.body) for form in variants(master.body) if form.width == 320}
    assert {name: form.mode for name, form in forms.items()} == {"avif": "RGBA", "webp": "RGBA", "jpg": "RGB"}
    assert forms["jpg"].getpixel((5, 5)) == (255, 255, 255)


def test_a_picture_is_kept_in_every_form_and_in_none_larger_than_itself() -> None:
    master = accept(file_of(drawing(700, 400)))
    made = {(form.width, form.format): opened(form.body) for form in variants(master.body)}
    assert set(made) == {(width, format) for width in (320, 480, 640, 700) for format in FORMATS}
    assert {shown.format for shown in made.values()} == {"AVIF", "WEBP", "JPEG"}
    assert all(shown.size == (width, round(400 * width / 700)) for (width, _), shown in made.items())
    assert [form.body for form in variants(master.body)] == [form.body for form in variants(master.body)]


def test_a_large_picture_is_kept_no_larger_than_any_page_needs() -> None:
    master = accept(file_of(drawing(4_000, 1_000)))
    assert (master.width, master.height) == (SIDE_MAX, SIDE_MAX // 4)
    assert widths_of(master.width)[-1] == 1920


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"", "Choose a picture"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"%PDF-1.7", "no picture"),
        (b"GIF89a" + b"\0" * 40, "no picture"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "SVG"),
        (b"\xef\xbb\xbf <SVG onload=alert(1)>", "SVG"),
        (b"\xff" * (BYTES_MAX + 1), "larger than 10 MB"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_to_do(sent: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=why) as refused:
        accept(sent)
    assert refused.value.code == "site.image_invalid"


def png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG whose header says whatever one likes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", head),
            chunk(b"IDAT", zlib.compress(pixels)),
            chunk(b"IEND", b""),
        )
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_of_100_megapixels_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(Invalid, match="10000 x 10000 pixels"):
        accept(png(10_000, 10_000, b""))
    with pytest.raises(Invalid, match="damaged"):
        accept(png(60_000, 60_000, b""))  # past Pillow's own bound, too


def test_a_header_that_lies_is_refused() -> None:
    honest = png(2, 2, (b"\0" + b"\x10" * 6) * 2)
    assert accept(honest).width == 2
    for sent in (png(2_000, 2_000, (b"\0" + b"\x10" * 6) * 2), honest[:-30]):
        with pytest.raises(Invalid, match="damaged"):
            accept(sent)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "AVIF"])
def test_a_film_is_refused(form: str) -> None:
    frames = [drawing(20, 10), drawing(20, 10, seed=90)]
    with pytest.raises(Invalid, match="Moving pictures"):
        accept(file_of(frames[0], form, save_all=True, append_images=frames[1:]))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_broken_file_is_refused_and_nothing_else_happens(data: st.DataObject) -> None:
    sent = bytearray(data.draw(st.sampled_from(secretive())))
    for _ in range(data.draw(st.integers(1, 6))):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Invalid):
        master = accept(bytes(sent[: data.draw(st.integers(1, len(sent)))]))
        assert master.media_type == media_type_of(master.body)


def test_the_sample_of_the_routes_is_a_picture() -> None:
    assert accept(base64.b64decode(SAMPLE_BASE64)).media_type == "image/png"

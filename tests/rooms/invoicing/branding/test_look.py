"""The look of invoices: what is taken, what is refused, and what of it is on the paper.

Covers: look, logo, web, example.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import pikepdf
import pytest
from PIL import Image

from shipworthy.rooms.invoicing.branding.logo import PIXELS_MAX, accept_logo
from shipworthy.rooms.invoicing.branding.look import contrast_with_white
from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.test_pdf import text_of
from tests.support.app import RunningApp
from tests.support.multipart import CONTENT_TYPE, multipart


def picture(form: str = "PNG", size: tuple[int, int] = (300, 100), **saved: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (11, 95, 255)).save(out, form, **saved)
    return out.getvalue()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def test_an_invoice_carries_the_look_it_was_issued_with(app: RunningApp, acme: Person) -> None:
    before = await acme.issued()
    body = {"accent": "#0B5FFF", "footer": "HRB 12345\nAda Winter", "logo": b64(picture())}
    saved = await acme.send("PUT", "/api/seller/look", body)
    assert saved.json == {"accent": "#0b5fff", "footer": "HRB 12345\nAda Winter", "has_logo": True}
    after = await acme.issued()
    await acme.send("PUT", "/api/seller/look", {"footer": "Another", "drop_logo": "true"})
    for issued, has_look in ((before, False), (after, True)):
        await acme.run_jobs(issued["invoice_id"])
        pdf = (await acme.get(f"/api/invoices/{issued['invoice_id']}/pdf")).body
        assert ("HRB 12345" in text_of(pdf), "Another" in text_of(pdf)) == (has_look, False)
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            assert bool(list(opened.pages[0].get_images())) is has_look
            assert opened.Root.MarkInfo.Marked
    assert (await acme.get("/api/seller/look")).json == {"accent": "", "footer": "Another", "has_logo": False}


async def test_the_page_takes_a_file_and_shows_an_example(app: RunningApp, acme: Person) -> None:
    data = multipart({"accent": "#7a1f1f", "footer": ""}, {"logo": ("a.png", picture())})
    sent = await acme.client.post("/seller/look", body=data, headers={"content-type": CONTENT_TYPE})
    assert (sent.status, sent.header("location")) == (303, "/seller/look"), sent.text
    page = await acme.get("/seller/look")
    assert "Print no logo any more" in page.text
    example = await acme.get("/api/seller/look/example")
    assert (example.status, example.body[:4]) == (200, b"\x89PNG")
    viewer = await person(app, role="viewer", tenant_id=acme.tenant_id)
    assert "Save look" not in (await viewer.get("/seller/look")).text
    assert (await viewer.send("PUT", "/api/seller/look", {})).status == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"accent": "red"}, "accent"),
        ({"accent": "#ffff00"}, "accent"),
        ({"accent": "#0b5fff); #eval(1)"}, "accent"),
        ({"footer": "x" * 301}, "footer"),
        ({"footer": "x\n" * 6}, "footer"),
        ({"logo": b64(b"<svg/>")}, "logo"),
        ({"logo": b64(picture("GIF"))}, "logo"),
        ({"logo": b64(picture()[:-40])}, "logo"),
    ],
)
async def test_what_will_not_do_is_named(acme: Person, body: dict[str, Any], field: str) -> None:
    refused = await acme.send("PUT", "/api/seller/look", body)
    assert (refused.status, refused.json["code"]) == (422, "invoicing.look_invalid")
    assert list(refused.json["fields"]) == [field]
    assert (await acme.get("/api/seller/look")).json == {"accent": "", "footer": "", "has_logo": False}


def test_nothing_is_left_in_a_logo_but_the_picture() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    exif[0x0112] = 6  # stands on its side
    kept = accept_logo(picture("JPEG", exif=exif))
    assert b"secret" not in kept.body
    with Image.open(io.BytesIO(kept.body)) as image:
        assert (image.size, image.format, dict(image.getexif())) == ((100, 300), "PNG", {})
    assert accept_logo(picture("JPEG", exif=exif)).name == kept.name
    with Image.open(io.BytesIO(accept_logo(picture(size=(1999, 1999))).body)) as image:
        assert image.size == (400, 400)


def test_a_picture_too_large_to_decode_is_refused_by_its_head() -> None:
    side = int(PIXELS_MAX**0.5) + 1
    with pytest.raises(ValueError, match="million pixels"):
        accept_logo(picture(size=(side, side)))
    with pytest.raises(ValueError, match="kB"):
        accept_logo(b"x" * 600_000)


def test_contrast_is_that_of_the_standard() -> None:
    assert round(contrast_with_white("#767676"), 2) == 4.54
    assert round(contrast_with_white("#000000"), 2) == 21.0
    assert round(contrast_with_white("#ffffff"), 2) == 1.0

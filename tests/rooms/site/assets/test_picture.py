"""Addresses and HTML of pictures: they follow from the row, and every address in them is one we answer.

Covers: names.
"""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.rooms.site.assets.names import (
    FORMATS,
    address,
    asked_for,
    key_of,
    keys_in,
    slug_of,
    widths_of,
)
from shipworthy.rooms.site.assets.picture import lead_link, picture
from tests.support.page import parse

ASSET = {"key": "0123456789abcdef", "slug": "workshop", "width": 2560, "height": 1440, "is_private": False}


def test_the_lead_picture_is_fetched_first_and_the_others_when_they_are_seen() -> None:
    lead = parse(picture(ASSET, alt='A "bench"', is_lead=True)).one("img").attributes
    other = parse(picture(ASSET, alt="")).one("img").attributes
    assert (lead["fetchpriority"], lead["loading"], lead["alt"]) == ("high", "eager", 'A "bench"')
    assert (other["loading"], other["decoding"], other["alt"]) == ("lazy", "async", "")
    assert "fetchpriority" not in other
    assert (lead["width"], lead["height"]) == (other["width"], other["height"]) == ("2560", "1440")


def test_a_picture_offers_every_form_the_best_first() -> None:
    shown = parse(picture(ASSET, alt="x"))
    assert [e.attributes["type"] for e in shown.all("source")] == ["image/avif", "image/webp"]
    for element, format in zip([*shown.all("source"), shown.one("img")], FORMATS, strict=True):
        offered = [part.split() for part in str(element.attributes["srcset"]).split(", ")]
        assert [width for _, width in offered] == [f"{w}w" for w in (320, 480, 640, 960, 1280, 1920)]
        for where, width in offered:
            asked = asked_for(where.encode())
            assert asked == (ASSET["key"], "workshop", int(width[:-1]), format)
    assert shown.one("img").attributes["src"] == address(ASSET, 960, "jpg")


def test_the_lead_picture_is_named_before_the_page_is_read() -> None:
    others = picture(ASSET, alt="x")
    assert lead_link(others) == lead_link("<p>text</p>") == ""
    link = lead_link(
        others + picture({**ASSET, "key": "fedcba9876543210"}, alt='"', is_lead=True, sizes="100vw")
    )
    target, *said = link.split("; ")
    assert asked_for(target.strip("<>").encode()) == ("fedcba9876543210", "workshop", 320, "avif")
    assert said[:3] == ["rel=preload", "as=image", 'type="image/avif"']
    assert said[4:] == ['imagesizes="100vw"', "fetchpriority=high"]
    assert said[3].count("/_a/fedcba9876543210/") == 6


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=90), st.integers(1, 2560))
def test_every_picture_has_addresses_that_are_answered(name: str, width: int) -> None:
    asset = {"key": key_of(uuid.uuid4(), b"x"), "slug": slug_of(name), "width": width, "is_private": False}
    assert max(widths_of(width)) == min(width, 1920)
    for format in FORMATS:
        where = address(asset, widths_of(width)[0], format)
        assert asked_for(where.encode()) == (asset["key"], asset["slug"], widths_of(width)[0], format)
        assert keys_in(f'<img src="{where}"> <img src="{where}">') == [asset["key"]]


@pytest.mark.parametrize(
    "path",
    [
        b"/_a/0123456789abcdef/x-320.svg",
        b"/_a/0123456789abcdef/x-9999.jpg",
        b"/_a/0123456789abcdef/x-0.jpg",
        b"/_a/0123456789ABCDEF/x-320.jpg",
        b"/_a/0123456789abcdef/../x-320.jpg",
        b"/_a/0123456789abcdef/%2e%2e-320.jpg",
        b"/_a/0123456789abcdef/x-320.jpg/",
        b"/_a/",
    ],
)
def test_what_is_no_address_of_a_picture_asks_for_none(path: bytes) -> None:
    assert asked_for(path) is None


def test_a_name_becomes_words_that_search_engines_read() -> None:
    assert slug_of("C:\\Bilder\\Große Öfen 2026.JPEG") == "grosse-ofen-2026"
    assert slug_of("../../etc/passwd") == "passwd"
    assert slug_of("写真.jpg") == "picture"

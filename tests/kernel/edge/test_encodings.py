"""One way of writing is plain; every other is named, and what people and links write passes."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.edge.encodings import wrong_path, wrong_query, wrong_text


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (b"/a%00b", "encoding.null"),
        (b"/%c0%ae%c0%ae/etc", "encoding.overlong"),
        (b"/%e0%80%af", "encoding.overlong"),
        (b"/%f0%80%80%af", "encoding.overlong"),
        (b"/%ff", "encoding.not_utf8"),
        (b"/\xff", "encoding.not_utf8"),
        (b"/caf%E9", "encoding.not_utf8"),
        (b"/%252e%252e/etc", "encoding.double"),
        (b"/%2500", "encoding.null"),
        (b"/%25c0%25ae", "encoding.overlong"),
        (b"/a%0d%0aSet-Cookie:x", "encoding.control"),
        (b"/%u002e%u002e/", "encoding.percent_u"),
    ],
)
def test_a_path_that_two_readers_read_differently_is_named(path: bytes, rule: str) -> None:
    assert wrong_path(path) == rule


@pytest.mark.parametrize(
    "path", [b"/", b"/invoices/%C3%BCber", b"/100%25", b"/a%20b", b"/50%", b"/a%2Fb", b"/%F0%9F%8E%89"]
)
def test_what_browsers_and_links_write_passes(path: bytes) -> None:
    assert wrong_path(path) is None and wrong_query(b"q=" + path) is None


def test_a_query_may_hold_an_address_that_is_encoded_itself() -> None:
    assert wrong_query(b"next=%2Finvoices%3Fq%3D100%2525") is None
    assert wrong_query(b"next=%2Finvoices%3Fq%3D%2500") == "encoding.null"
    assert wrong_text(b"note=a%0D%0Ab&x=%00") == "encoding.null"
    assert wrong_text(b"note=a%0D%0Ab") is None


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=60))
def test_no_text_that_is_encoded_once_is_ever_refused(text: str) -> None:
    written = quote(text, safe="").encode()
    assert wrong_query(b"q=" + written) is None or "%" in text
    assert wrong_path(b"/" + written) in (None, "encoding.double") and (
        wrong_path(b"/" + written) is None or "%" in text
    )

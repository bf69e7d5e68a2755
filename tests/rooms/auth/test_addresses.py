"""Which texts are e-mail addresses, and which of them mean the same person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.rooms.auth.addresses import read_address


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@Example.COM ", "ada@example.com"),
        ("ada.b+invoices@mail.example.co.uk", "ada.b+invoices@mail.example.co.uk"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("\uff41\uff44\uff41@example.com", "ada@example.com"),  # full-width letters
        ("\u212aim@example.com", "kim@example.com"),  # the Kelvin sign
        ("o'neil_x-y@a.io", "o'neil_x-y@a.io"),
        ("müller@example.com", "müller@example.com"),
    ],
)
def test_an_address_has_one_canonical_form(text: str, canonical: str) -> None:
    address = read_address(text)
    assert address is not None
    assert address.canonical == canonical


@pytest.mark.parametrize(
    "text",
    [
        "", "ada", "@example.com", "ada@", "ada@example", "ada@@example.com", "a b@example.com", "ada@exa mple.com",
        "ada@example..com", ".ada@example.com", "ada.@example.com", "a..b@example.com", "ada@-x.com", "ada@x-.com",
        "ada@127.0.0.1", "ada@[127.0.0.1]", "ada\x00@example.com", "ada@example.com\r\nBcc: eve@evil.example",
        "ada@example.com,eve@evil.example", "<ada@example.com>", '"ada"@example.com', "ada\u202e@example.com",
        "a" * 65 + "@example.com", "ada@" + "a" * 64 + ".com", "a@" + ".".join(["a" * 60] * 5), "ada@exa_mple.com",
        "ada\u2024@example.com", "ada@example.com\x85x", "\ud800@example.com", "ada@\ud800.com",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    assert read_address(text) is None


@given(st.text(max_size=80))
def test_reading_the_canonical_form_again_changes_nothing(text: str) -> None:
    address = read_address(f"{text}@example.com")
    if address is not None:
        assert read_address(address.canonical) == type(address)(address.canonical, address.canonical)

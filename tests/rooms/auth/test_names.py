"""Names that may stand in a page, a mail and an invoice."""

from __future__ import annotations

import pytest

from shipworthy.rooms.auth.names import read_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ada", "Ada"),
        ("  Ada   B. ", "Ada B."),
        ("O'Neil-Smith & Söhne GmbH", "O'Neil-Smith & Söhne GmbH"),
        ("山田 太郎", "山田 太郎"),
        ("a\tb\nc", "a b c"),
        ("e\u0301", "é"),
    ],
)
def test_a_name_is_kept_with_single_spaces(text: str, name: str) -> None:
    assert read_name(text, chars_max=30) == name


@pytest.mark.parametrize("text", ["", "   ", "x" * 31, "a\x00b", "a\x1bb", "a\u202eb", "a\u200bb", "\ud800"])
def test_what_no_name_holds_is_refused(text: str) -> None:
    assert read_name(text, chars_max=30) is None

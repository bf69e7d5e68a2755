"""What is taken for a password, and why not."""

from __future__ import annotations

import pytest

from shipworthy.rooms.auth.passwords import normalised, password_problem

KNOWN = ("Mara Lindqvist", "mara.l@nordlicht.example", "Nordlicht Studio", "Test app")


def problem(password: str, chars_min: int = 12) -> str | None:
    return password_problem(password, chars_min=chars_min, known_words=KNOWN)


@pytest.mark.parametrize(
    "password",
    [
        "seven quiet lanterns", "a horse over the fence", "Grün ist die Hoffnung", "x7Kq-92mZ-pp4R", "пароль из слов",
        "12 monkeys left the building", "mara rides the night train", "🦊🐙🦉🐝🐞🦋🐌🐢🐍🦎🦖🐳",
        "correct horse battery staple", "a" + "bcdefgh ijk" * 23,
    ],
)  # fmt: skip
def test_long_and_uncommon_is_enough(password: str) -> None:
    assert problem(password) is None


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("short", "at least 12"),
        ("elevenchars", "at least 12"),
        ("\uff41" * 4 + "bcdefgh", "at least 12"),
        ("x" * 257, "at most 256"),
        ("seven quiet\x00lanterns", "no keyboard"),
        ("seven quiet \ud800 lanterns", "no keyboard"),
        ("aaaaaaaaaaaaaaaa", "less regular"),
        ("abababababababab", "less regular"),
        ("hunter7hunter7hunter7", "less regular"),
        ("abcdefghijklmnop", "less regular"),
        ("987654321098765", "less regular"),
        ("poiuytrewq;lkjhgf", "less regular"),
        ("password1234", "Many people"),
        ("PassWord!!2026", "Many people"),
        ("2024-Sunshine-2024", "Many people"),
        ("qwertyuiop123", "Many people"),
        ("motherfucker", "Many people"),
        ("Nordlicht-Studio-2026", "your name"),
        ("maralindqvist1!", "your name"),
        ("mara.l@nordlicht.example", "your name"),
        ("testapp-nordlicht", "your name"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, word: str) -> None:
    assert word in (problem(password) or "")


def test_the_bound_counts_code_points_and_is_the_settings_own() -> None:
    assert problem("kq7-zmpw", chars_min=8) is None
    assert problem("kq7-zmp", chars_min=8) is not None
    assert problem("é ü ß ж 火 ∑ ≈") is None  # thirteen code points, more bytes


def test_the_same_keys_make_the_same_password_on_every_keyboard() -> None:
    assert normalised("Gru\u0308n ist die Ho\ufb00nung") == normalised("Grün ist die Hoffnung")


def test_a_password_longer_than_any_we_took_matches_nothing() -> None:
    assert normalised("x" * 257) == ""
    assert len(normalised("x" * 256)) == 256

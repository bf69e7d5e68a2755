"""The rates a form offers, and reading them back."""

from __future__ import annotations

import pytest

from shipworthy.rooms.invoicing.tax_choices import read_tax_value, tax_choices, tax_value


def test_the_standard_rate_of_the_country_comes_first_and_a_drafts_own_rate_stays() -> None:
    german = tax_choices("DE", locale="de", also=("S:1600",))
    assert german[:3] == [
        ("S:1900", "19\N{NO-BREAK SPACE}%"),
        ("S:700", "7\N{NO-BREAK SPACE}%"),
        ("S:1600", "16\N{NO-BREAK SPACE}%"),
    ]
    assert ("AE:0", "0\N{NO-BREAK SPACE}% reverse charge") in german
    assert tax_choices("CH", locale="en")[0] == ("S:810", "8.1%")
    assert tax_choices("XX", locale="en")


def test_every_choice_reads_back_as_it_was_offered() -> None:
    for country in ("DE", "CH", "XX"):
        for value, _ in tax_choices(country, locale="en"):
            read = read_tax_value(value)
            assert read is not None
            assert tax_value(*read) == value


@pytest.mark.parametrize(
    "value", ["", "S", "S:", "S:-1", "X:0", "S:1e3", "S:123456", "S:\N{SUPERSCRIPT TWO}"]
)
def test_what_no_form_of_ours_sends_is_not_read(value: str) -> None:
    assert read_tax_value(value) is None

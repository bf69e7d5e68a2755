"""The table of currencies is ISO 4217's, complete, and cannot be edited at run time."""

from __future__ import annotations

import re

import pytest

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.money.currencies import CURRENCIES, Currency, currency_of


@pytest.mark.parametrize(
    ("code", "exponent"),
    [
        ("EUR", 2),
        ("JPY", 0),
        ("KWD", 3),
        ("CLF", 4),
        ("HUF", 2),
        ("ISK", 0),
        ("TND", 3),
        ("UYW", 4),
        ("TWD", 2),
    ],
)
def test_the_exponent_is_the_one_iso_publishes(code: str, exponent: int) -> None:
    assert currency_of(code).exponent == exponent


def test_the_list_is_complete() -> None:
    """List One at amendment 180 has 178 codes; 13 of them (metals, tests, XDR...) have no minor unit."""
    assert len(CURRENCIES) == 178 - 13
    assert all(
        re.fullmatch("[A-Z]{3}", code) and currency.code == code for code, currency in CURRENCIES.items()
    )
    by_exponent = {e: sum(c.exponent == e for c in CURRENCIES.values()) for e in range(5)}
    assert by_exponent == {0: 17, 1: 0, 2: 139, 3: 7, 4: 2}


@pytest.mark.parametrize("code", ["XAU", "XTS", "XXX", "DEM", "HRK", "ANG", "BGN", "ZWL", "", "EURO", "€"])
def test_withdrawn_metals_and_invented_codes_are_refused(code: str) -> None:
    with pytest.raises(Invalid) as refused:
        currency_of(code)
    assert refused.value.code == "money.currency_unknown"


def test_a_code_in_small_letters_is_refused_with_the_right_spelling() -> None:
    with pytest.raises(Invalid, match=r"Write EUR\."):
        currency_of("eur")


def test_cash_is_coarser_than_the_minor_unit_only_where_the_coins_are() -> None:
    assert currency_of("CHF").cash_increment_minor == 5
    assert currency_of("CHF").exponent == 2
    assert currency_of("EUR").cash_increment_minor == 1


def test_the_table_is_frozen() -> None:
    with pytest.raises(TypeError):
        CURRENCIES["EUR"] = Currency("EUR", 3)  # type: ignore[index]

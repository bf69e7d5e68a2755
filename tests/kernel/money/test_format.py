"""Amounts are written as people in two countries expect, and lose no digit on the way."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.kernel.language import Locale
from shipworthy.kernel.money.currencies import CURRENCIES
from shipworthy.kernel.money.format import AmountStyle, format_amount, format_decimal, format_rate


@pytest.mark.parametrize(
    ("amount_minor", "currency", "locale", "style", "expected"),
    [
        (123450, "EUR", "en", "symbol", "€1,234.50"),
        (123450, "EUR", "de", "symbol", "1.234,50\u00a0€"),
        (123450, "EUR", "de", "code", "1.234,50\u00a0EUR"),
        (123450, "EUR", "en", "code", "EUR\u00a01,234.50"),
        (123450, "EUR", "de", "bare", "1.234,50"),
        (-5, "USD", "en", "symbol", "\u2212$0.05"),
        (-5, "USD", "de", "symbol", "\u22120,05\u00a0$"),
        (123450, "CHF", "en", "symbol", "CHF\u00a01,234.50"),
        (1234567, "JPY", "en", "symbol", "¥1,234,567"),
        (1234567, "KWD", "en", "symbol", "KWD\u00a01,234.567"),
        (1, "CLF", "de", "symbol", "0,0001\u00a0CLF"),
        (0, "EUR", "en", "bare", "0.00"),
    ],
)
def test_an_amount_as_it_is_printed(
    amount_minor: int, currency: str, locale: Locale, style: AmountStyle, expected: str
) -> None:
    assert format_amount(amount_minor, currency=currency, locale=locale, style=style) == expected


@settings(deadline=None)
@given(st.integers(-(10**15), 10**15), st.sampled_from(sorted(CURRENCIES)), st.sampled_from(["en", "de"]))
def test_every_digit_of_an_amount_is_shown(amount_minor: int, currency: str, locale: Locale) -> None:
    text = format_amount(amount_minor, currency=currency, locale=locale, style="bare")
    negative, figures = text.startswith("\u2212"), text.lstrip("\u2212")
    point = "," if locale == "de" else "."
    decimals = figures.partition(point)[2]
    assert len(decimals) == CURRENCIES[currency].exponent
    digits = int("".join(mark for mark in figures if mark.isdigit()))
    assert (-digits if negative else digits) == amount_minor


def test_an_amount_that_is_not_whole_is_refused() -> None:
    with pytest.raises(TypeError):
        format_amount(1.0, currency="EUR", locale="en")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "locale", "decimals_min", "expected"),
    [
        ("1.500000", "en", 0, "1.5"),
        ("1500", "de", 0, "1.500"),
        ("1.5E3", "en", 2, "1,500.00"),
        ("-0.125", "de", 2, "\u22120,125"),
        ("-0.0", "en", 2, "0.00"),
        ("999999999999.999999", "en", 0, "999,999,999,999.999999"),
    ],
)
def test_a_number_shows_what_it_holds_and_no_needless_zeros(
    value: str, locale: Locale, decimals_min: int, expected: str
) -> None:
    assert format_decimal(Decimal(value), locale=locale, decimals_min=decimals_min) == expected


def test_a_number_without_digits_is_refused() -> None:
    with pytest.raises(ValueError, match="no digits"):
        format_decimal(Decimal("NaN"), locale="en")


def test_a_rate_is_shown_as_a_percentage() -> None:
    assert format_rate(1900, locale="en") == "19%"
    assert format_rate(770, locale="de") == "7,7\u00a0%"
    assert format_rate(0, locale="en") == "0%"

"""`Money` keeps what it is given, and refuses what it could not keep."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.money.money import AMOUNT_MAX_MINOR, Money, within_bounds

HALF = AMOUNT_MAX_MINOR // 2
amounts = st.integers(-HALF, HALF)


@settings(deadline=None)
@given(amounts, amounts)
def test_what_is_added_can_be_taken_away_again(a: int, b: int) -> None:
    left, right = Money(a, "EUR"), Money(b, "EUR")
    assert (left + right).amount_minor == a + b
    assert left + right - right == left
    assert left - right == -(right - left)


def test_two_currencies_do_not_add() -> None:
    with pytest.raises(ValueError, match="EUR and USD do not add"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(TypeError):
        Money(1, "EUR") + 1  # type: ignore[operator]


@pytest.mark.parametrize("amount", [1.0, Decimal(1), True, "1", None])
def test_an_amount_is_a_whole_number_and_nothing_else(amount: object) -> None:
    assert Money(1, "EUR").amount_minor == 1
    with pytest.raises(TypeError, match="whole number of minor units"):
        Money(amount, "EUR")  # type: ignore[arg-type]


def test_an_amount_is_at_most_what_a_browser_keeps_exact() -> None:
    assert float(AMOUNT_MAX_MINOR) == AMOUNT_MAX_MINOR
    assert float(AMOUNT_MAX_MINOR + 2) != AMOUNT_MAX_MINOR + 2
    assert within_bounds(-AMOUNT_MAX_MINOR) == -AMOUNT_MAX_MINOR
    for amount in (AMOUNT_MAX_MINOR + 1, -AMOUNT_MAX_MINOR - 1):
        with pytest.raises(Invalid) as refused:
            Money(amount, "EUR")
        assert refused.value.code == "money.too_large"


def test_money_knows_its_currency_and_cannot_be_changed() -> None:
    assert Money(5, "JPY").unit.exponent == 0
    with pytest.raises(AttributeError):
        Money(5, "JPY").amount_minor = 6  # type: ignore[misc]
    with pytest.raises(Invalid) as refused:
        Money(5, "XXX")
    assert refused.value.code == "money.currency_unknown"

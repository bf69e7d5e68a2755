"""What is typed is read as it was meant, and written so that it is read as the same again."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.money.currencies import CURRENCIES
from shipworthy.rooms.invoicing.pricing.changes import Change
from shipworthy.rooms.invoicing.pricing.typed import read_change, type_change

changes = st.builds(
    Change, kind=st.sampled_from(["discount", "charge"]), percent_bp=st.integers(0, 10_000)
) | st.builds(Change, kind=st.sampled_from(["discount", "charge"]), amount_minor=st.integers(0, 10**11))


@given(changes, st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_a_change_is_typed_as_it_is_read(change: Change, currency: str) -> None:
    typed = type_change(change, exponent=CURRENCIES[currency].exponent)
    wrong: dict[str, str] = {}
    assert read_change(typed, "", currency=currency, field="x", wrong=wrong) == change
    assert wrong == {}
    if change.amount_minor is not None:
        assert Decimal(typed) == Decimal(change.amount_minor).scaleb(-CURRENCIES[currency].exponent)


@pytest.mark.parametrize(
    ("typed", "currency", "said"),
    [
        ("ten", "EUR", "is not a number"),
        ("1e9", "EUR", "is not a number"),
        ("NaN%", "EUR", "is not a number"),
        ("12,50", "EUR", "has a comma"),
        ("1.255", "EUR", "too many decimals"),
        ("12.5", "JPY", "no decimals"),
        ("100.01%", "EUR", "is not a rate"),
        ("-5%", "EUR", "without a minus"),
        ("-1", "JPY", "without a minus"),
        ("1.2345678%", "EUR", "too many decimals"),
        ("99999999999999", "EUR", "too large"),
        ("+", "EUR", "is not a number"),
        ("", "EUR", "is not a number"),
    ],
)
def test_what_cannot_be_read_is_named(typed: str, currency: str, said: str) -> None:
    wrong: dict[str, str] = {}
    assert read_change(typed, "why", currency=currency, field="lines[0].discount", wrong=wrong) is None
    assert said in wrong["lines[0].discount"]


def test_nothing_typed_is_no_change_and_an_unknown_currency_is_somebody_elses_to_refuse() -> None:
    wrong: dict[str, str] = {}
    assert read_change(" ", "", currency="EUR", field="x", wrong=wrong) is None
    assert read_change("5", "", currency="???", field="x", wrong=wrong) is None
    assert wrong == {}

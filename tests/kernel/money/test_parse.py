"""Numbers are read strictly: one spelling, or a sentence that says how to write it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.money.parse import (
    parse_decimal,
    parse_minor,
    parse_price,
    parse_quantity,
    parse_rate_bp,
)


@settings(deadline=None)
@given(st.decimals(-(10**12) + 1, 10**12 - 1, places=6))
def test_a_plain_number_is_read_exactly(number: Decimal) -> None:
    assert parse_decimal(f"{number:f}") == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"),
        (" 12.50\n", "12.5"),
        ("-3", "-3"),
        ("007", "7"),
        ("-00", "0"),
        ("00000000000000012", "12"),
        ("0.000001", "0.000001"),
        ("-0.0", "0"),
        ("1.5000000000", "1.5"),
    ],
)
def test_what_is_accepted(text: str, number: str) -> None:
    assert str(parse_decimal(text)) == number


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "-",
        ".",
        ".5",
        "5.",
        "+5",
        "1e3",
        "1E-2",
        "NaN",
        "Infinity",
        "-inf",
        "0x10",
        "1_000",
        "1 000",
        "--1",
        "1.2.3",
        "1;drop",
        "1,234.56",
        "1.234,56,7",
    ],
)
def test_everything_that_is_not_plain_digits_is_refused(text: str) -> None:
    assert refusal_of(parse_decimal, text).code == "money.not_a_number"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\N{ARABIC-INDIC DIGIT THREE}",
        "\N{FULLWIDTH DIGIT ONE}",
        "½",
        "1\x00",
        "9" * 65,
        "1" + "0" * 10_000,
    ],
    ids=["empty", "arabic digit", "wide digit", "one half", "nul", "65 digits", "10,000 digits"],
)
def test_odd_characters_and_endless_digits_are_refused_in_a_short_sentence(text: str) -> None:
    refused = refusal_of(parse_decimal, text)
    assert refused.code == "money.not_a_number"
    assert len(refused.message) < 120, "the sentence does not repeat ten thousand digits"


@pytest.mark.parametrize("text", ["12,50", "-3,5", "1.234,56", "1'234,5"])
def test_a_decimal_comma_is_refused_by_name(text: str) -> None:
    assert refusal_of(parse_decimal, text).code == "money.decimal_comma"


def test_too_fine_and_too_large_are_refused() -> None:
    assert parse_decimal("999999999999.999999") == Decimal("999999999999.999999")
    assert refusal_of(parse_decimal, "0.0000001").code == "money.too_many_decimals"
    assert refusal_of(parse_decimal, "1000000000000").code == "money.too_large"


@pytest.mark.parametrize("number", [1, 1.5, Decimal(1), None, b"1"])
def test_only_text_is_read(number: object) -> None:
    with pytest.raises(TypeError, match="read from text"):
        parse_decimal(number)  # type: ignore[arg-type]


def test_a_quantity_may_be_negative_and_a_price_may_not() -> None:
    assert parse_quantity("-2") == -2
    assert parse_price("0.00125") == Decimal("0.00125")
    refused = refusal_of(parse_price, "-2")
    assert (refused.code, list(refused.fields)) == ("money.negative", ["unit_price"])


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        ("-0.01", "EUR", -1),
        ("1250", "JPY", 1250),
        ("12.00", "JPY", 12),
        ("1.234", "KWD", 1234),
        ("0.0001", "CLF", 1),
    ],
)
def test_an_amount_is_read_in_the_minor_units_of_its_currency(
    text: str, currency: str, amount_minor: int
) -> None:
    assert parse_minor(text, currency=currency) == amount_minor


def test_an_amount_finer_than_the_currency_is_refused_never_rounded() -> None:
    assert (
        refusal_of(lambda text: parse_minor(text, currency="EUR"), "0.005").code == "money.too_many_decimals"
    )
    assert "no decimals" in refusal_of(lambda text: parse_minor(text, currency="JPY"), "0.5").message
    assert (
        refusal_of(lambda text: parse_minor(text, currency="CLF"), "999999999999").code == "money.too_large"
    )


def test_a_percentage_becomes_basis_points() -> None:
    assert [parse_rate_bp(text) for text in ("19", "7.7", "8.25", "0", "100")] == [1900, 770, 825, 0, 10_000]
    assert refusal_of(parse_rate_bp, "100.01").code == "money.rate_out_of_range"
    assert refusal_of(parse_rate_bp, "-1").code == "money.rate_out_of_range"
    assert refusal_of(parse_rate_bp, "8.875").code == "money.too_many_decimals"


def test_a_refusal_names_the_field_it_is_about() -> None:
    with pytest.raises(Invalid) as refused:
        parse_decimal("many", field="lines.0.quantity")
    assert refused.value.fields == {"lines.0.quantity": refused.value.message}


def refusal_of(parse: Callable[[str], object], text: str) -> Invalid:
    with pytest.raises(Invalid) as refused:
        parse(text)
    return refused.value

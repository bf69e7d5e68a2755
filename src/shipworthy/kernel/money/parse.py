"""Reading numbers that people and programs write: quantities, prices, amounts, percentages.

Owns: what is refused, with which code. Strict on purpose: `1,234` is a thousand in London and
one and a bit in Berlin, and a guess would be money. Knows no HTTP; `field` names the input
that was wrong, so that a form can show the sentence beside it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NoReturn

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.kernel.money.currencies import currency_of
from shipworthy.kernel.money.money import within_bounds

# What numeric(18,6) holds, the column type of quantities and unit prices.
INTEGER_DIGITS_MAX = 12
DECIMALS_MAX = 6

_TEXT_LENGTH_MAX = 64
_PLAIN_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_LOOKS_LIKE_A_COMMA = re.compile(r"-?[0-9][0-9.']*,[0-9]+")


def parse_decimal(text: str, *, field: str = "number", decimals_max: int = DECIMALS_MAX) -> Decimal:
    """Return the number written as digits with at most one point: `12`, `-3`, `0.125`.

    Errors:  `money.not_a_number` (empty, a sign alone, an exponent, NaN, infinity, grouping),
             `money.decimal_comma`, `money.too_many_decimals`, `money.too_large`;
             TypeError for anything but text, because a JSON float has lost digits already.
    """
    if not isinstance(text, str):
        raise TypeError(f"A number is read from text, not from {type(text).__name__}.")
    text = text.strip(" \t\r\n")
    found = _PLAIN_DECIMAL.fullmatch(text) if len(text) <= _TEXT_LENGTH_MAX else None
    if found is None:
        _refuse_text(text, field)
    sign, integer, decimals = found[1], found[2].lstrip("0") or "0", (found[3] or "").rstrip("0")
    if len(decimals) > decimals_max:
        said = (
            _(
                "{text} has too many decimals; at most {decimals_max} decimals can be used here.",
                text=text,
                decimals_max=decimals_max,
            )
            if decimals_max
            else _("{text} has too many decimals; no decimals can be used here.", text=text)
        )
        _refuse("money.too_many_decimals", said, field)
    if len(integer) > INTEGER_DIGITS_MAX:
        _refuse(
            "money.too_large",
            _(
                "{text} is too large; at most {digits} digits before the point.",
                text=text,
                digits=INTEGER_DIGITS_MAX,
            ),
            field,
        )
    number = f"{integer}.{decimals}" if decimals else integer
    return Decimal(number if number == "0" else sign + number)  # there is no minus zero


def parse_quantity(text: str, *, field: str = "quantity") -> Decimal:
    """Return a quantity; below zero is allowed, a line may take something back.

    Errors:  as `parse_decimal`.
    """
    return parse_decimal(text, field=field)


def parse_price(text: str, *, field: str = "unit_price") -> Decimal:
    """Return a unit price in major units, finer than the minor unit if need be: `0.00125`.

    Errors:  as `parse_decimal`, and `money.negative`.
    Source:  EN 16931 rule BR-27 (the item net price is not negative).
    """
    price = parse_decimal(text, field=field)
    if price < 0:
        _refuse(
            "money.negative", _("A price cannot be below zero; make the quantity negative instead."), field
        )
    return price


def parse_minor(text: str, *, currency: str, field: str = "amount") -> int:
    """Return an amount written in major units as minor units: `12.50` EUR is 1250.

    Errors:  as `parse_decimal`; a third decimal of a euro is refused, never rounded away.
    """
    exponent = currency_of(currency).exponent
    major = parse_decimal(text, field=field, decimals_max=exponent)
    return within_bounds(int(major.scaleb(exponent)))


def parse_rate_bp(text: str, *, field: str = "rate") -> int:
    """Return a percentage as basis points: `19` is 1900, `8.25` is 825.

    Errors:  as `parse_decimal` with two decimals; `money.rate_out_of_range` outside 0..100.
    """
    percent = parse_decimal(text, field=field, decimals_max=2)
    if not 0 <= percent <= 100:
        said = _("{percent} % is not a rate; write a number from 0 to 100.", percent=percent)
        _refuse("money.rate_out_of_range", said, field)
    return int(percent * 100)


def _refuse_text(text: str, field: str) -> NoReturn:
    shown = repr(text if len(text) <= 24 else text[:24] + "…")
    if _LOOKS_LIKE_A_COMMA.fullmatch(text):
        said = _("{text} has a comma; write a point and no grouping, like 1234.50.", text=shown)
        _refuse("money.decimal_comma", said, field)
    said = _("{text} is not a number; write digits, like 12 or 12.50.", text=shown)
    _refuse("money.not_a_number", said, field)


def _refuse(code: str, message: str, field: str) -> NoReturn:
    raise Invalid(code, message, fields={field: message})

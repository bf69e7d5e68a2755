"""How numbers, amounts and days stand in a file, and how they are read from one that nobody vouches for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

DIGITS_MAX = 30


@dataclass(frozen=True, slots=True)
class Codec:
    """How a value stands in an element."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:40]!r} is not a number.") from None
    if not number.is_finite() or "_" in text or "e" in text.lower():
        raise ValueError(f"{text[:40]!r} is not a number an invoice may carry.")
    if len(number.as_tuple().digits) > DIGITS_MAX:
        raise ValueError(f"The number has more than {DIGITS_MAX} digits.")
    return number


def _number_text(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _amount_text(amount: Decimal) -> str:
    """At least two decimals, as every example of the norm writes amounts."""
    whole, _, decimals = _number_text(amount).partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text[:10]) if len(text) in (10, 11, 16) else date.fromisoformat("-")
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no day; write it like 2026-01-31.") from None


def _date_102(text: str) -> date:
    try:
        if len(text) != 8 or not (text.isascii() and text.isdigit()):
            raise ValueError
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no day; write it like 20260131.") from None


TEXT = Codec(str, str)
NUMBER = Codec(_number_text, _decimal)
AMOUNT = Codec(_amount_text, _decimal)
DATE = Codec(date.isoformat, _date)
DATE_102 = Codec(lambda day: f"{day.year:04d}{day.month:02d}{day.day:02d}", _date_102)

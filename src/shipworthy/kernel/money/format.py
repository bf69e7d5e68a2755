"""Writing amounts, numbers and percentages for people, as CLDR (through Babel) says of their language.

The marks and symbols are CLDR's, read once; the digits are put together here, because Babel needs
thirty times as long for an amount, and a long invoice has thousands. The minus is a true minus sign,
which lines up with figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Literal

from babel import Locale as Cldr

from shipworthy.kernel.language import Locale
from shipworthy.kernel.money.currencies import currency_of

AmountStyle = Literal["symbol", "code", "bare"]


def format_amount(amount_minor: int, *, currency: str, locale: Locale, style: AmountStyle = "symbol") -> str:
    """Return the amount as people write it: `€1,234.50`, `1.234,50 €`, `JPY 1,235`, `1.234,50`.

    A currency without an unmistakable symbol shows its code. Spaces do not break.

    Units:   minor currency units.
    """
    exponent = currency_of(currency).exponent
    if type(amount_minor) is not int:
        raise TypeError(f"An amount is a whole number of minor units, not {type(amount_minor).__name__}.")
    marks = _marks(locale)
    digits = str(abs(amount_minor)).rjust(exponent + 1, "0")
    point = len(digits) - exponent
    number = _join(digits[:point], digits[point:], marks)
    sign = MINUS if amount_minor < 0 else ""
    if style == "bare":
        return sign + number
    unit = marks.symbols.get(currency, currency) if style == "symbol" else currency
    if marks.unit_follows:
        return f"{sign}{number}{NO_BREAK_SPACE}{unit}"
    return f"{sign}{unit}{NO_BREAK_SPACE if unit.isalpha() else ''}{number}"


def format_decimal(value: Decimal, *, locale: Locale, decimals_min: int = 0) -> str:
    """Return the number without needless zeros, with at least `decimals_min` decimals.

    Nothing is rounded: every digit that the value holds is shown.
    """
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{value} has no digits to show.")
    integer, _, decimals = f"{abs(value):f}".partition(".")
    decimals = decimals.rstrip("0").ljust(decimals_min, "0")
    return (MINUS if sign and any(digits) else "") + _join(integer, decimals, _marks(locale))


def format_rate(rate_bp: int, *, locale: Locale) -> str:
    """Return basis points as a percentage: 1900 is `19%`, in German `19 %`."""
    percent = format_decimal(Decimal(rate_bp).scaleb(-2), locale=locale)
    return f"{percent}{_marks(locale).before_percent}%"


MINUS = "\N{MINUS SIGN}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class _Marks:
    point: str
    group: str
    unit_follows: bool
    before_percent: str
    symbols: dict[str, str]  # of a currency; one without has its code


@cache
def _marks(locale: Locale) -> _Marks:
    cldr = Cldr.parse(locale)
    symbols = cldr.number_symbols["latn"]
    percent = cldr.percent_formats[None].pattern
    return _Marks(
        point=symbols["decimal"],
        group=symbols["group"],
        unit_follows=cldr.currency_formats["standard"].pattern.endswith("\N{CURRENCY SIGN}"),
        before_percent=percent.rstrip("%").lstrip("#,0"),
        symbols=dict(cldr.currency_symbols),
    )


def _join(integer: str, decimals: str, marks: _Marks) -> str:
    grouped = f"{int(integer):,}".replace(",", marks.group)
    return f"{grouped}{marks.point}{decimals}" if decimals else grouped

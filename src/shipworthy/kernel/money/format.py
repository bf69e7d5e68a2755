"""Writing amounts, numbers and percentages for people, in English and in German.

Own and small: grouping in threes, two locales, the symbols that are unmistakable. Babel would
bring 30 MB of locales for these lines; a third locale is the time to ask again.
Output follows CLDR, except that the minus is a true minus sign, which lines up with figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from shipworthy.kernel.money.currencies import currency_of

Locale = Literal["en", "de"]
AmountStyle = Literal["symbol", "code", "bare"]


def format_amount(amount_minor: int, *, currency: str, locale: Locale, style: AmountStyle = "symbol") -> str:
    """Return the amount as people write it: `€1,234.50`, `1.234,50 €`, `JPY 1,235`, `1.234,50`.

    A currency without an unmistakable symbol shows its code. Spaces do not break.

    Units:   minor currency units.
    """
    exponent = currency_of(currency).exponent
    if type(amount_minor) is not int:
        raise TypeError(f"An amount is a whole number of minor units, not {type(amount_minor).__name__}.")
    digits = str(abs(amount_minor)).rjust(exponent + 1, "0")
    point = len(digits) - exponent
    number = _join(digits[:point], digits[point:], _MARKS[locale])
    sign = MINUS if amount_minor < 0 else ""
    if style == "bare":
        return sign + number
    unit = _SYMBOLS.get(currency, currency) if style == "symbol" else currency
    if _MARKS[locale].unit_follows:
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
    return (MINUS if sign and any(digits) else "") + _join(integer, decimals, _MARKS[locale])


def format_rate(rate_bp: int, *, locale: Locale) -> str:
    """Return basis points as a percentage: 1900 is `19%`, in German `19 %`."""
    percent = format_decimal(Decimal(rate_bp).scaleb(-2), locale=locale)
    return f"{percent}{_MARKS[locale].before_percent}%"


MINUS = "\N{MINUS SIGN}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class _Marks:
    point: str
    group: str
    unit_follows: bool
    before_percent: str


_MARKS: dict[Locale, _Marks] = {
    "en": _Marks(point=".", group=",", unit_follows=False, before_percent=""),
    "de": _Marks(point=",", group=".", unit_follows=True, before_percent=NO_BREAK_SPACE),
}

# A bare dollar is the American one, as in CLDR; the others carry their country.
_SYMBOLS = {
    "AUD": "A$",
    "BRL": "R$",
    "CAD": "CA$",
    "CNY": "CN¥",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "¥",
    "KRW": "₩",
    "MXN": "MX$",
    "NZD": "NZ$",
    "TWD": "NT$",
    "USD": "$",
    "VND": "₫",
}


def _join(integer: str, decimals: str, marks: _Marks) -> str:
    grouped = f"{int(integer):,}".replace(",", marks.group)
    return f"{grouped}{marks.point}{decimals}" if decimals else grouped

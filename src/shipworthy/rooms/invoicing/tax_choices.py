"""The tax rates a form offers, by the seller's country. The API takes any rate.

Source:  national VAT acts, standard and reduced rates in force in January 2026. A table the
         tenant edits replaces this one when tax codes become rows (anchor e, tax engine).
"""

from __future__ import annotations

from shipworthy.kernel.language import Locale, _
from shipworthy.kernel.money.format import format_rate
from shipworthy.rooms.invoicing.tax import TAXED, UNTAXED_CATEGORIES

_RATES_BP = {
    "AT": (2000, 1300, 1000),
    "BE": (2100, 1200, 600),
    "CH": (810, 380, 260),
    "DE": (1900, 700),
    "ES": (2100, 1000, 400),
    "FR": (2000, 1000, 550, 210),
    "GB": (2000, 500),
    "IT": (2200, 1000, 500, 400),
    "NL": (2100, 900),
}
_ELSEWHERE_BP = (2500, 2200, 2000, 1900, 1000, 500)


def tax_choices(country: str, *, locale: Locale, also: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return (value, label) pairs, the standard rate first; `also` keeps what a draft has already."""
    rates = [f"{TAXED}:{rate_bp}" for rate_bp in _RATES_BP.get(country, _ELSEWHERE_BP)]
    untaxed = [f"{category}:0" for category in UNTAXED_CATEGORIES]
    kept = [value for value in also if read_tax_value(value)]
    return [(value, _label(value, locale)) for value in dict.fromkeys([*rates, *kept, *untaxed])]


def tax_value(category: str, rate_bp: int) -> str:
    """Return the form value of a category and rate."""
    return f"{category}:{rate_bp}"


def read_tax_value(value: str) -> tuple[str, int] | None:
    """Return category and rate of a form value; None for what no form of ours sent."""
    category, _colon, rate = value.partition(":")
    known = category == TAXED or category in UNTAXED_CATEGORIES
    return (category, int(rate)) if known and rate.isascii() and rate.isdigit() and len(rate) <= 5 else None


def _label(value: str, locale: Locale) -> str:
    category, _colon, rate = value.partition(":")
    if category == TAXED:
        return format_rate(int(rate), locale=locale)
    return f"{format_rate(0, locale=locale)} {_(UNTAXED_CATEGORIES[category])}"

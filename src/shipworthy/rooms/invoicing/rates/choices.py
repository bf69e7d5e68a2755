"""The taxes a form offers: the rates that hold on the tax point, and what a draft has already. The API takes any rate.

A form's value is the code of a rate, or `S:1900` where a rate was written by hand.
"""

from __future__ import annotations

from datetime import date

from shipworthy.kernel.language import Locale, _
from shipworthy.kernel.money.format import format_rate
from shipworthy.rooms.invoicing.rates.rates import Rates
from shipworthy.rooms.invoicing.rates.seeded import Rate
from shipworthy.rooms.invoicing.tax import TAXED, UNTAXED_CATEGORIES


def tax_choices(
    rates: Rates, tax_point: date, *, locale: Locale, also: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    """Return (value, label) pairs, the rates of the list first; `also` keeps what a draft has already."""
    holding = rates.on(tax_point)
    labels = [_rate_label(rate, locale) for rate in holding]
    offered = [
        (rate.code, label if labels.count(label) == 1 else f"{label} {_(rate.name)}")
        for rate, label in zip(holding, labels, strict=True)
    ]
    known = {value for value, _ in offered}
    kept = [value for value in dict.fromkeys(also) if value not in known]
    return offered + [(value, _kept_label(value, rates, locale)) for value in kept if value]


def tax_value(code: str | None, category: str, rate_bp: int) -> str:
    """Return the form value of a tax: its code, or category and rate where a hand wrote them."""
    return code or f"{category}:{rate_bp}"


def read_tax_value(value: str) -> tuple[str, int] | None:
    """Return category and rate of a form value written by hand; None for what no form of ours sent."""
    category, _, rate = value.partition(":")
    known = category == TAXED or category in UNTAXED_CATEGORIES
    return (category, int(rate)) if known and rate.isascii() and rate.isdigit() and len(rate) <= 5 else None


def _rate_label(rate: Rate, locale: Locale) -> str:
    return format_rate(rate.rate_bp, locale=locale) if rate.tax_category == TAXED else _(rate.name)


def _kept_label(value: str, rates: Rates, locale: Locale) -> str:
    read = read_tax_value(value)
    if read is None:
        known = next((rate.name for rate in rates.rows if rate.code == value), value)
        return _("{name} (not on this day)", name=_(known))
    category, rate_bp = read
    rate = format_rate(rate_bp, locale=locale)
    return rate if category == TAXED else f"{rate} {_(UNTAXED_CATEGORIES[category])}"

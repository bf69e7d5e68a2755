"""Invoices on which wrong arithmetic shows, and the exact arithmetic they are held against.

Owns an engine of its own on `fractions`, so that no binary fraction and no rounding mode of a
library stands between the rule and the answer, and the choice of cases. Knows no HTTP.

Source:  EN 16931-1: BR-CO-10 (the sum of the rounded line nets), BR-CO-17 (tax once for each
         rate, on the sum of its line nets, half away from zero), BR-CO-14 and BR-CO-15. Prices with tax:
         the gross of each rate stays as it is, and the tax is taken out of it once.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

# Decimals of the minor unit. Source: ISO 4217.
MINOR_DECIMALS = {"JPY": 0, "KWD": 3}
RANDOM_CASES = 14
_SEED = 20_260_101  # any will do; the same one asks every app the same
_RATES_BP = (700, 1900, 0, 550, 2000, 810, 2550)


@dataclass(frozen=True, kw_only=True)
class Line:
    """Units: quantity and unit price as decimal text, in major units; rate and discount in basis points."""

    quantity: str
    unit_price: str
    rate_bp: int
    discount_bp: int = 0


@dataclass(frozen=True, kw_only=True)
class Case:
    """One invoice and why it is asked."""

    lines: tuple[Line, ...]
    why: str
    currency: str = ""  # empty: the one the app's own example has
    prices_include_tax: bool = False

    @property
    def has_discount(self) -> bool:
        return any(line.discount_bp for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Units: minor units of the currency."""

    net_minor: Fraction
    tax_minor: Fraction
    gross_minor: Fraction


def exact_sums(lines: Sequence[Line], *, decimals: int = 2, prices_include_tax: bool = False) -> Sums:
    """Return the totals of an invoice: each line rounded, its discount likewise, one tax for each rate, then sums."""
    by_rate: dict[int, int] = {}
    for line in lines:
        amount = half_away(Fraction(line.quantity) * Fraction(line.unit_price) * 10**decimals)
        amount -= half_away(Fraction(amount * line.discount_bp, 10_000))
        by_rate[line.rate_bp] = by_rate.get(line.rate_bp, 0) + amount
    whole = sum(by_rate.values())
    parts = 10_000  # of what a rate is taken
    tax_minor = sum(
        half_away(Fraction(amount * rate_bp, parts + (rate_bp if prices_include_tax else 0)))
        for rate_bp, amount in by_rate.items()
    )
    net_minor = whole - tax_minor if prices_include_tax else whole
    return Sums(
        net_minor=Fraction(net_minor),
        tax_minor=Fraction(tax_minor),
        gross_minor=Fraction(net_minor + tax_minor),
    )


def half_away(exact: Fraction) -> int:
    """Return the nearest whole number; a tie goes away from zero."""
    size = (2 * abs(exact) + 1) // 2
    return int(size) if exact >= 0 else -int(size)


def cases() -> list[Case]:
    """Return the invoices to ask for, the smallest first, the same ones every time."""
    chosen = [
        *_half_cents(),
        *_tax_ties(),
        *_groups(),
        *_sizes(),
        *_currencies(),
        *_discounts(),
        *_with_tax(),
        *_random(),
    ]
    return sorted(
        chosen, key=lambda case: (len(case.lines), sum(len(line.unit_price) for line in case.lines))
    )


def _half_cents() -> list[Case]:
    """Line nets that end on half a cent, most of which a binary fraction cannot hold."""
    prices = ("1.005", "0.285", "2.675", "1.115", "0.125", "0.145", "8.345")
    found = [
        Case(lines=(Line(quantity="1", unit_price=price, rate_bp=0),), why="a net of half a cent")
        for price in prices
    ]
    found += [
        Case(lines=(Line(quantity="0.5", unit_price="0.05", rate_bp=1900),), why="half of five cents"),
        Case(lines=(Line(quantity="1.15", unit_price="0.70", rate_bp=700),), why="80.5 cents by a quantity"),
        Case(
            lines=(
                Line(quantity="1", unit_price="10.00", rate_bp=1900),
                Line(quantity="-1", unit_price="0.125", rate_bp=1900),
            ),
            why="half a cent taken back",
        ),
    ]
    return found


def _tax_ties() -> list[Case]:
    """Taxes that end on half a cent: half to even, and a float that is a hair below, take the other one.

    Found by search: on 1.50 at 7 % `round` goes to the even cent; on 9.50 at 7 %, 1.50 at 19 % and
    5.00 at 8.1 % the product with 0.07, 0.19 and 0.081 is a hair below the tie; on 14.50 at 7 %
    and 5.00 at 25.5 % it is so where amounts are kept in major units.
    """
    bases = (
        ("1.50", 700),
        ("9.50", 700),
        ("14.50", 700),
        ("1.50", 1900),
        ("42.50", 1900),
        ("5.00", 810),
        ("5.00", 2550),
        ("23.00", 550),
    )
    return [
        Case(lines=(Line(quantity="1", unit_price=net, rate_bp=rate),), why="a tax of half a cent")
        for net, rate in bases
    ]


def _groups() -> list[Case]:
    """Where tax by the line, tax on what is not rounded, or one tax for all rates adds up otherwise."""
    penny = Line(quantity="1", unit_price="0.03", rate_bp=1900)
    return [
        Case(lines=(penny,) * 10, why="ten small lines: the tax of each is 1 cent, of all 6"),
        Case(
            lines=(Line(quantity="1", unit_price="0.004", rate_bp=1900),) * 30,
            why="thirty lines that are nothing each",
        ),
        Case(
            lines=(
                Line(quantity="1", unit_price="1.50", rate_bp=700),
                Line(quantity="1", unit_price="0.50", rate_bp=1900),
                Line(quantity="3", unit_price="1.50", rate_bp=0),
            ),
            why="three rates, two of them with half a cent of tax",
        ),
        Case(
            lines=tuple(
                Line(quantity="3", unit_price=f"{n}.335", rate_bp=_RATES_BP[n % 3]) for n in range(60)
            ),
            why="sixty lines at three rates, each with half a cent",
        ),
    ]


def _sizes() -> list[Case]:
    return [
        Case(lines=(Line(quantity="1", unit_price="0.01", rate_bp=1900),), why="one cent"),
        Case(
            # 99999999.99 at 19 % is 18999999.9981; as float a neighbour of it.
            lines=(Line(quantity="1", unit_price="99999999.99", rate_bp=1900),),
            why="nearly a hundred million",
        ),
        Case(lines=(Line(quantity="12345.5", unit_price="1234.57", rate_bp=700),), why="a large product"),
    ]


def _currencies() -> list[Case]:
    """Currencies whose minor unit is not a hundredth."""
    return [
        Case(
            lines=(Line(quantity="3", unit_price="150.5", rate_bp=1000),), why="no minor unit", currency="JPY"
        ),
        Case(
            lines=(Line(quantity="1", unit_price="1.0005", rate_bp=500),), why="thousandths", currency="KWD"
        ),
    ]


def _discounts() -> list[Case]:
    """Discounts that end on half a cent, and one on a line whose own amount does."""
    return [
        Case(
            lines=(Line(quantity="1", unit_price="0.25", rate_bp=1900, discount_bp=5000),),
            why="half of 25 cents taken off",
        ),
        Case(
            lines=(Line(quantity="3", unit_price="33.335", rate_bp=700, discount_bp=333),),
            why="3.33 % off half a cent",
        ),
        Case(
            lines=(Line(quantity="1", unit_price="99.90", rate_bp=1900, discount_bp=10_000),),
            why="all of it taken off",
        ),
    ]


def _with_tax() -> list[Case]:
    """Prices with tax: what is asked for is their sum, however the tax comes out."""
    shop = tuple(Line(quantity="1", unit_price=price, rate_bp=1900) for price in ("9.99", "9.99", "9.99"))
    return [
        Case(lines=shop, why="three at 9.99 with tax are 29.97", prices_include_tax=True),
        Case(
            lines=(
                *(Line(quantity="7", unit_price=f"{n}.99", rate_bp=_RATES_BP[n % 3]) for n in range(1, 9)),
                Line(quantity="1", unit_price="49.95", rate_bp=700, discount_bp=1250),
            ),
            why="nine lines at three rates, with tax",
            prices_include_tax=True,
        ),
    ]


def _random() -> list[Case]:
    """Invoices as they come, in prices with up to three decimals."""
    dice = random.Random(_SEED)  # noqa: S311 - not a secret, the same every time on purpose
    return [
        Case(lines=tuple(_line(dice) for _ in range(dice.randint(1, 12))), why="a mixed invoice")
        for _ in range(RANDOM_CASES)
    ]


def _line(dice: random.Random) -> Line:
    thousandths = dice.choice((dice.randint(1, 99_999), dice.randint(1, 9_999) * 10 + 5))
    quantity = dice.choice(("1", "2", "3", "7", "0.5", "1.25", "0.333", "12"))
    return Line(quantity=quantity, unit_price=f"{thousandths / 1000:.3f}", rate_bp=dice.choice(_RATES_BP))

"""The examiner's own arithmetic, by the rules' own examples; and cases that tell wrong engines apart."""

from __future__ import annotations

from fractions import Fraction

import pytest

from shipworthy.gauntlet.probes.money_cases import Case, Line, Sums, cases, exact_sums, half_away
from tests.support.engines import ENGINES


def sums(case: Case) -> Sums:
    return exact_sums(case.lines, prices_include_tax=case.prices_include_tax)


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [("0.5", 1), ("-0.5", -1), ("1.5", 2), ("2.5", 3), ("0.49", 0), ("-0.49", 0), ("-1.51", -2), ("7", 7)],
)
def test_a_tie_goes_away_from_zero(exact: str, rounded: int) -> None:
    assert half_away(Fraction(exact)) == rounded


def test_tax_is_rounded_once_for_each_rate_on_rounded_nets() -> None:
    lines = (Line(quantity="1", unit_price="0.03", rate_bp=1900),) * 10
    assert exact_sums(lines) == Sums(net_minor=Fraction(30), tax_minor=Fraction(6), gross_minor=Fraction(36))
    two_rates = (
        Line(quantity="1", unit_price="1.005", rate_bp=700),
        Line(quantity="1", unit_price="0.50", rate_bp=1900),
    )
    assert exact_sums(two_rates) == Sums(net_minor=Fraction(151), tax_minor=Fraction(17), gross_minor=Fraction(168))  # fmt: skip


def test_a_discount_is_rounded_on_the_rounded_line_and_prices_with_tax_keep_their_sum() -> None:
    half = (Line(quantity="1", unit_price="0.25", rate_bp=0, discount_bp=5000),)
    assert exact_sums(half).net_minor == 12
    shop = (Line(quantity="1", unit_price="9.99", rate_bp=1900),) * 3
    assert exact_sums(shop, prices_include_tax=True) == Sums(
        net_minor=Fraction(2518), tax_minor=Fraction(479), gross_minor=Fraction(2997)
    )


def test_the_minor_unit_of_the_currency_is_what_is_rounded_to() -> None:
    lines = (Line(quantity="3", unit_price="150.5", rate_bp=1000),)
    assert exact_sums(lines, decimals=0).net_minor == 452
    assert exact_sums(lines, decimals=3).net_minor == 451_500


def test_the_same_cases_come_every_time_the_smallest_first() -> None:
    assert cases() == cases()
    assert len(cases()) >= 40
    numbers = [len(case.lines) for case in cases()]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_agrees_with_every_case_if_and_only_if_it_is_exact(name: str) -> None:
    in_cents = [
        case for case in cases() if not (case.currency or case.has_discount or case.prices_include_tax)
    ]
    differing = [
        case
        for case in in_cents
        if ENGINES[name]([(line.quantity, line.unit_price, line.rate_bp) for line in case.lines])
        != (sums(case).net_minor, sums(case).tax_minor)
    ]
    assert bool(differing) == (name != "exact")

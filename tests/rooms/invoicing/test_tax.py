"""The tax engine agrees with a second computation that shares no code with it.

The oracle below is written from the rules in plain fractions. Mutants of the engine
(another rounding, rounding late, tax per line) must be told from it by the very check that the
engine passes: a suite that could not tell them apart would prove nothing.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.money.money import AMOUNT_MAX_MINOR
from shipworthy.kernel.money.rounding import Rounding, round_minor
from shipworthy.rooms.invoicing import tax
from shipworthy.rooms.invoicing.tax import Line, TaxGroup, Totals, compute_totals, split_tax

EXPONENTS = [0, 2, 3, 4]

# Few decimals and round rates meet ties (x.5 of a minor unit) in a large share of the examples.
quantities = st.one_of(
    st.integers(-20, 20).map(Decimal),
    st.decimals(-1000, 1000, places=2),
    st.decimals(-(10**6), 10**6, places=6),
)
prices = st.one_of(
    st.integers(0, 2000).map(lambda n: Decimal(n) * Decimal("0.005")),
    st.decimals(0, 10**4, places=2),
    st.decimals(0, 10**4, places=6),
)
taxes = st.one_of(
    st.tuples(st.just("S"), st.sampled_from([500, 700, 1000, 1900, 2000, 770, 1, 10_000])),
    st.tuples(st.sampled_from(["Z", "E", "AE", "K", "G", "O"]), st.just(0)),
)
lines = st.builds(
    lambda quantity, price, category_rate, discount_bp: Line(
        description="A thing",
        quantity=quantity,
        unit_price=price,
        tax_category=category_rate[0],
        rate_bp=category_rate[1],
        discount_bp=discount_bp,
    ),
    quantities,
    prices,
    taxes,
    st.one_of(st.just(0), st.sampled_from([250, 5000, 10_000]), st.integers(0, 10_000)),
)
invoices = st.lists(lines, min_size=1, max_size=12)
exponents = st.sampled_from(EXPONENTS)


# The oracle: EN 16931 in fractions.


def nearest(exact: Fraction) -> int:
    """Half away from zero: add a half to the size and cut."""
    size = abs(exact) + Fraction(1, 2)
    cut = size.numerator // size.denominator
    return cut if exact > 0 else -cut


def oracle(lines: Sequence[Line], exponent: int) -> dict[str, Any]:
    nets = [
        nearest(
            Fraction(str(line.quantity))
            * Fraction(str(line.unit_price))
            * (1 - Fraction(line.discount_bp, 10_000))
            * 10**exponent
        )
        for line in lines
    ]
    bases: dict[tuple[str, int], int] = defaultdict(int)
    for line, net in zip(lines, nets, strict=True):
        bases[line.tax_category, line.rate_bp] += net
    taxes = {group: nearest(base * Fraction(group[1], 10_000)) for group, base in bases.items()}
    return {
        "nets": nets,
        "groups": {group: (base, taxes[group]) for group, base in bases.items()},
        "net": sum(nets),
        "tax": sum(taxes.values()),
        "gross": sum(nets) + sum(taxes.values()),
    }


Engine = Callable[..., Totals]


def check_against_oracle(engine: Engine = compute_totals) -> None:
    """The one check, for the engine and for its mutants; the same examples every time."""

    @settings(
        max_examples=400,
        deadline=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate],
    )
    @given(invoices, exponents)
    def check(lines: list[Line], exponent: int) -> None:
        totals = engine(lines, exponent=exponent)
        found = {
            "nets": list(totals.line_nets_minor),
            "groups": {(g.category, g.rate_bp): (g.base_minor, g.tax_minor) for g in totals.groups},
            "net": totals.net_minor,
            "tax": totals.tax_minor,
            "gross": totals.gross_minor,
        }
        assert found == oracle(lines, exponent), "the engine differs from the oracle"

    check()


def test_the_engine_equals_the_oracle() -> None:
    check_against_oracle()


@pytest.mark.parametrize("mode", ["half_even", "down"])
def test_another_rounding_is_told_from_the_oracle(monkeypatch: pytest.MonkeyPatch, mode: Rounding) -> None:
    monkeypatch.setattr(tax, "round_minor", partial(round_minor, mode=mode))
    with pytest.raises(AssertionError, match="differs from the oracle"):
        check_against_oracle()


def test_rounding_late_is_told_from_the_oracle() -> None:
    """The mutant sums unrounded nets and rounds the sum, as "round globally" does elsewhere."""

    def round_late(lines: Sequence[Line], *, exponent: int) -> Totals:
        honest = compute_totals(lines, exponent=exponent)
        exact: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
        for line in lines:
            kept = Fraction(10_000 - line.discount_bp, 10_000)
            exact[line.tax_category, line.rate_bp] += (
                Fraction(line.quantity) * Fraction(line.unit_price) * kept * 10**exponent
            )
        bases = [exact[group.category, group.rate_bp] for group in honest.groups]
        taxes = [round_minor(base * g.rate_bp / 10_000) for g, base in zip(honest.groups, bases, strict=True)]
        groups = tuple(
            dataclasses.replace(group, base_minor=round_minor(base), tax_minor=tax_minor)
            for group, base, tax_minor in zip(honest.groups, bases, taxes, strict=True)
        )
        return dataclasses.replace(honest, groups=groups)

    with pytest.raises(AssertionError, match="differs from the oracle"):
        check_against_oracle(round_late)


def test_tax_rounded_per_line_is_told_from_the_oracle() -> None:
    def tax_per_line(lines: Sequence[Line], *, exponent: int) -> Totals:
        whole = compute_totals(lines, exponent=exponent)
        tax_minor = sum(compute_totals([line], exponent=exponent).tax_minor for line in lines)
        return dataclasses.replace(whole, tax_minor=tax_minor)

    with pytest.raises(AssertionError, match="differs from the oracle"):
        check_against_oracle(tax_per_line)


# Laws that hold for every invoice.


@settings(deadline=None)
@given(invoices, exponents)
def test_everything_above_the_line_is_an_exact_sum(lines: list[Line], exponent: int) -> None:
    totals = compute_totals(lines, exponent=exponent)
    assert sum(totals.line_nets_minor) == totals.net_minor == sum(g.base_minor for g in totals.groups)
    assert sum(totals.line_taxes_minor) == totals.tax_minor == sum(g.tax_minor for g in totals.groups)
    assert totals.net_minor + totals.tax_minor == totals.gross_minor


@settings(deadline=None)
@given(st.data(), invoices, exponents)
def test_the_order_of_the_lines_changes_no_total(
    data: st.DataObject, lines: list[Line], exponent: int
) -> None:
    shuffled = data.draw(st.permutations(lines))
    one, other = compute_totals(lines, exponent=exponent), compute_totals(shuffled, exponent=exponent)
    assert one.groups == other.groups
    assert (one.net_minor, one.tax_minor, one.gross_minor) == (
        other.net_minor,
        other.tax_minor,
        other.gross_minor,
    )
    assert sorted(one.line_nets_minor) == sorted(other.line_nets_minor)


@settings(deadline=None)
@given(invoices, exponents)
def test_groups_computed_apart_add_up_to_the_whole(lines: list[Line], exponent: int) -> None:
    whole = compute_totals(lines, exponent=exponent)
    apart = [
        compute_totals(
            [line for line in lines if (line.tax_category, line.rate_bp) == (g.category, g.rate_bp)],
            exponent=exponent,
        )
        for g in whole.groups
    ]
    assert tuple(part.groups[0] for part in apart) == whole.groups
    assert sum(part.gross_minor for part in apart) == whole.gross_minor


@settings(deadline=None)
@given(invoices, exponents)
def test_an_invoice_and_its_negation_cancel_in_every_group_and_line(lines: list[Line], exponent: int) -> None:
    one = compute_totals(lines, exponent=exponent)
    back = compute_totals(
        [dataclasses.replace(line, quantity=-line.quantity) for line in lines], exponent=exponent
    )
    assert [g.base_minor + h.base_minor for g, h in zip(one.groups, back.groups, strict=True)] == [0] * len(
        one.groups
    )
    assert [g.tax_minor + h.tax_minor for g, h in zip(one.groups, back.groups, strict=True)] == [0] * len(
        one.groups
    )
    assert tuple(-t for t in back.line_taxes_minor) == one.line_taxes_minor
    assert one.gross_minor == -back.gross_minor


@settings(deadline=None)
@given(invoices, exponents)
def test_the_callers_decimal_context_changes_nothing(lines: list[Line], exponent: int) -> None:
    calm = compute_totals(lines, exponent=exponent)
    with localcontext() as context:
        context.prec = 3
        assert compute_totals(lines, exponent=exponent) == calm


@settings(deadline=None)
@given(st.lists(st.integers(-(10**9), 10**9), max_size=30), st.integers(0, 10_000))
def test_line_taxes_add_up_and_none_strays_by_a_whole_unit(nets: list[int], rate_bp: int) -> None:
    shares = split_tax(nets, rate_bp=rate_bp)
    assert sum(shares) == nearest(Fraction(sum(nets) * rate_bp, 10_000))
    for net, share in zip(nets, shares, strict=True):
        assert abs(share - Fraction(net * rate_bp, 10_000)) < 1
        assert share == 0 or (share > 0) == (net > 0), "a charge never gets a negative tax"


# Examples a bookkeeper can check by hand.


def line(
    quantity: str = "1", price: str = "100", category: str = "S", rate_bp: int = 1900, discount_bp: int = 0
) -> Line:
    return Line(
        description="A thing",
        quantity=Decimal(quantity),
        unit_price=Decimal(price),
        tax_category=category,
        rate_bp=rate_bp,
        discount_bp=discount_bp,
    )


def test_three_small_lines_are_taxed_together_not_one_by_one() -> None:
    totals = compute_totals([line(price="0.13"), line(price="0.13"), line(price="0.13")], exponent=2)
    assert totals.groups == (TaxGroup(category="S", rate_bp=1900, base_minor=39, tax_minor=7),)
    assert totals.line_taxes_minor == (3, 2, 2), (
        "19 % of 0.39 is 0.0741; the spare cent goes to the first line"
    )
    assert totals.gross_minor == 46


def test_a_line_is_rounded_half_up_after_its_discount() -> None:
    assert compute_totals([line("3", "0.335", rate_bp=700)], exponent=2).line_nets_minor == (101,)
    assert compute_totals([line("1", "0.25", discount_bp=5000)], exponent=2).line_nets_minor == (13,)
    assert compute_totals([line("-1", "0.25", discount_bp=5000)], exponent=2).line_nets_minor == (-13,)
    assert compute_totals([line(discount_bp=10_000)], exponent=2).gross_minor == 0


@pytest.mark.parametrize(
    ("exponent", "net", "tax_minor"), [(0, 100, 19), (2, 9999, 1900), (3, 99990, 18998), (4, 999900, 189981)]
)
def test_every_number_of_decimals_has_its_own_cents(exponent: int, net: int, tax_minor: int) -> None:
    totals = compute_totals([line(price="99.99")], exponent=exponent)
    assert (totals.net_minor, totals.tax_minor) == (net, tax_minor)


def test_groups_come_highest_rate_first_whatever_the_order_of_lines() -> None:
    totals = compute_totals(
        [line(category="Z", rate_bp=0), line(rate_bp=700), line(category="AE", rate_bp=0), line()], exponent=2
    )
    assert [(g.category, g.rate_bp) for g in totals.groups] == [("S", 1900), ("S", 700), ("AE", 0), ("Z", 0)]


# Refusals.


@pytest.mark.parametrize(
    ("bad", "code", "field"),
    [
        (line(price="-0.01"), "invoice.price_negative", "unit_price"),
        (line(price="0.0000001"), "invoice.number_too_fine", "unit_price"),
        (line(price="1.00000000000000000000000000001"), "invoice.number_too_fine", "unit_price"),
        (line(quantity="1000000000000"), "invoice.number_too_large", "quantity"),
        (line(quantity="-1E+999999"), "invoice.number_too_large", "quantity"),
        (line(quantity="1E-999999"), "invoice.number_too_fine", "quantity"),
        (line(quantity="NaN"), "invoice.number_not_finite", "quantity"),
        (line(quantity="sNaN"), "invoice.number_not_finite", "quantity"),
        (line(price="Infinity"), "invoice.number_not_finite", "unit_price"),
        (line(discount_bp=10_001), "invoice.discount_out_of_range", "discount_bp"),
        (line(discount_bp=-1), "invoice.discount_out_of_range", "discount_bp"),
        (line(rate_bp=10_001), "invoice.rate_out_of_range", "rate_bp"),
        (line(rate_bp=-1), "invoice.rate_out_of_range", "rate_bp"),
        (line(category="X"), "invoice.category_unknown", "tax_category"),
        (line(category="AE", rate_bp=1900), "invoice.rate_not_allowed", "rate_bp"),
        (line(category="S", rate_bp=0), "invoice.rate_missing", "rate_bp"),
    ],
)
def test_a_wrong_line_is_refused_by_its_number_and_field(bad: Line, code: str, field: str) -> None:
    assert compute_totals([line(), line()], exponent=2).gross_minor == 23_800
    with pytest.raises(Invalid) as refused:
        compute_totals([line(), bad], exponent=2)
    assert refused.value.code == code
    assert list(refused.value.fields) == [f"lines.1.{field}"]


def test_numbers_at_the_bound_are_accepted_with_all_their_zeros() -> None:
    ok = line(quantity="0.000001000000000000000000", price="999999999999.999999")
    assert compute_totals([ok], exponent=2).net_minor == 100_000_000


def test_an_invoice_has_one_to_a_thousand_lines() -> None:
    assert compute_totals([line()] * 1000, exponent=2).gross_minor == 11_900_000
    for count, code in ((0, "invoice.lines_missing"), (1001, "invoice.lines_too_many")):
        with pytest.raises(Invalid) as refused:
            compute_totals([line()] * count, exponent=2)
        assert refused.value.code == code


@pytest.mark.parametrize(
    "lines",
    [
        [line(quantity="999999999999", price="999999999999")],
        [line("90000", "999999999", "Z", 0)] * 2,
        [line("60000", "999999999", "S", 10_000)],
        [line("90000", "999999999", "Z", 0), line("90000", "999999999", "E", 0)],
    ],
    ids=["one line", "one group", "tax on top", "two groups"],
)
def test_an_amount_that_would_not_fit_is_refused_wherever_it_arises(lines: list[Line]) -> None:
    assert AMOUNT_MAX_MINOR > 9_000_000_000_000_000
    with pytest.raises(Invalid) as refused:
        compute_totals(lines, exponent=2)
    assert refused.value.code == "money.too_large"


@pytest.mark.parametrize(
    "bad",
    [
        {"quantity": 1.0},
        {"unit_price": 0.1},
        {"rate_bp": 19.0},
        {"discount_bp": 0.5},
        {"quantity": 1},
        {"rate_bp": True},
    ],
)
def test_floats_are_a_programming_mistake(bad: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        compute_totals([dataclasses.replace(line(), **bad)], exponent=2)


def test_an_exponent_no_currency_has_is_a_programming_mistake() -> None:
    with pytest.raises(ValueError, match="0 to 4"):
        compute_totals([line()], exponent=5)


def test_a_rate_to_split_by_is_checked_too() -> None:
    with pytest.raises(Invalid) as refused:
        split_tax([100], rate_bp=10_001)
    assert refused.value.code == "invoice.rate_out_of_range"

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
from hypothesis import Phase, given, reject, settings
from hypothesis import strategies as st

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.money.money import AMOUNT_MAX_MINOR
from shipworthy.kernel.money.rounding import Rounding, round_minor
from shipworthy.rooms.invoicing import tax
from shipworthy.rooms.invoicing.pricing import changes as pricing_changes
from shipworthy.rooms.invoicing.pricing.changes import Change
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
kinds = st.sampled_from(["discount", "charge"])
percentages = st.sampled_from([250, 5000, 10_000, 1]) | st.integers(1, 10_000)
agreed = st.builds(Change, kind=kinds, percent_bp=percentages) | st.builds(
    Change, kind=kinds, amount_minor=st.integers(1, 500)
)
lines = st.builds(
    lambda quantity, price, category_rate, change: Line(
        description="A thing",
        quantity=quantity,
        unit_price=price,
        tax_category=category_rate[0],
        rate_bp=category_rate[1],
        change=change,
    ),
    quantities,
    prices,
    taxes,
    st.none() | agreed,
)
document_changes = st.lists(
    st.builds(
        lambda change, group: dataclasses.replace(
            change, **({"tax_category": group[0], "tax_rate_bp": group[1]} if group else {})
        ),
        agreed,
        st.none() | st.none() | taxes,
    ),
    max_size=3,
)
invoices = st.lists(lines, min_size=1, max_size=12)
exponents = st.sampled_from(EXPONENTS)


# The oracle: EN 16931 in fractions.


def nearest(exact: Fraction) -> int:
    """Half away from zero: add a half to the size and cut."""
    size = abs(exact) + Fraction(1, 2)
    cut = size.numerator // size.denominator
    return cut if exact > 0 else -cut


class Refused(Exception):
    """The oracle finds that this cannot be invoiced."""


def oracle(
    lines: Sequence[Line], exponent: int, changes: Sequence[Change] = (), includes_tax: bool = False
) -> dict[str, Any]:
    amounts = [line_amount(line, exponent) for line in lines]
    sums: dict[tuple[str, int], int] = defaultdict(int)
    for line, amount in zip(lines, amounts, strict=True):
        sums[line.tax_category, line.rate_bp] += amount
    room = {group: max(0, amount) for group, amount in sums.items()}
    changed = defaultdict(int, sums)
    for kind, sign in (("charge", 1), ("discount", -1)):
        for change in changes:
            for group, amount in change_amounts(change, dict(sums)).items():
                if change.kind == kind:
                    changed[group] += sign * amount
                    room[group] = room.get(group, 0) + sign * amount
    if any(left < 0 for left in room.values()):
        raise Refused
    groups = {}
    for group, amount in changed.items():
        rate = Fraction(group[1], 10_000)
        tax_minor = nearest(amount * rate / (1 + rate) if includes_tax else amount * rate)
        groups[group] = (amount - tax_minor if includes_tax else amount, tax_minor)
    net, tax_total = (sum(figure[i] for figure in groups.values()) for i in (0, 1))
    return {"groups": groups, "net": net, "tax": tax_total, "gross": net + tax_total}


def line_amount(line: Line, exponent: int) -> int:
    base = nearest(Fraction(str(line.quantity)) * Fraction(str(line.unit_price)) * 10**exponent)
    change = line.change
    if change is None:
        return base
    if line.quantity == 0:
        raise Refused
    if change.percent_bp is not None:
        amount = nearest(base * Fraction(change.percent_bp, 10_000))
    else:
        amount = (change.amount_minor or 0) * (-1 if line.quantity < 0 else 1)
    if change.kind == "discount":
        if abs(amount) > abs(base):
            raise Refused
        return base - amount
    return base + amount


def change_amounts(change: Change, sums: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    """What a change comes to for each tax: a part of each that asks for something, the odd units to the largest rest."""
    if change.tax_category is not None:
        group = (change.tax_category, change.tax_rate_bp or 0)
        if change.percent_bp is None:
            return {group: change.amount_minor or 0}
        if sums.get(group, 0) <= 0:
            raise Refused
        return {group: nearest(sums[group] * Fraction(change.percent_bp, 10_000))}
    asking = {group: amount for group, amount in sums.items() if amount > 0}
    if not asking:
        raise Refused
    if change.percent_bp is not None:
        rate = Fraction(change.percent_bp, 10_000)
        return {group: nearest(amount * rate) for group, amount in asking.items()}
    whole = change.amount_minor or 0
    exact = {g: Fraction(whole * amount, sum(asking.values())) for g, amount in asking.items()}
    shares = {group: share.numerator // share.denominator for group, share in exact.items()}
    for group in sorted(exact, key=lambda g: (shares[g] - exact[g], g))[: whole - sum(shares.values())]:
        shares[group] += 1
    return shares


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
    @given(invoices, exponents, document_changes, st.booleans())
    def check(lines: list[Line], exponent: int, changes: list[Change], includes_tax: bool) -> None:
        asked = {"exponent": exponent, "changes": changes, "prices_include_tax": includes_tax}
        try:
            expected = oracle(lines, exponent, changes, includes_tax)
        except Refused:
            with pytest.raises(Invalid):
                compute_totals(lines, **asked)
            return
        totals = engine(lines, **asked)
        found = {
            "groups": {(g.category, g.rate_bp): (g.base_minor, g.tax_minor) for g in totals.groups},
            "net": totals.net_minor,
            "tax": totals.tax_minor,
            "gross": totals.gross_minor,
        }
        assert found == expected, "the engine differs from the oracle"

    check()


def test_the_engine_equals_the_oracle() -> None:
    check_against_oracle()


@pytest.mark.parametrize("place", [tax, pricing_changes], ids=["tax", "changes"])
@pytest.mark.parametrize("mode", ["half_even", "down"])
def test_another_rounding_is_told_from_the_oracle(
    monkeypatch: pytest.MonkeyPatch, mode: Rounding, place: Any
) -> None:
    monkeypatch.setattr(place, "round_minor", partial(round_minor, mode=mode))
    with pytest.raises(AssertionError, match="differs from the oracle"):
        check_against_oracle()


def test_rounding_late_is_told_from_the_oracle() -> None:
    """The mutant sums unrounded nets and rounds the sum, as "round globally" does elsewhere."""

    def round_late(lines: Sequence[Line], *, exponent: int, changes: Any, prices_include_tax: bool) -> Totals:
        honest = compute_totals(
            lines, exponent=exponent, changes=changes, prices_include_tax=prices_include_tax
        )
        if changes or prices_include_tax:
            return honest
        exact: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
        for line in lines:
            amount = Fraction(line.quantity) * Fraction(line.unit_price) * 10**exponent
            if change := line.change:
                changed = Fraction(change.amount_minor or 0) * (-1 if line.quantity < 0 else 1)
                if change.percent_bp:
                    changed = amount * change.percent_bp / 10_000
                amount += changed if change.kind == "charge" else -changed
            exact[line.group] += amount
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
    def tax_per_line(lines: Sequence[Line], *, changes: Any, **asked: Any) -> Totals:
        whole = compute_totals(lines, changes=changes, **asked)
        if changes:
            return whole
        tax_minor = sum(compute_totals([line], **asked).tax_minor for line in lines)
        return dataclasses.replace(whole, tax_minor=tax_minor)

    with pytest.raises(AssertionError, match="differs from the oracle"):
        check_against_oracle(tax_per_line)


def test_tax_taken_out_of_each_gross_line_is_told_from_the_oracle() -> None:
    """The mutant of ERP trackers: prices with tax, each line made net, and the tax put on again."""

    def net_first(lines: Sequence[Line], *, prices_include_tax: bool, **asked: Any) -> Totals:
        whole = compute_totals(lines, prices_include_tax=prices_include_tax, **asked)
        if not prices_include_tax:
            return whole
        taxes = [round_minor(Fraction(g.base_minor * g.rate_bp, 10_000)) for g in whole.groups]
        return dataclasses.replace(whole, tax_minor=sum(taxes), gross_minor=whole.net_minor + sum(taxes))

    with pytest.raises(AssertionError, match="differs from the oracle"):
        check_against_oracle(net_first)


# Laws that hold for every invoice. What cannot be invoiced at all is another test's.


def totals_of(
    lines: Sequence[Line], exponent: int, changes: Sequence[Change] = (), includes_tax: bool = False
) -> Totals:
    try:
        return compute_totals(lines, exponent=exponent, changes=changes, prices_include_tax=includes_tax)
    except Invalid:
        reject()


@settings(deadline=None)
@given(invoices, exponents, document_changes, st.booleans())
def test_everything_above_the_line_is_an_exact_sum(
    lines: list[Line], exponent: int, changes: list[Change], includes_tax: bool
) -> None:
    totals = totals_of(lines, exponent, changes, includes_tax)
    parts = [(c.sign * p.net_minor, p) for c in totals.changes for p in c.parts]
    assert sum(totals.line_nets_minor) + sum(net for net, _ in parts) == totals.net_minor
    assert totals.net_minor == sum(g.base_minor for g in totals.groups)
    assert totals.tax_minor == sum(g.tax_minor for g in totals.groups)
    assert totals.net_minor + totals.tax_minor == totals.gross_minor
    if not changes:
        assert sum(totals.line_taxes_minor) == totals.tax_minor
    for group in totals.groups:
        key = (group.category, group.rate_bp)
        nets = [n for n, line in zip(totals.line_nets_minor, lines, strict=True) if line.group == key]
        nets += [net for net, part in parts if (part.tax_category, part.tax_rate_bp) == key]
        assert sum(nets) == group.base_minor, "the members of a group come to its base"


@settings(deadline=None)
@given(invoices, exponents, document_changes)
def test_prices_with_tax_keep_their_gross_and_no_line_strays_by_a_whole_unit(
    lines: list[Line], exponent: int, changes: list[Change]
) -> None:
    with_tax, without = (totals_of(lines, exponent, changes, flag) for flag in (True, False))
    assert with_tax.gross_minor == without.net_minor, "what was agreed is what is asked for"
    rows = zip(
        lines, with_tax.line_nets_minor, with_tax.line_taxes_minor, without.line_nets_minor, strict=True
    )
    for line, net, tax_minor, gross in rows:
        assert net + tax_minor == gross
        assert abs(net - gross / (1 + Fraction(line.rate_bp, 10_000))) < 1


@settings(deadline=None)
@given(st.data(), invoices, exponents, document_changes, st.booleans())
def test_the_order_of_the_lines_changes_no_total(
    data: st.DataObject, lines: list[Line], exponent: int, changes: list[Change], includes_tax: bool
) -> None:
    one = totals_of(lines, exponent, changes, includes_tax)
    other = totals_of(data.draw(st.permutations(lines)), exponent, changes, includes_tax)
    assert one.groups == other.groups
    assert (one.net_minor, one.tax_minor, one.gross_minor) == (
        other.net_minor,
        other.tax_minor,
        other.gross_minor,
    )


@settings(deadline=None)
@given(invoices, exponents, st.booleans())
def test_groups_computed_apart_add_up_to_the_whole(
    lines: list[Line], exponent: int, includes_tax: bool
) -> None:
    whole = totals_of(lines, exponent, (), includes_tax)
    apart = [
        totals_of(
            [line for line in lines if line.group == (g.category, g.rate_bp)], exponent, (), includes_tax
        )
        for g in whole.groups
    ]
    assert tuple(part.groups[0] for part in apart) == whole.groups
    assert sum(part.gross_minor for part in apart) == whole.gross_minor


@settings(deadline=None)
@given(invoices, exponents, st.booleans())
def test_an_invoice_and_its_negation_cancel_in_every_group_and_line(
    lines: list[Line], exponent: int, includes_tax: bool
) -> None:
    one = totals_of(lines, exponent, (), includes_tax)
    negated = [dataclasses.replace(line, quantity=-line.quantity) for line in lines]
    back = totals_of(negated, exponent, (), includes_tax)
    for group, other in zip(one.groups, back.groups, strict=True):
        assert (group.base_minor, group.tax_minor) == (-other.base_minor, -other.tax_minor)
    assert tuple(-t for t in back.line_taxes_minor) == one.line_taxes_minor
    assert one.gross_minor == -back.gross_minor


@settings(deadline=None)
@given(invoices, exponents)
def test_the_callers_decimal_context_changes_nothing(lines: list[Line], exponent: int) -> None:
    calm = totals_of(lines, exponent)
    with localcontext() as context:
        context.prec = 3
        assert totals_of(lines, exponent) == calm


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
    quantity: str = "1",
    price: str = "100",
    category: str = "S",
    rate_bp: int = 1900,
    change: Change | None = None,
) -> Line:
    return Line(
        description="A thing",
        quantity=Decimal(quantity),
        unit_price=Decimal(price),
        tax_category=category,
        rate_bp=rate_bp,
        change=change,
    )


def test_three_small_lines_are_taxed_together_not_one_by_one() -> None:
    totals = compute_totals([line(price="0.13"), line(price="0.13"), line(price="0.13")], exponent=2)
    assert totals.groups == (TaxGroup(category="S", rate_bp=1900, base_minor=39, tax_minor=7),)
    assert totals.line_taxes_minor == (3, 2, 2), (
        "19 % of 0.39 is 0.0741; the spare cent goes to the first line"
    )
    assert totals.gross_minor == 46


def test_a_line_is_rounded_and_then_its_discount_is() -> None:
    half = Change(kind="discount", percent_bp=5000)
    assert compute_totals([line("3", "0.335", rate_bp=700)], exponent=2).line_nets_minor == (101,)
    assert compute_totals([line("1", "0.25", change=half)], exponent=2).line_nets_minor == (12,)
    assert compute_totals([line("-1", "0.25", change=half)], exponent=2).line_nets_minor == (-12,)
    whole = Change(kind="discount", percent_bp=10_000)
    assert compute_totals([line("1", "0.005", change=whole)], exponent=2).gross_minor == 0


def test_prices_with_tax_as_a_shop_prints_them() -> None:
    """Three at 9.99 with 19 % are 29.97 and stay it: 25.18 and 4.79, not 25.19 and 4.79."""
    totals = compute_totals([line(price="9.99")] * 3, exponent=2, prices_include_tax=True)
    assert (totals.net_minor, totals.tax_minor, totals.gross_minor) == (2518, 479, 2997)
    assert totals.line_nets_minor == (840, 839, 839)


def test_a_discount_on_the_whole_invoice_lowers_the_base_of_each_rate() -> None:
    tenth = Change(kind="discount", percent_bp=1000)
    totals = compute_totals([line(), line(rate_bp=700)], exponent=2, changes=[tenth])
    assert [(g.base_minor, g.tax_minor) for g in totals.groups] == [(9000, 1710), (9000, 630)]
    cent = Change(kind="charge", amount_minor=1)
    spread = compute_totals([line(rate_bp=700), line()], exponent=2, changes=[cent])
    assert [g.base_minor for g in spread.groups] == [10_000, 10_001], "the odd cent has one place, not two"
    freight = Change(kind="charge", amount_minor=500, tax_category="S", tax_rate_bp=700)
    assert compute_totals([line()], exponent=2, changes=[freight]).groups[1].base_minor == 500


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
        (line(change=Change(kind="discount", percent_bp=10_001)), "invoice.change_out_of_range", "change"),
        (line(change=Change(kind="charge", percent_bp=0)), "invoice.change_out_of_range", "change"),
        (line(change=Change(kind="charge", amount_minor=-1)), "invoice.change_out_of_range", "change"),
        (line(change=Change(kind="charge", amount_minor=2**53)), "invoice.change_out_of_range", "change"),
        (line(change=Change(kind="charge")), "invoice.change_unclear", "change"),
        (
            line(change=Change(kind="charge", amount_minor=1, percent_bp=1)),
            "invoice.change_unclear",
            "change",
        ),
        (line("0", change=Change(kind="charge", amount_minor=1)), "invoice.change_of_nothing", "change"),
        (line(change=Change(kind="discount", amount_minor=10_001)), "invoice.discount_too_high", "change"),
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


def test_an_invoice_has_one_to_ten_thousand_lines() -> None:
    assert compute_totals([line()] * 10_000, exponent=2).gross_minor == 119_000_000
    for count, code in ((0, "invoice.lines_missing"), (10_001, "invoice.lines_too_many")):
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
        {"change": Change(kind="discount", percent_bp=0.5)},  # type: ignore[arg-type]
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

"""The arithmetic of an invoice: line nets, one tax per category and rate, totals.

Owns: the order of the roundings and the bounds. Pure: knows no database, no clock, no currency
beyond the number of its decimals. Amounts above the line are sums of whole minor units, so
net + tax = gross holds exactly, always.

Source:  EN 16931-1: BR-CO-10 (the sum of the rounded line nets), BR-CO-17 (tax once per group),
         BR-CO-14 and BR-CO-15 (the sums above), BR-27 (no negative price).

Refusals, all `Invalid`, each naming the line it is about (`lines.2.quantity`):
    invoice.lines_missing        invoice.lines_too_many     invoice.number_not_finite
    invoice.number_too_fine      invoice.number_too_large   invoice.price_negative
    invoice.discount_out_of_range                           invoice.rate_out_of_range
    invoice.category_unknown     invoice.rate_not_allowed   invoice.rate_missing
    money.too_large
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NoReturn

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import mark
from shipworthy.kernel.money.money import within_bounds
from shipworthy.kernel.money.rounding import exact_arithmetic, round_minor

LINES_MAX = 1000
RATE_BP_MAX = 10_000
DISCOUNT_BP_MAX = 10_000
NUMBER_DECIMALS_MAX = 6
NUMBER_BOUND = Decimal(10) ** 12

# UNCL 5305, as EN 16931 restricts it. The island taxes L and M come with their first customer.
TAXED = "S"
UNTAXED_CATEGORIES = {
    "Z": mark("zero rated"),
    "E": mark("exempt"),
    "AE": mark("reverse charge"),
    "K": mark("intra-community supply"),
    "G": mark("export"),
    "O": mark("not subject to tax"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is charged: `quantity` times `unit_price`, less a discount, taxed at a rate.

    Units:   price in major units with up to six decimals; rates in basis points (1900 = 19 %).
    """

    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_category: str
    rate_bp: int
    discount_bp: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxGroup:
    """All lines of one category and rate, taxed together."""

    category: str
    rate_bp: int
    base_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The amounts of an invoice. `line_taxes_minor` is for display and adds up to `tax_minor`."""

    line_nets_minor: tuple[int, ...]
    line_taxes_minor: tuple[int, ...]
    groups: tuple[TaxGroup, ...]
    net_minor: int
    tax_minor: int
    gross_minor: int


def compute_totals(lines: Sequence[Line], *, exponent: int) -> Totals:
    """Return every amount of an invoice with these lines, exact to the minor unit.

    Each line net is rounded half away from zero; the tax is rounded once per category and rate,
    on the sum of the rounded nets; everything else is addition. The order of the lines changes
    no total. Groups come highest rate first.

    Units:   `exponent` is the decimals of the currency's minor unit, 0..4.
    Errors:  those of this module; TypeError where a float is handed in.
    """
    if not 0 <= exponent <= 4:
        raise ValueError(f"A currency has 0 to 4 decimals, not {exponent}.")
    if not lines:
        raise Invalid(
            "invoice.lines_missing", "An invoice needs at least one line.", fields={"lines": "Add a line."}
        )
    if len(lines) > LINES_MAX:
        message = f"{len(lines)} lines are too many; split the invoice at {LINES_MAX}."
        raise Invalid("invoice.lines_too_many", message, fields={"lines": message})
    for index, line in enumerate(lines):
        _check(line, index)

    line_nets = [
        within_bounds(line_net_minor(line, exponent=exponent), what=f"Line {number}")
        for number, line in enumerate(lines, 1)
    ]
    line_taxes = [0] * len(lines)
    groups = []
    for (category, rate_bp), members in _by_category_and_rate(lines).items():
        nets = [line_nets[i] for i in members]
        base = within_bounds(sum(nets))
        groups.append(
            TaxGroup(
                category=category, rate_bp=rate_bp, base_minor=base, tax_minor=tax_on(base, rate_bp=rate_bp)
            )
        )
        for i, tax in zip(members, split_tax(nets, rate_bp=rate_bp), strict=True):
            line_taxes[i] = tax
    net = within_bounds(sum(line_nets), what="The net total")
    tax = sum(group.tax_minor for group in groups)
    return Totals(
        line_nets_minor=tuple(line_nets),
        line_taxes_minor=tuple(line_taxes),
        groups=tuple(sorted(groups, key=lambda group: (-group.rate_bp, group.category))),
        net_minor=net,
        tax_minor=within_bounds(tax, what="The tax"),
        gross_minor=within_bounds(net + tax, what="The gross total"),
    )


def line_net_minor(line: Line, *, exponent: int) -> int:
    """Return quantity x price less the discount, rounded once, half away from zero."""
    with exact_arithmetic():
        full = line.quantity * line.unit_price
        return round_minor((full * (DISCOUNT_BP_MAX - line.discount_bp)).scaleb(exponent - 4))


def tax_on(base_minor: int, *, rate_bp: int) -> int:
    """Return the tax on a base, rounded half away from zero.

    Units:   minor currency units; rate in basis points (1900 = 19 %).
    Source:  EN 16931 rule BR-CO-17.
    """
    return round_minor(Fraction(base_minor * rate_bp, 10_000))


def split_tax(line_nets_minor: Sequence[int], *, rate_bp: int, tax_minor: int | None = None) -> list[int]:
    """Return the tax of each line so that the lines add up to the tax of their group.

    The tax is rounded once, on the summed net, half away from zero; the leftover cents go
    to the lines with the largest remainders, first line first. No line is a whole minor unit
    away from its own exact tax, and the negated lines get the negated taxes. `tax_minor` says the
    tax of the group where it is not the rounded one: less than one unit away from the exact tax.

    Units:   minor currency units in and out; rate in basis points (1900 = 19 %).
    Errors:  `invoice.rate_out_of_range` when the rate is not within 0..10000.
    Source:  EN 16931 rule BR-CO-17 (tax from the category total, two decimals).
    """
    _check_rate(rate_bp, "rate_bp")
    scaled = [net * rate_bp for net in line_nets_minor]  # in ten-thousandths of a minor unit
    shares = [_toward_zero(exact) for exact in scaled]
    tax = tax_on(sum(line_nets_minor), rate_bp=rate_bp) if tax_minor is None else tax_minor
    leftover = tax - sum(shares)
    step = 1 if leftover > 0 else -1
    remainders = [step * (exact - share * 10_000) for exact, share in zip(scaled, shares, strict=True)]
    by_remainder = sorted(range(len(shares)), key=lambda i: -remainders[i])  # stable: first line first
    for i in by_remainder[: abs(leftover)]:
        shares[i] += step
    return shares


def _toward_zero(scaled: int) -> int:
    return scaled // 10_000 if scaled >= 0 else -(-scaled // 10_000)


def _by_category_and_rate(lines: Sequence[Line]) -> dict[tuple[str, int], list[int]]:
    members: dict[tuple[str, int], list[int]] = {}
    for index, line in enumerate(lines):
        members.setdefault((line.tax_category, line.rate_bp), []).append(index)
    return members


def _check(line: Line, index: int) -> None:
    at = f"lines.{index}"
    _check_number(line.quantity, f"{at}.quantity")
    _check_number(line.unit_price, f"{at}.unit_price")
    if line.unit_price < 0:
        _refuse(
            "price_negative", "A price cannot be below zero; make the quantity negative.", f"{at}.unit_price"
        )
    if not 0 <= _whole(line.discount_bp) <= DISCOUNT_BP_MAX:
        _refuse("discount_out_of_range", "A discount is between 0 and 100 %.", f"{at}.discount_bp")
    _check_rate(line.rate_bp, f"{at}.rate_bp")
    if line.tax_category == TAXED:
        if line.rate_bp == 0:
            _refuse(
                "rate_missing",
                "A taxed line needs a rate above 0; use Z, E or O without tax.",
                f"{at}.rate_bp",
            )
    elif line.tax_category not in UNTAXED_CATEGORIES:
        known = ", ".join([TAXED, *UNTAXED_CATEGORIES])
        _refuse(
            "category_unknown", f"There is no such tax category; use one of {known}.", f"{at}.tax_category"
        )
    elif line.rate_bp:
        why = UNTAXED_CATEGORIES[line.tax_category]
        _refuse("rate_not_allowed", f"A line that is {why} has the rate 0.", f"{at}.rate_bp")


def _check_number(number: Decimal, field: str) -> None:
    if not isinstance(number, Decimal):
        raise TypeError(f"{field} is a Decimal, not {type(number).__name__}.")
    if not number.is_finite():
        _refuse("number_not_finite", "Write a number.", field)
    if number.copy_abs() >= NUMBER_BOUND:
        _refuse("number_too_large", "The number is too large; at most 12 digits before the point.", field)
    _, digits, exponent = number.as_tuple()
    too_fine = -NUMBER_DECIMALS_MAX - int(exponent)
    if too_fine > 0 and any(digits[-too_fine:]):
        _refuse("number_too_fine", f"The number has more than {NUMBER_DECIMALS_MAX} decimals.", field)


def _check_rate(rate_bp: int, field: str) -> None:
    if not 0 <= _whole(rate_bp) <= RATE_BP_MAX:
        _refuse("rate_out_of_range", "A rate is between 0 and 100 %.", field)


def _whole(number: int) -> int:
    if type(number) is not int:
        raise TypeError(f"Basis points are a whole number, not {type(number).__name__}.")
    return number


def _refuse(what: str, message: str, field: str) -> NoReturn:
    raise Invalid(f"invoice.{what}", message, fields={field: message})

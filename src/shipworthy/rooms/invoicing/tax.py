"""The arithmetic of an invoice: line nets, one tax per category and rate, totals.

Owns: the order of the roundings and the bounds. Pure: knows no database, no clock, no currency
beyond the number of its decimals. Amounts above the line are sums of whole minor units, so
net + tax = gross holds exactly, always. Where the prices include their tax, the gross of each group is
fixed and the tax is taken out of it once; the nets of the lines are shares of what is left.

Source:  EN 16931-1: BR-CO-10 (the sum of the rounded line nets), BR-CO-13 (less discounts, plus charges),
         BR-CO-17 (tax once per group), BR-CO-14 and BR-CO-15 (the sums above), BR-27 (no negative price).

Refusals, all `Invalid`, each naming the line it is about (`lines.2.quantity`):
    invoice.lines_missing        invoice.lines_too_many     invoice.number_not_finite
    invoice.number_too_fine      invoice.number_too_large   invoice.price_negative
    invoice.category_unknown     invoice.rate_not_allowed   invoice.rate_missing
    invoice.rate_out_of_range    invoice.changes_too_many   money.too_large
and those of `pricing/changes.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import NoReturn

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.money.money import within_bounds
from shipworthy.kernel.money.rounding import exact_arithmetic, round_minor
from shipworthy.rooms.invoicing.pricing.changes import (
    CHANGES_MAX,
    Change,
    DocumentChange,
    Group,
    LineChange,
    change_document,
    change_line,
)
from shipworthy.rooms.invoicing.pricing.rounding import rounding_of
from shipworthy.rooms.invoicing.pricing.shares import apportion
from shipworthy.rooms.invoicing.units import NO_UNIT

LINES_MAX = 10_000
RATE_BP_MAX = 10_000
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
    """What is charged: `quantity` times `unit_price`, changed by a discount or a charge, taxed at a rate.

    Units:   price in major units with up to six decimals; rates in basis points (1900 = 19 %).
    """

    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_category: str
    rate_bp: int
    change: Change | None = None
    unit: str = NO_UNIT

    @property
    def group(self) -> Group:
        return self.tax_category, self.rate_bp


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxGroup:
    """All lines of one category and rate, taxed together."""

    category: str
    rate_bp: int
    base_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The amounts of an invoice. `line_taxes_minor` is for display: with the tax of the document's changes it
    adds up to `tax_minor`. `line_changes` is empty where no line has one. Due is the gross with its rounding."""

    line_nets_minor: tuple[int, ...]
    line_taxes_minor: tuple[int, ...]
    line_changes: tuple[LineChange | None, ...] = ()
    changes: tuple[DocumentChange, ...] = ()
    groups: tuple[TaxGroup, ...]
    net_minor: int
    tax_minor: int
    gross_minor: int
    rounding_minor: int = 0

    @property
    def payable_minor(self) -> int:
        return self.gross_minor + self.rounding_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """Amounts in the terms of the prices, before any tax is counted: of lines, and of a document's changes."""

    line_groups: tuple[Group, ...]
    line_amounts_minor: tuple[int, ...]
    line_changes: tuple[LineChange | None, ...] = ()
    changes: tuple[DocumentChange, ...] = ()


def compute_totals(
    lines: Sequence[Line],
    *,
    exponent: int,
    changes: Sequence[Change] = (),
    prices_include_tax: bool = False,
    rounding_step_minor: int = 1,
) -> Totals:
    """Return every amount of an invoice with these lines and discounts and charges, exact to the minor unit.

    Each line is rounded half away from zero, and so is each discount or charge; the tax is rounded once per
    category and rate, on the sum of what was rounded; everything else is addition. The order of the lines
    changes no total. Groups come highest rate first. What is due is rounded to whole steps last.

    Units:   `exponent` is the decimals of the currency's minor unit, 0..4; a step is in minor units.
    Errors:  those of this module; TypeError where a float is handed in.
    """
    _check(lines, exponent, changes)
    priced_lines = [price_line(line, exponent=exponent, at=index) for index, line in enumerate(lines)]
    amounts = tuple(
        within_bounds(amount, what=_("Line {number}", number=number))
        for number, (amount, _tax) in enumerate(priced_lines, 1)
    )
    groups = tuple(line.group for line in lines)
    sums: dict[Group, int] = {}
    for group, amount in zip(groups, amounts, strict=True):
        sums[group] = sums.get(group, 0) + amount
    has_change = any(change for _, change in priced_lines)
    priced = Priced(
        line_groups=groups,
        line_amounts_minor=amounts,
        line_changes=tuple(change for _, change in priced_lines) if has_change else (),
        changes=change_document(tuple(changes), sums) if changes else (),
    )
    return tax_priced(priced, prices_include_tax=prices_include_tax, rounding_step_minor=rounding_step_minor)


def price_line(line: Line, *, exponent: int, at: int = 0) -> tuple[int, LineChange | None]:
    """Return what a line comes to in the terms of its price, and what its discount or charge came to.

    Quantity x price is rounded first, half away from zero, then changed: both are whole minor units.
    """
    base_minor = base_of(line.quantity, line.unit_price, exponent=exponent)
    if line.change is None:
        return base_minor, None
    changed = change_line(
        line.change, base_minor=base_minor, quantity=line.quantity, field=f"lines.{at}.change"
    )
    return base_minor + changed.signed_minor, changed


def base_of(quantity: Decimal, unit_price: Decimal, *, exponent: int) -> int:
    """Return quantity x price, rounded once, half away from zero."""
    with exact_arithmetic():
        return round_minor((quantity * unit_price).scaleb(exponent))


def tax_priced(
    priced: Priced,
    *,
    prices_include_tax: bool,
    taxed_before_minor: Mapping[Group, int] | None = None,
    rounding_step_minor: int = 1,
    gross_before_minor: int = 0,
) -> Totals:
    """Return the totals of amounts that are priced already, taxed once per group.

    `taxed_before_minor`, for a credit note, is what of each group was taxed in steps before this one: the step gets
    the tax of all of it less the tax of what came before, so that the steps come to the tax of the whole;
    `gross_before_minor` does the same for the rounding of what is due.
    """
    members: dict[Group, list[int]] = {}
    amounts = list(priced.line_amounts_minor)
    owners = [*priced.line_groups]
    for change in priced.changes:
        for part in change.parts:
            owners.append((part.tax_category, part.tax_rate_bp))
            amounts.append(change.sign * part.amount_minor)
    for index, group in enumerate(owners):
        members.setdefault(group, []).append(index)
    nets, taxes, groups = [0] * len(amounts), [0] * len(amounts), []
    for (category, rate_bp), indexes in members.items():
        taxed = tax_group(
            [amounts[index] for index in indexes],
            rate_bp=rate_bp,
            prices_include_tax=prices_include_tax,
            before_minor=(taxed_before_minor or {}).get((category, rate_bp), 0),
        )
        for index, net, tax in zip(indexes, taxed.nets_minor, taxed.taxes_minor, strict=True):
            nets[index], taxes[index] = net, tax
        base_minor, tax_minor = taxed.base_minor, taxed.tax_minor
        groups.append(
            TaxGroup(category=category, rate_bp=rate_bp, base_minor=base_minor, tax_minor=tax_minor)
        )
    net = within_bounds(sum(group.base_minor for group in groups), what=mark("The net total"))
    tax = sum(group.tax_minor for group in groups)
    gross = within_bounds(net + tax, what=mark("The gross total"))
    count = len(priced.line_groups)
    return Totals(
        line_nets_minor=tuple(nets[:count]),
        line_taxes_minor=tuple(taxes[:count]),
        line_changes=priced.line_changes,
        changes=_with_nets(priced.changes, nets[count:]),
        groups=tuple(sorted(groups, key=lambda group: (-group.rate_bp, group.category))),
        net_minor=net,
        tax_minor=within_bounds(tax, what=mark("The tax")),
        gross_minor=gross,
        rounding_minor=rounding_of(gross, step_minor=rounding_step_minor, before_minor=gross_before_minor),
    )


def _with_nets(changes: tuple[DocumentChange, ...], nets_minor: Sequence[int]) -> tuple[DocumentChange, ...]:
    """Say of each part what it is without tax; it is above nothing, as its amount is."""
    left = iter(nets_minor)
    return tuple(
        replace(
            change,
            parts=tuple(replace(part, net_minor=change.sign * next(left)) for part in change.parts),
        )
        for change in changes
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxed:
    """One tax group and its members, net and tax of each."""

    base_minor: int
    tax_minor: int
    nets_minor: list[int]
    taxes_minor: list[int]


def tax_group(
    amounts_minor: Sequence[int], *, rate_bp: int, prices_include_tax: bool = False, before_minor: int = 0
) -> Taxed:
    """Return base and tax of one group, and of each of its members, which add up to them.

    Where the amounts include the tax, their sum stays as it is: the tax is taken out of it, and the nets are
    shares of the rest, none a whole unit from its exact value.
    """
    amount_minor = within_bounds(sum(amounts_minor))
    if not prices_include_tax:
        tax = tax_on(before_minor + amount_minor, rate_bp=rate_bp) - tax_on(before_minor, rate_bp=rate_bp)
        return Taxed(
            base_minor=amount_minor,
            tax_minor=tax,
            nets_minor=list(amounts_minor),
            taxes_minor=split_tax(amounts_minor, rate_bp=rate_bp, tax_minor=tax),
        )
    tax = tax_within(before_minor + amount_minor, rate_bp=rate_bp) - tax_within(before_minor, rate_bp=rate_bp)
    nets = apportion(
        [amount * 10_000 for amount in amounts_minor],
        denominator=10_000 + rate_bp,
        total_minor=amount_minor - tax,
    )
    taxes = [amount - net for amount, net in zip(amounts_minor, nets, strict=True)]
    return Taxed(base_minor=amount_minor - tax, tax_minor=tax, nets_minor=nets, taxes_minor=taxes)


def tax_on(base_minor: int, *, rate_bp: int) -> int:
    """Return the tax on a base, rounded half away from zero.

    Units:   minor currency units; rate in basis points (1900 = 19 %).
    Source:  EN 16931 rule BR-CO-17.
    """
    return round_minor(Fraction(base_minor * rate_bp, 10_000))


def tax_within(gross_minor: int, *, rate_bp: int) -> int:
    """Return the tax that is in a gross amount, rounded half away from zero: 19 in 119 at 19 %.

    Units:   minor currency units; rate in basis points (1900 = 19 %).
    """
    return round_minor(Fraction(gross_minor * rate_bp, 10_000 + rate_bp))


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
    tax = tax_on(sum(line_nets_minor), rate_bp=rate_bp) if tax_minor is None else tax_minor
    scaled = [net * rate_bp for net in line_nets_minor]
    return apportion(scaled, denominator=10_000, total_minor=tax)


def _check(lines: Sequence[Line], exponent: int, changes: Sequence[Change]) -> None:
    if not 0 <= exponent <= 4:
        raise ValueError(f"A currency has 0 to 4 decimals, not {exponent}.")
    if not lines:
        raise Invalid(
            "invoice.lines_missing",
            _("An invoice needs at least one line."),
            fields={"lines": _("Add a line.")},
        )
    if len(lines) > LINES_MAX:
        message = _(
            "{count} lines are too many; split the invoice at {lines_max}.",
            count=len(lines),
            lines_max=LINES_MAX,
        )
        raise Invalid("invoice.lines_too_many", message, fields={"lines": message})
    if len(changes) > CHANGES_MAX:
        said = _("At most {count} discounts and charges fit here.", count=CHANGES_MAX)
        _refuse("changes_too_many", said, "changes")
    for index, line in enumerate(lines):
        _check_line(line, f"lines.{index}")
    for index, change in enumerate(changes):
        if change.tax_category is not None:
            _check_tax(change.tax_category, change.tax_rate_bp or 0, f"changes.{index}")


def _check_line(line: Line, at: str) -> None:
    _check_number(line.quantity, f"{at}.quantity")
    _check_number(line.unit_price, f"{at}.unit_price")
    if line.unit_price < 0:
        _refuse(
            "price_negative",
            _("A price cannot be below zero; make the quantity negative."),
            f"{at}.unit_price",
        )
    _check_tax(line.tax_category, line.rate_bp, at)


def _check_tax(category: str, rate_bp: int, at: str) -> None:
    _check_rate(rate_bp, f"{at}.rate_bp")
    if category == TAXED:
        if rate_bp == 0:
            _refuse(
                "rate_missing",
                _("A taxed line needs a rate above 0; use Z, E or O without tax."),
                f"{at}.rate_bp",
            )
    elif category not in UNTAXED_CATEGORIES:
        known = ", ".join([TAXED, *UNTAXED_CATEGORIES])
        _refuse(
            "category_unknown",
            _("There is no such tax category; use one of {choices}.", choices=known),
            f"{at}.tax_category",
        )
    elif rate_bp:
        why = UNTAXED_CATEGORIES[category]
        _refuse("rate_not_allowed", _("A line that is {why} has the rate 0.", why=_(why)), f"{at}.rate_bp")


def _check_number(number: Decimal, field: str) -> None:
    if not isinstance(number, Decimal):
        raise TypeError(f"{field} is a Decimal, not {type(number).__name__}.")
    if not number.is_finite():
        _refuse("number_not_finite", _("Write a number."), field)
    if number.copy_abs() >= NUMBER_BOUND:
        _refuse("number_too_large", _("The number is too large; at most 12 digits before the point."), field)
    _sign, digits, exponent = number.as_tuple()
    too_fine = -NUMBER_DECIMALS_MAX - int(exponent)
    if too_fine > 0 and any(digits[-too_fine:]):
        said = _("The number has more than {count} decimals.", count=NUMBER_DECIMALS_MAX)
        _refuse("number_too_fine", said, field)


def _check_rate(rate_bp: int, field: str) -> None:
    if type(rate_bp) is not int:
        raise TypeError(f"Basis points are a whole number, not {type(rate_bp).__name__}.")
    if not 0 <= rate_bp <= RATE_BP_MAX:
        _refuse("rate_out_of_range", _("A rate is between 0 and 100 %."), field)


def _refuse(what: str, message: str, field: str) -> NoReturn:
    raise Invalid(f"invoice.{what}", message, fields={field: message})

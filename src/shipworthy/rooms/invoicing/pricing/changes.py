"""Discounts and charges: what was agreed, and what it comes to on a line or on a whole invoice.

A line has at most one of them, a document up to twenty; none is computed on another. Amounts are in the terms of
the prices: with tax where the prices include it. Pure: knows no tax rate and no currency.

Source:  EN 16931-1: BG-20, BG-21 (document), BG-27, BG-28 (line); an amount is its base times its percentage,
         rounded as everything is.

Refusals, all `Invalid`, each naming its place (`lines.2.change`, `changes.0`): `invoice.change_unclear`,
`invoice.change_out_of_range`, `invoice.change_of_nothing`, `invoice.discount_too_high`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.kernel.money.money import AMOUNT_MAX_MINOR
from shipworthy.kernel.money.rounding import round_minor
from shipworthy.rooms.invoicing.pricing.shares import apportion

CHANGES_MAX = 20
PERCENT_BP_MAX = 10_000

Kind = Literal["discount", "charge"]
Group = tuple[str, int]  # tax category and rate in basis points


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A discount or a charge as agreed: a percentage or an amount, and why. Of a document, also its tax.

    Without a tax a document's change is spread over the tax groups of the lines.
    Units:   basis points (1250 = 12.5 %); minor units.
    """

    kind: Kind
    reason: str = ""
    percent_bp: int | None = None
    amount_minor: int | None = None
    tax_category: str | None = None
    tax_rate_bp: int | None = None
    tax_code: str | None = None  # of the tenant's rates, where it was chosen there

    @property
    def group(self) -> Group | None:
        return None if self.tax_category is None else (self.tax_category, self.tax_rate_bp or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChange:
    """What a change came to on its line; below zero where the line takes something back."""

    kind: Kind
    reason: str
    percent_bp: int | None
    base_minor: int
    amount_minor: int

    @property
    def signed_minor(self) -> int:
        """What it adds to the line."""
        return self.amount_minor if self.kind == "charge" else -self.amount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of a document's change that falls on one tax group, in the prices' terms and without tax."""

    tax_category: str
    tax_rate_bp: int
    base_minor: int
    amount_minor: int
    net_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentChange:
    """A document's change as agreed, and its parts."""

    change: Change
    parts: tuple[Part, ...]

    @property
    def sign(self) -> int:
        return 1 if self.change.kind == "charge" else -1

    @property
    def amount_minor(self) -> int:
        return sum(part.amount_minor for part in self.parts)


def check_change(change: Change, field: str) -> None:
    """Refuse what is no percentage above 0 up to 100 and no amount above nothing, or both at once."""
    percent_bp, amount_minor = change.percent_bp, change.amount_minor
    if (percent_bp is None) == (amount_minor is None):
        raise _refusal("change_unclear", _("Say a percentage or an amount, one of them."), field)
    for number in (percent_bp, amount_minor):
        if number is not None and type(number) is not int:
            raise TypeError(f"{field} is a whole number, not {type(number).__name__}.")
    if percent_bp is not None and not 0 < percent_bp <= PERCENT_BP_MAX:
        said = _("It is more than 0 and at most 100 %.")
        raise _refusal("change_out_of_range", said, field)
    if amount_minor is not None and not 0 < amount_minor <= AMOUNT_MAX_MINOR:
        said = _("It is an amount above nothing; a charge is the opposite of a discount.")
        raise _refusal("change_out_of_range", said, field)


def change_line(change: Change, *, base_minor: int, quantity: Decimal, field: str) -> LineChange:
    """Return what a change comes to on a line of this base; a line that takes back takes its change back as well.

    Errors:  `invoice.change_of_nothing`, `invoice.discount_too_high`.
    """
    check_change(change, field)
    if not quantity:
        raise _refusal(
            "change_of_nothing", _("A line without a quantity has no discount and no charge."), field
        )
    amount_minor = _amount_of(change, base_minor)
    if change.amount_minor is not None and quantity < 0:
        amount_minor = -amount_minor
    if change.kind == "discount" and abs(amount_minor) > abs(base_minor):
        raise _refusal("discount_too_high", _("The discount is more than the line comes to."), field)
    return LineChange(
        kind=change.kind,
        reason=change.reason,
        percent_bp=change.percent_bp,
        base_minor=base_minor,
        amount_minor=amount_minor,
    )


def change_document(
    changes: tuple[Change, ...], sums_minor: Mapping[Group, int]
) -> tuple[DocumentChange, ...]:
    """Return what the changes of a document come to on the sums of its lines, by tax group.

    A percentage is taken of each group's sum; an amount is spread in proportion to the groups that ask for
    something, and loses no cent. A group never comes to less than nothing by its discounts.

    Errors:  `invoice.change_unclear`, `invoice.change_out_of_range`, `invoice.change_of_nothing`,
             `invoice.discount_too_high`.
    """
    changed = []
    left = {group: max(0, minor) for group, minor in sums_minor.items()}
    for index, change in enumerate(changes):
        check_change(change, f"changes.{index}")
        parts = _parts(change, sums_minor, f"changes.{index}")
        changed.append(DocumentChange(change=change, parts=parts))
        if change.kind == "charge":
            for part in parts:
                group = (part.tax_category, part.tax_rate_bp)
                left[group] = left.get(group, 0) + part.amount_minor
    for index, document_change in enumerate(changed):
        if document_change.change.kind == "discount":
            _take(document_change, left, f"changes.{index}")
    return tuple(changed)


def _parts(change: Change, sums_minor: Mapping[Group, int], field: str) -> tuple[Part, ...]:
    if change.group is not None:
        base_minor = sums_minor.get(change.group, 0)
        if change.percent_bp is not None and base_minor <= 0:
            raise _refusal(
                "change_of_nothing", _("There is no line of this tax to take a percentage of."), field
            )
        amounts = {change.group: (base_minor, _amount_of(change, base_minor))}
    else:
        # In an order of their own: the order of the lines must not decide who gets the odd cent.
        asking = {group: sums_minor[group] for group in sorted(sums_minor) if sums_minor[group] > 0}
        if not asking:
            raise _refusal("change_of_nothing", _("The lines come to nothing that it could change."), field)
        total_minor = sum(asking.values())
        if change.amount_minor is None:
            shares = [_amount_of(change, minor) for minor in asking.values()]
        else:
            shares = apportion(
                [change.amount_minor * minor for minor in asking.values()],
                denominator=total_minor,
                total_minor=change.amount_minor,
            )
        amounts = {
            group: (minor, share) for (group, minor), share in zip(asking.items(), shares, strict=True)
        }
    return tuple(
        Part(tax_category=category, tax_rate_bp=rate_bp, base_minor=base_minor, amount_minor=amount_minor)
        for (category, rate_bp), (base_minor, amount_minor) in amounts.items()
    )


def _take(discount: DocumentChange, left: dict[Group, int], field: str) -> None:
    for part in discount.parts:
        group = (part.tax_category, part.tax_rate_bp)
        left[group] = left.get(group, 0) - part.amount_minor
        if left[group] < 0:
            said = _("The discounts are more than the lines of their tax rate come to.")
            raise _refusal("discount_too_high", said, field)


def _amount_of(change: Change, base_minor: int) -> int:
    if change.percent_bp is None:
        assert change.amount_minor is not None, "the change was checked"
        return change.amount_minor
    return round_minor(Fraction(base_minor * change.percent_bp, PERCENT_BP_MAX))


def _refusal(what: str, message: str, field: str) -> Invalid:
    return Invalid(f"invoice.{what}", message, fields={field: message})

"""What crediting a part of an invoice comes to, exact in any number of steps.

Amounts telescope. A line credited in steps gets, at each step, what all that is credited so far comes to less what
the steps before it got; its discount or charge likewise, in proportion to the quantity; a document's likewise, in
proportion to the lines of its tax group; and the tax of a group on the sum. So whatever was rounded on the way, steps
that take everything back come to the invoice's own figures, group by group, and none ever goes beyond them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from shipworthy.kernel.money.rounding import round_minor
from shipworthy.rooms.invoicing.pricing.changes import DocumentChange, Group, LineChange, Part
from shipworthy.rooms.invoicing.tax import Line, Priced, Totals, base_of, tax_priced


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicedLine:
    """A line of an invoice, what its discount or charge came to, and how much of it credit notes took back already."""

    line_no: int
    line: Line
    change: LineChange | None = None
    tax_code: str | None = None
    credited: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        return self.line.quantity - self.credited


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sum:
    """What the lines of one tax group come to: in all, credited before this step, and with it."""

    whole_minor: int = 0
    before_minor: int = 0
    after_minor: int = 0


def compute_credit(
    invoiced: Sequence[InvoicedLine],
    wanted: Mapping[int, Decimal],
    *,
    exponent: int,
    changes: Sequence[DocumentChange] = (),
    prices_include_tax: bool = False,
    rounding_step_minor: int = 1,
    gross_before_minor: int = 0,
) -> Totals:
    """Return the amounts of a credit note for these quantities, by line number.

    Crediting in any number of steps comes to the amounts of crediting at once. What stands on no line, a charge
    under a tax rate of its own, is credited with the last of the lines.
    Units:   minor currency units; `exponent` is the decimals of the currency.
    """
    groups, amounts, line_changes = [], [], []
    sums: dict[Group, _Sum] = {}
    for line in invoiced:
        before, _ = _taken(line, line.credited, exponent)
        whole, _ = _taken(line, line.line.quantity, exponent)
        after = before
        if line.line_no in wanted:
            after, taken = _step(line, wanted[line.line_no], exponent)
            groups.append(line.line.group)
            amounts.append(after - before)
            line_changes.append(taken)
        known = sums.get(line.line.group, _Sum())
        sums[line.line.group] = _Sum(
            whole_minor=known.whole_minor + whole,
            before_minor=known.before_minor + before,
            after_minor=known.after_minor + after,
        )
    was_all = not any(line.left for line in invoiced)
    is_all = all(line.left == wanted.get(line.line_no, Decimal(0)) for line in invoiced)
    taxed_before = {group: known.before_minor for group, known in sums.items()}
    credited = []
    for change in changes:
        parts = []
        for part in change.parts:
            group = (part.tax_category, part.tax_rate_bp)
            before, after = _part_taken(part, sums.get(group, _Sum()), was_all=was_all, is_all=is_all)
            taxed_before[group] = taxed_before.get(group, 0) + change.sign * before
            if after != before:
                parts.append(replace(part, base_minor=_step_of(sums, group), amount_minor=after - before))
        if parts:
            credited.append(DocumentChange(change=change.change, parts=tuple(parts)))
    priced = Priced(
        line_groups=tuple(groups),
        line_amounts_minor=tuple(amounts),
        line_changes=tuple(line_changes) if any(line_changes) else (),
        changes=tuple(credited),
    )
    return tax_priced(
        priced,
        prices_include_tax=prices_include_tax,
        taxed_before_minor=taxed_before,
        rounding_step_minor=rounding_step_minor,
        gross_before_minor=gross_before_minor,
    )


def _step(line: InvoicedLine, quantity: Decimal, exponent: int) -> tuple[int, LineChange | None]:
    """Return what is taken of a line once this quantity is, too, and the part of its change that this step takes."""
    before, changed_before = _taken(line, line.credited, exponent)
    after, changed_after = _taken(line, line.credited + quantity, exponent)
    if line.change is None:
        return after, None
    step = replace(line.change, amount_minor=changed_after - changed_before)
    return after, replace(step, base_minor=after - before - step.signed_minor)


def _taken(line: InvoicedLine, quantity: Decimal, exponent: int) -> tuple[int, int]:
    """Return what a quantity of a line comes to, and the part of its discount or charge in that."""
    base = base_of(quantity, line.line.unit_price, exponent=exponent)
    if line.change is None or not quantity:
        return base, 0
    share = Fraction(quantity) / Fraction(line.line.quantity)
    changed = round_minor(line.change.amount_minor * share)
    return base + (changed if line.change.kind == "charge" else -changed), changed


def _part_taken(part: Part, known: _Sum, *, was_all: bool, is_all: bool) -> tuple[int, int]:
    """Return how much of a document's change is credited before this step, and with it."""
    if not known.whole_minor:
        return part.amount_minor * was_all, part.amount_minor * is_all
    return (
        round_minor(Fraction(part.amount_minor * known.before_minor, known.whole_minor)),
        round_minor(Fraction(part.amount_minor * known.after_minor, known.whole_minor)),
    )


def _step_of(sums: Mapping[Group, _Sum], group: Group) -> int:
    known = sums.get(group, _Sum())
    return known.after_minor - known.before_minor

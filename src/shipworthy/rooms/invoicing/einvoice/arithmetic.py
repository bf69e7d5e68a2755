"""Whether an electronic invoice adds up, to the cent, by the rules it claims to follow.

Source:  EN 16931: BR-CO-10 to -17, BR-S-08 and its kin. Sums are exact; a line and the tax of a category are
         rounded half away from zero.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from shipworthy.kernel.money.currencies import CURRENCIES
from shipworthy.kernel.money.rounding import round_minor
from shipworthy.rooms.invoicing.einvoice.model import Change, EInvoice, Line

_NOTHING = Decimal(0)
TAX_SLACK = Decimal("0.99")  # the norm itself forgives less than 1.00 in the tax of a category (BR-CO-17)


def wrong_sums(invoice: EInvoice, *, tax_slack: Decimal = _NOTHING) -> list[str]:
    """Return every sum that is not what its parts make, each naming its rule; nothing where all is well."""
    totals = invoice.totals
    allowed = sum((c.amount for c in invoice.allowances), _NOTHING)
    charged = sum((c.amount for c in invoice.charges), _NOTHING)
    net = totals.lines - (totals.allowances or 0) + (totals.charges or 0)
    taxed = sum((tax.amount for tax in invoice.taxes), _NOTHING)
    payable = totals.gross - (totals.prepaid or 0) + (totals.rounding or 0)
    sums = [
        ("BR-CO-10", "the lines", totals.lines, sum((line.net for line in invoice.lines), _NOTHING)),
        ("BR-CO-11", "the allowances", totals.allowances or _NOTHING, allowed),
        ("BR-CO-12", "the charges", totals.charges or _NOTHING, charged),
        ("BR-CO-13", "the net total", totals.net, net),
        ("BR-CO-14", "the tax", invoice.tax_total or _NOTHING, taxed),
        ("BR-CO-15", "the gross total", totals.gross, totals.net + (invoice.tax_total or 0)),
        ("BR-CO-16", "the amount due", totals.payable, payable),
    ]
    wrong = [
        f"{rule}: {what} should be {made}, the file says {told}"
        for rule, what, told, made in sums
        if told != made
    ]
    return wrong + _wrong_taxes(invoice, tax_slack)


def wrong_lines(invoice: EInvoice) -> list[str]:
    """Return the lines whose net is not quantity times price. The norm has no rule for that, so it is a remark."""
    decimals = _decimals(invoice)
    return [
        f"Line {line.line_id}: its net should be {made}, the file says {line.net}"
        for line in invoice.lines
        if line.net != (made := _line_net(line, decimals))
    ]


def _decimals(invoice: EInvoice) -> int:
    """An amount of the norm has two decimals at most (BR-DEC-*)."""
    currency = CURRENCIES.get(invoice.currency)
    return min(2, currency.exponent) if currency else 2


def _line_net(line: Line, decimals: int) -> Decimal:
    exact = Fraction(line.quantity) * Fraction(line.price) / Fraction(line.base_quantity or 1)
    changed = sum(c.amount for c in line.charges) - sum(c.amount for c in line.allowances)
    return Decimal(round_minor((exact + Fraction(changed)) * 10**decimals)).scaleb(-decimals)


def _wrong_taxes(invoice: EInvoice, slack: Decimal) -> list[str]:
    bases: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    for line in invoice.lines:
        bases[line.tax_category, line.tax_rate or _NOTHING] += line.net
    for sign, changes in ((-1, invoice.allowances), (1, invoice.charges)):
        for change in changes:
            bases[_group_of(change)] += sign * change.amount
    wrong, decimals = [], _decimals(invoice)
    for tax in invoice.taxes:
        name = f"{tax.category} {tax.rate or 0} %"
        base = bases.pop((tax.category, tax.rate or _NOTHING), _NOTHING)
        if base != tax.base:
            wrong.append(
                f"BR-{tax.category}-08: the base of {name} should be {base}, the file says {tax.base}"
            )
        exact = Fraction(tax.base) * Fraction(tax.rate or 0) / 100
        made = Decimal(round_minor(exact * 10**decimals)).scaleb(-decimals)
        if abs(made - tax.amount) > slack:
            wrong.append(f"BR-CO-17: the tax of {name} should be {made}, the file says {tax.amount}")
    left = [f"{category} {rate} %" for (category, rate), base in bases.items() if base]
    return wrong + [f"BR-CO-18: nothing is said of the tax {name}" for name in left]


def _group_of(change: Change) -> tuple[str, Decimal]:
    return change.tax_category or "", change.tax_rate or _NOTHING

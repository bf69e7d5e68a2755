"""Cash rounding: what is due is the gross in steps of a coin, and no tax changes with it.

Owns: the rules a seller or a customer can choose from, and the step each means. Pure.

Source:  EN 16931-1: BT-114 (the amount added), BT-115 and BR-CO-16 (what is due with it). Switzerland: coins and
         prices end in 0.05, and the final amount may.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from shipworthy.kernel.language import mark
from shipworthy.kernel.money.currencies import Currency
from shipworthy.kernel.money.rounding import round_minor

# Where invoices, too, usually end in the smallest coin. Others round only what is paid in cash.
_USUAL = frozenset({"CHF"})

# What a seller chooses from; a customer may have another rule, or none of its own ("").
RULES = {
    "usual": mark("Only where it is usual: Swiss francs to 0.05"),
    "coin": mark("Every currency to its smallest coin"),
    "0.05": mark("Every currency to 0.05"),
    "none": mark("Never"),
}


def step_of(rule: str, currency: Currency) -> int:
    """Return the step in which an amount in this currency is due; 1 where nothing is rounded.

    Units:   minor currency units. A step that the currency has no decimals for rounds nothing.
    """
    if rule == "coin" or (rule == "usual" and currency.code in _USUAL):
        return currency.cash_increment_minor
    if rule == "0.05":
        step = Decimal(rule).scaleb(currency.exponent)
        return int(step) if step == int(step) else 1
    return 1


def rounding_of(gross_minor: int, *, step_minor: int, before_minor: int = 0) -> int:
    """Return what to add to the gross so that it is due in whole steps: the nearest, a half away from zero.

    `before_minor`, for a credit note, is the gross of the ones before it: the steps of crediting come to what
    crediting at once comes to, and so to what was due.

    Units:   minor currency units in and out.
    """
    return _due(before_minor + gross_minor, step_minor) - _due(before_minor, step_minor) - gross_minor


def _due(gross_minor: int, step_minor: int) -> int:
    return round_minor(Fraction(gross_minor, step_minor)) * step_minor

"""The one place where money is rounded, and the arithmetic in which it cannot go wrong unseen."""

from __future__ import annotations

from contextlib import AbstractContextManager
from decimal import (
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from fractions import Fraction
from typing import Literal

Rounding = Literal["half_up", "half_even", "down"]

# quantity (18 digits) x price (18) x discount (5) x minor unit (5) needs 46 digits.
_EXACT = Context(prec=60, traps=[DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow])


def round_minor(exact: int | Fraction | Decimal, *, mode: Rounding = "half_up") -> int:
    """Return the whole number of minor units nearest to `exact`.

    The size is rounded and the sign put back, so -x always rounds to minus what x rounds to,
    and a credit note undoes its invoice to the cent. `half_up` takes a tie away from zero;
    `half_even` to the even neighbour; `down` drops the fraction.

    Units:   minor currency units in and out.
    Errors:  TypeError for a float: a binary fraction has lost the tie before it gets here.
    Source:  EN 16931-1 (two decimals, half up; the VAT rules round the size of an amount).
    """
    if isinstance(exact, bool) or not isinstance(exact, (int, Fraction, Decimal)):
        raise TypeError(f"Money is rounded from int, Fraction or Decimal, not from {type(exact).__name__}.")
    numerator, denominator = exact.as_integer_ratio()
    whole, rest = divmod(abs(numerator), denominator)
    twice_rest = 2 * rest
    is_above, is_tie = twice_rest > denominator, twice_rest == denominator
    if mode != "down" and (is_above or (is_tie and (mode == "half_up" or whole % 2 == 1))):
        whole += 1
    return -whole if numerator < 0 else whole


def exact_arithmetic() -> AbstractContextManager[Context]:
    """Within it, a Decimal result that would lose a digit, or meets a float, raises instead.

    Example: with exact_arithmetic(): net = quantity * price
    """
    return localcontext(_EXACT)

"""Dividing an amount so that nothing is lost and nobody is a whole unit off."""

from __future__ import annotations

from collections.abc import Sequence


def apportion(numerators: Sequence[int], *, denominator: int, total_minor: int) -> list[int]:
    """Return whole shares that add up to the total, each less than one unit from its numerator / denominator.

    The shares are cut toward zero; the leftover units go to the largest remainders, first one first. Negated
    numerators under a negated total get the negated shares. The total is the rounded sum of the exact shares, or
    less than one unit further away from it.

    Units:   minor currency units in and out.
    """
    shares = [_toward_zero(numerator, denominator) for numerator in numerators]
    leftover = total_minor - sum(shares)
    step = 1 if leftover > 0 else -1
    remainders = [
        step * (exact - share * denominator) for exact, share in zip(numerators, shares, strict=True)
    ]
    by_remainder = sorted(range(len(shares)), key=lambda i: -remainders[i])  # stable: first one first
    for i in by_remainder[: abs(leftover)]:
        shares[i] += step
    return shares


def _toward_zero(numerator: int, denominator: int) -> int:
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)

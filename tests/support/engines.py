"""Arithmetic of invoices, right and wrong in the ways it usually is.

Each engine takes lines of (quantity, unit price, rate in basis points) and returns net and tax.
Units: minor units.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

Lines = list[tuple[str, str, int]]


def _cents(exact: Decimal) -> int:
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _nets(lines: Lines) -> list[tuple[int, int]]:
    return [(_cents(Decimal(n) * Decimal(price) * 100), rate) for n, price, rate in lines]


def _by_rate(nets: list[tuple[int, int]]) -> dict[int, int]:
    bases: Counter[int] = Counter()
    for net, rate in nets:
        bases[rate] += net
    return dict(bases)


def _tax_with(lines: Lines, tax: Callable[[int, int], int]) -> tuple[int, int]:
    nets = _nets(lines)
    return sum(net for net, _ in nets), sum(tax(base, rate) for rate, base in _by_rate(nets).items())


def _net_with(lines: Lines, net: Callable[[float], int]) -> tuple[int, int]:
    nets = [(net(float(n) * float(price) * 100), rate) for n, price, rate in lines]
    return sum(n for n, _ in nets), sum(_exact_tax(base, rate) for rate, base in _by_rate(nets).items())


def _exact_tax(base: int, rate: int) -> int:
    return _cents(Decimal(base) * rate / 10_000)


def _tax_by_line(lines: Lines) -> tuple[int, int]:
    nets = _nets(lines)
    return sum(net for net, _ in nets), sum(_exact_tax(net, rate) for net, rate in nets)


def _rounds_last(lines: Lines) -> tuple[int, int]:
    nets = [(Decimal(n) * Decimal(price) * 100, rate) for n, price, rate in lines]
    return _cents(sum((net for net, _ in nets), Decimal())), sum(
        _cents(sum((net for net, r in nets if r == rate), Decimal()) * rate / 10_000)
        for rate in {r for _, r in nets}
    )


ENGINES: dict[str, Callable[[Lines], tuple[int, int]]] = {
    "exact": lambda lines: _tax_with(lines, _exact_tax),
    "float_tax": lambda lines: _tax_with(lines, lambda base, rate: round(base * (rate / 10_000))),
    "tax_to_even": lambda lines: _tax_with(lines, lambda base, rate: round(Decimal(base) * rate / 10_000)),
    "tax_down": lambda lines: _tax_with(lines, lambda base, rate: base * rate // 10_000),
    "tax_by_line": _tax_by_line,
    "float_net": lambda lines: _net_with(lines, round),
    "float_net_half_up": lambda lines: _net_with(lines, lambda cents: math.floor(cents + 0.5)),
    "rounds_last": _rounds_last,
}

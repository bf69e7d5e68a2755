"""R8: many checks, one gate. Forty checks at 5 % each would fail 87 % of the good builds.

Owns Holm's step-down rule over the checks that gate together. It needs no independence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping


def rejected(p_values: Mapping[str, float], *, alpha: float = 0.05) -> tuple[str, ...]:
    """Return the checks that fail once all are counted, smallest p-value first.

    With probability 1 - alpha no good check is among them, whatever ties the checks have.

    Errors:  ValueError when a p-value is not within 0..1 (a NaN is not), or alpha is not within (0, 1).
    Source:  Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6 (1979).
    Example: rejected({"p95": 0.001, "errors": 0.4}) == ("p95",)
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must lie between 0 and 1, not {alpha}")
    adjusted = adjusted_p_values(p_values)
    return tuple(name for name, p in adjusted.items() if p <= alpha)


def adjusted_p_values(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return every check's p-value raised to what it means among its family, smallest first.

    Comparing it with alpha is Holm's rule: max over the smaller ones of (m - i) p_i, at most 1.

    Errors:  ValueError as `rejected`.
    Source:  as `rejected`.
    """
    for name, p in p_values.items():
        if math.isnan(p) or not 0.0 <= p <= 1.0:
            raise ValueError(f"the p-value of {name!r} is {p}; it must lie within 0..1")
    adjusted: dict[str, float] = {}
    highest = 0.0
    for place, name in enumerate(sorted(p_values, key=lambda n: p_values[n])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[name]))
        adjusted[name] = highest
    return adjusted

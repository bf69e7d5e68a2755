"""Capacity by arithmetic: what a mix of operations costs, what a machine can hold, what a goal needs.

Owns the arithmetic only. It gives an upper bound: a machine whose cores are all busy answers late, so
the rate that keeps an objective lies below and is found by measuring (gauntlet/load/search.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One operation of a mix. Units: `cpu_ms` of all processes together; `share` of requests, 0..1."""

    name: str
    cpu_ms: float
    share: float


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """What the mix costs and where its limit is.

    Units:   `cpu_ms` a request of the mix on average; `rate_max_per_s` with every core busy;
             `dearest_share` is the part of the mix's CPU that `dearest` takes.
    """

    cpu_ms: float
    rate_max_per_s: float
    dearest: str
    dearest_share: float


def capacity(costs: Sequence[Cost], *, cores: int) -> Capacity:
    """Return what `cores` can hold of a mix at the very most.

    Errors:  ValueError when there is no operation, no core, or nothing that costs anything.
    Source:  the utilisation law, U = X * S (Denning and Buzen, ACM Computing Surveys 10, 1978).
    """
    whole = sum(cost.share for cost in costs)
    if cores < 1 or whole <= 0:
        raise ValueError("capacity needs at least one core and one operation that is asked for")
    cpu_ms = sum(cost.cpu_ms * cost.share for cost in costs) / whole
    if not cpu_ms > 0:
        raise ValueError("no operation of the mix costs any CPU; measure for longer")
    dearest = max(costs, key=lambda cost: cost.cpu_ms * cost.share)
    return Capacity(
        cpu_ms=cpu_ms,
        rate_max_per_s=cores * 1000 / cpu_ms,
        dearest=dearest.name,
        dearest_share=dearest.cpu_ms * dearest.share / whole / cpu_ms,
    )


def cores_needed(rate_per_s: float, *, cpu_ms: float, utilisation_max: float = 0.8) -> int:
    """Return the cores that a rate needs when none may be busier than `utilisation_max`.

    Above four fifths the wait grows faster than the load: in a single-server queue with random
    arrivals it is U / (1 - U) service times (Pollaczek-Khinchine for exponential service).

    Errors:  ValueError when a number is not positive or the utilisation not within 0..1.
    """
    if rate_per_s <= 0 or cpu_ms <= 0 or not 0 < utilisation_max <= 1:
        raise ValueError("rate and cost must be above 0, and the utilisation within 0..1")
    return math.ceil(rate_per_s * cpu_ms / 1000 / utilisation_max - 1e-9)

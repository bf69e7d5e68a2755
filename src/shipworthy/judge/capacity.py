"""Capacity by arithmetic: what a mix of operations costs, what a machine can hold, what a goal needs.

Owns the arithmetic only. It gives an upper bound: a machine whose cores are all busy answers late, so
the rate that keeps an objective lies below and is found by measuring (gauntlet/load/search.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


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


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a target load takes. Units: cores as they are busy, before any reserve; bytes."""

    cores: dict[str, float]  # by process
    cores_in_all: int  # none of them busier than `utilisation_max`
    web_processes: int
    memory_bytes: int
    connections: int
    storage_bytes: int


def needs(
    rates_per_s: Mapping[str, float],
    *,
    cpu_ms: Mapping[str, Mapping[str, float]],
    idle_cores: Mapping[str, float],
    memory_bytes: Mapping[str, int],
    web: str = "web",
    connections_per_web: int = 0,
    connections_beside: int = 0,
    rows: Mapping[str, float] = MappingProxyType({}),
    bytes_per_row: Mapping[str, float] = MappingProxyType({}),
    utilisation_max: float = 0.8,
) -> Needs:
    """Return what `rates_per_s` of each operation and `rows` kept of each table take.

    `cpu_ms` is one operation's, by process. A `web` process answers on one core, so there are as many as
    cores it needs; each has its memory and its connections, of the others there is one.

    Errors:  KeyError for an operation or a table that was not measured; ValueError for a negative number.
    Source:  the utilisation law, as `capacity`.
    """
    if any(number < 0 for number in (*rates_per_s.values(), *rows.values())):
        raise ValueError("a rate or a number of rows cannot be negative")
    busy = dict(idle_cores)
    for operation, rate in rates_per_s.items():
        for process, ms in cpu_ms[operation].items():
            busy[process] = busy.get(process, 0.0) + rate * ms / 1000
    processes = max(1, math.ceil(busy.get(web, 0.0) / utilisation_max - 1e-9))
    beside = sum(size for process, size in memory_bytes.items() if process != web)
    return Needs(
        cores=busy,
        cores_in_all=max(1, math.ceil(sum(busy.values()) / utilisation_max - 1e-9)),
        web_processes=processes,
        memory_bytes=beside + processes * memory_bytes.get(web, 0),
        connections=connections_beside + processes * connections_per_web,
        storage_bytes=math.ceil(sum(number * bytes_per_row[table] for table, number in rows.items())),
    )

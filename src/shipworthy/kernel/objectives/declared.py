"""Which objectives an app declares, and which routes keep them, by their names in the metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shipworthy.contract.manifest import Slo
from shipworthy.kernel.http.metrics import EDGES_S
from shipworthy.kernel.room import Room
from shipworthy.kernel.settings import Settings


def objectives_of(rooms: Sequence[Room], settings: Settings) -> tuple[Slo, ...]:
    """Return every room's objectives, in the order of the rooms."""
    return tuple(slo for room in rooms for slo in room.slos(settings))


def routes_by_objective(rooms: Sequence[Room]) -> dict[str, list[str]]:
    """Return the routes of each objective as the metrics name them."""
    found: dict[str, list[str]] = {}
    for objective, route in _pairs(rooms):
        found.setdefault(objective, []).append(route)
    return found


def edges_s(rooms: Sequence[Room], settings: Settings) -> tuple[float, ...]:
    """Return the histogram's edges with every objective's bound among them, so that nothing interpolates."""
    bounds = {slo.threshold_ms / 1000 for slo in objectives_of(rooms, settings)}
    return tuple(sorted({*EDGES_S, *bounds}))


def _pairs(rooms: Sequence[Room]) -> Iterator[tuple[str, str]]:
    for room in rooms:
        yield from ((route.slo, f"{route.method} {route.path}") for route in room.routes if route.slo)
        if room.lane_slo:
            yield room.lane_slo, room.name

"""Minute by minute: how requests kept each objective, from the counters that the app itself publishes.

Counters only grow, until a process starts anew: what is smaller than before counts from zero. The history is
one file of JSON lines, appended to and cut to what the longest window reaches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from shipworthy.contract.manifest import Slo
from shipworthy.judge.burn import Count
from shipworthy.kernel.objectives.prometheus import METRIC

KEPT_S = 30 * 24 * 3600  # the window an error budget is for
_MINUTE_S = 60
_CUT_AT = 1.25  # times as much as is kept, before the file is written anew


@dataclass(frozen=True)
class Counters:
    """What one look at the counters says of one objective. `taken` is (edge in seconds, requests within it).

    `failed` are those that failed on our side, however fast.
    """

    total: float
    good: float
    taken: tuple[tuple[float, float], ...]
    failed: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Minute:
    """One objective in one minute. Units: `at_s` seconds since 1970, of the minute's beginning."""

    at_s: int
    objective: str
    total: int
    bad: int
    taken: dict[str, int]  # edge in seconds as text -> requests between it and the one before; "+Inf" beyond


def counters_of(text: str, slos: Sequence[Slo], routes: Mapping[str, Sequence[str]]) -> dict[str, Counters]:
    """Return the counters of each objective from what `/-/metrics` says.

    A request is good that took no longer than the bound and did not fail on our side.
    Errors:  ValueError for what is no such text.
    """
    wanted = {route: slo for slo in slos for route in routes.get(slo.name, ())}
    total, good, failed = (dict.fromkeys(wanted, 0.0) for _ in range(3))
    taken: dict[str, dict[float, float]] = {route: {} for route in wanted}
    for family in text_string_to_metric_families(text):
        if family.name != METRIC:
            continue
        for sample in family.samples:
            route = sample.labels.get("route", "")
            if route not in wanted or not sample.name.endswith("_bucket"):
                continue
            edge_s = float(sample.labels["le"])
            taken[route][edge_s] = taken[route].get(edge_s, 0.0) + sample.value
            if edge_s == float("inf"):
                total[route] += sample.value
                failed[route] += sample.value if sample.labels.get("status") == "5xx" else 0.0
            if edge_s == wanted[route].threshold_ms / 1000 and sample.labels.get("status") != "5xx":
                good[route] += sample.value
    found = {}
    for slo in slos:
        mine = [route for route in routes.get(slo.name, ()) if taken[route]]
        edges = sorted({edge for route in mine for edge in taken[route]})
        found[slo.name] = Counters(
            total=sum(total[r] for r in mine),
            good=sum(good[r] for r in mine),
            taken=tuple((edge, sum(taken[r].get(edge, 0.0) for r in mine)) for edge in edges),
            failed=sum(failed[r] for r in mine),
        )
    return found


def since(before: Counters | None, now: Counters, *, at_s: float, objective: str) -> Minute | None:
    """Return what came between two looks; None where nothing did, or where there was no look before."""
    if before is None:
        return None
    if now.total < before.total:  # the process began anew
        before = Counters(0.0, 0.0, ())
    known = dict(before.taken)
    total = round(now.total - before.total)
    if total <= 0:
        return None
    taken, lower = {}, 0.0
    for edge_s, value in now.taken:
        grown = value - known.get(edge_s, 0.0)
        if count := round(grown - lower):
            taken["+Inf" if edge_s == float("inf") else repr(edge_s)] = count
        lower = grown
    bad = total - round(now.good - before.good)
    return Minute(
        at_s=int(at_s) // _MINUTE_S * _MINUTE_S,
        objective=objective,
        total=total,
        bad=max(0, bad),
        taken=taken,
    )


class History:
    """The minutes of the last thirty days, in memory and in `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.minutes: list[Minute] = list(_read(path))

    def add(self, minutes: Iterable[Minute]) -> None:
        """Keep these. Errors: OSError; what could not be written is still in memory."""
        new = list(minutes)
        self.minutes += new
        if new:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(vars(minute)) + "\n" for minute in new)

    def cut(self, now_s: float) -> None:
        """Forget what no window reaches; the file is written anew when a good part of it is that."""
        kept = [minute for minute in self.minutes if minute.at_s >= now_s - KEPT_S]
        if len(self.minutes) > len(kept) * _CUT_AT:
            draft = self._path.with_suffix(".new")
            draft.write_text("".join(json.dumps(vars(m)) + "\n" for m in kept), encoding="utf-8")
            draft.replace(self._path)
            self.minutes = kept

    def count(self, objective: str, *, since_s: float) -> Count:
        """Return the requests of an objective since a moment, and how many broke it."""
        mine = [m for m in self.minutes if m.objective == objective and m.at_s >= since_s]
        return Count(total=sum(m.total for m in mine), bad=sum(m.bad for m in mine))

    def taken(self, objective: str, *, since_s: float) -> dict[float, int]:
        """Return the requests of an objective since a moment by how long they took, edge by edge, in order."""
        found: dict[float, int] = {}
        for minute in self.minutes:
            if minute.objective == objective and minute.at_s >= since_s:
                for edge, count in minute.taken.items():
                    found[float(edge)] = found.get(float(edge), 0) + count
        return dict(sorted(found.items()))


def _read(path: Path) -> Iterable[Minute]:
    """Read the file; a line that a dying process left half is skipped."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            facts: dict[str, Any] = json.loads(line)
            yield Minute(**facts)
        except (ValueError, TypeError):
            continue

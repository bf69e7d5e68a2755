"""What became of the measures from run to run: series, and where they changed for good. Pure.

Counts (queries, bytes) are the same on every machine: whatever differs has changed. Times are not, so they
are compared within one class of machine and one mode, and a change is what chance does not make
(judge/changepoint.py), counted over all series that are looked at (R8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipworthy.gauntlet.history.record import Record
from shipworthy.judge.changepoint import SIDE_MIN, ChangePoint, change_points
from shipworthy.judge.family import rejected

_NOISY_UNITS = ("ms", "s", "share", "MB", "MB/h", "kB/request", "%")
ALPHA = 0.05  # of one change too many in a whole report
RATIO_MIN = 0.05  # a change by less is there, perhaps, and nobody need look


@dataclass(frozen=True, kw_only=True)
class Trend:
    """One measure over the runs. `runs` are those it was measured in, with `values` beside them."""

    name: str
    unit: str
    bound: float | None
    runs: tuple[Record, ...]
    values: tuple[float, ...]
    changes: tuple[ChangePoint, ...] = ()

    @property
    def last(self) -> float:
        return self.values[-1]

    @property
    def change(self) -> ChangePoint | None:
        """The newest one."""
        return self.changes[-1] if self.changes else None

    @property
    def since(self) -> Record | None:
        """The run from which on it is as it is."""
        return self.runs[self.change.at] if self.change else None

    @property
    def is_worse(self) -> bool:
        """Whether the newest change went up: what has a bound is the better the smaller."""
        return self.change is not None and self.change.after > self.change.before


def trends(runs: Sequence[Record]) -> list[Trend]:
    """Return the series worth a look: times, and counts that have changed; those that got worse first."""
    counted = [record for record in runs if record.valid]
    if not counted:
        return []
    newest = counted[-1]
    alike = [r for r in counted if r.machine_class == newest.machine_class and r.mode == newest.mode]
    noisy: list[Trend] = []
    exact: list[Trend] = []
    for name, kept in newest.measures.items():
        is_noisy = kept.unit in _NOISY_UNITS
        of = [record for record in (alike if is_noisy else counted) if name in record.measures]
        trend = Trend(
            name=name,
            unit=kept.unit,
            bound=kept.bound,
            runs=tuple(of),
            values=tuple(record.measures[name].estimate for record in of),
        )
        (noisy if is_noisy else exact).append(trend)
    found = [*_judged(noisy), *(_stepped(trend) for trend in exact)]
    shown = [trend for trend in found if trend.unit in _NOISY_UNITS or trend.change]
    return sorted(shown, key=lambda trend: (not trend.is_worse, not trend.change, trend.name))


def _judged(noisy: list[Trend]) -> list[Trend]:
    """Return series with their changes, those left out that a family of so many makes by chance."""
    # What is not of a commit cannot be had again: it is shown, and no change is read off it.
    changes = {trend.name: _changes_of(trend) for trend in noisy if len(trend.values) >= 2 * SIDE_MIN}
    chances = {name: min((c.p_value for c in found), default=1.0) for name, found in changes.items()}
    certain = rejected(chances, alpha=ALPHA)
    return [_with(trend, changes[trend.name]) if trend.name in certain else trend for trend in noisy]


def _changes_of(trend: Trend) -> list[ChangePoint]:
    places = [number for number, record in enumerate(trend.runs) if record.is_of_a_commit]
    found = change_points([trend.values[number] for number in places])
    return [
        ChangePoint(at=places[c.at], before=c.before, after=c.after, p_value=c.p_value)
        for c in found
        if abs(c.ratio - 1) >= RATIO_MIN
    ]


def _stepped(trend: Trend) -> Trend:
    """Return a count's series with the last place where it became another."""
    pairs = list(zip(trend.values, trend.values[1:], strict=False))
    steps = [number for number, (before, after) in enumerate(pairs, 1) if before != after]
    if not steps:
        return trend
    at = steps[-1]
    return _with(trend, [ChangePoint(at=at, before=trend.values[at - 1], after=trend.last, p_value=0.0)])


def _with(trend: Trend, changes: Sequence[ChangePoint]) -> Trend:
    return Trend(
        name=trend.name,
        unit=trend.unit,
        bound=trend.bound,
        runs=trend.runs,
        values=trend.values,
        changes=tuple(changes),
    )

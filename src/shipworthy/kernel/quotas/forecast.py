"""When a budget will be used up: a straight line through the last weeks, with the rhythm of the week on it. Pure.

Units:   amounts a day; days of UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

DAYS_MIN = 2  # whole days that must have been seen: less says nothing about tomorrow
TREND_DAYS_MIN = 7  # a slope from fewer is noise
_SEASON_DAYS_MIN = 14  # each weekday twice
DAYS_MAX = 35  # older days say little about the next
_HORIZON_DAYS = 60  # for what has no end of a month


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected: when the limit is reached (None: not in this period), and how much it is at the end."""

    reaches_at: datetime | None
    at_end: int
    path: tuple[tuple[date, int], ...]  # how much it is at the end of each day to come


def forecast(
    days: Mapping[date, int], *, used: int, most: int | None, now: datetime, ends_at: datetime | None
) -> Forecast | None:
    """Return what is to be expected from what was used on the days before today; None while too few are known.

    `days` holds what was used on each day; a day that is not in it used nothing. `used` is how much it is now.
    """
    now = now.astimezone(UTC)
    past = _past(days, now.date())
    if len(past) < DAYS_MIN:
        return None
    daily = _daily(past)
    end = ends_at or datetime.combine(now.date() + timedelta(days=_HORIZON_DAYS), time(), UTC)
    reaches_at = now if most is not None and used >= most else None
    level, at, path = float(used), now, []
    while at < end:
        midnight = datetime.combine(at.date() + timedelta(days=1), time(), UTC)
        until = min(midnight, end)
        expected = daily(at.date()) * ((until - at) / timedelta(days=1))
        if most is not None and reaches_at is None and expected > 0 and level + expected >= most:
            reaches_at = at + (until - at) * ((most - level) / expected)
        level, at = max(0.0, level + expected), until
        path.append((until.date() - timedelta(days=1) if until == midnight else until.date(), round(level)))
    return Forecast(reaches_at, round(level), tuple(path))


def changes(levels: Mapping[date, int]) -> dict[date, int]:
    """Return how much a level changed on each day, from what it was at the days' ends."""
    found, before = {}, 0
    for day, level in sorted(levels.items()):
        found[day] = level - before
        before = level
    return found


def _past(days: Mapping[date, int], today: date) -> list[tuple[date, int]]:
    """Return every whole day since the first that used something, at most the last five weeks."""
    seen = [day for day in days if day < today]
    if not seen:
        return []
    first = max(min(seen), today - timedelta(days=DAYS_MAX))
    return [
        (day, days.get(day, 0)) for n in range((today - first).days) if (day := first + timedelta(days=n))
    ]


class _Daily:
    """What a day uses: the line at that day, times what its weekday is of an average one."""

    def __init__(self, first: date, base: float, slope: float, factors: Sequence[float]) -> None:
        self._first, self._base, self._slope, self._factors = first, base, slope, factors

    def __call__(self, day: date) -> float:
        return (self._base + self._slope * (day - self._first).days) * self._factors[day.weekday()]


def _daily(past: Sequence[tuple[date, int]]) -> _Daily:
    factors = _factors(past)
    level = [amount / factors[day.weekday()] if factors[day.weekday()] else 0.0 for day, amount in past]
    base = sum(level) / len(level)
    if len(past) < TREND_DAYS_MIN:
        return _Daily(past[0][0], base, 0.0, factors)
    middle = (len(level) - 1) / 2
    spread = sum((n - middle) ** 2 for n in range(len(level)))
    slope = sum((n - middle) * (value - base) for n, value in enumerate(level)) / spread
    start = base - slope * middle
    if start + slope * (len(level) + _HORIZON_DAYS) < 0 <= base:
        slope = 0.0 if slope < 0 else slope  # a fall is not carried on to less than nothing
        start = sum(level[-TREND_DAYS_MIN:]) / TREND_DAYS_MIN
    return _Daily(past[0][0], start, slope, factors)


def _factors(past: Sequence[tuple[date, int]]) -> tuple[float, ...]:
    """Return what each weekday is of an average day; one where too little is known."""
    whole = sum(amount for _, amount in past) / len(past)
    if len(past) < _SEASON_DAYS_MIN or whole <= 0:
        return (1.0,) * 7
    factors = []
    for weekday in range(7):
        mine = [amount for day, amount in past if day.weekday() == weekday]
        factors.append(max(0.0, sum(mine) / len(mine) / whole))
    return tuple(factors)

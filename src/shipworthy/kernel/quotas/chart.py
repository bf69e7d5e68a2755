"""The picture of one budget: what was used, what is expected, and the limits, as lines of an SVG. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shipworthy.kernel.quotas.meters import day_of
from shipworthy.kernel.quotas.overview import Budget

WIDTH, HEIGHT = 600, 160
_DAYS_SHOWN = 30  # of what has no months
_DAYS_AHEAD = 14
_HEAD_ROOM = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Paths in a box of WIDTH x HEIGHT, y from the top; "" of what there is none. `first` and `last` are its days."""

    line: str
    area: str
    expected: str
    limit_y: float | None
    soft_y: float | None
    today_x: float
    first: date
    last: date


def chart_of(budget: Budget, *, now: datetime) -> Chart:
    """Return the picture of a budget in its period; of storage, of the last and next weeks."""
    standing, today = budget.standing, day_of(now)
    if standing.renews_at is not None:
        first, last = standing.period, day_of(standing.renews_at) - timedelta(days=1)
    else:
        first, last = today - timedelta(days=_DAYS_SHOWN), today + timedelta(days=_DAYS_AHEAD)
    levels = _levels(budget, first, today)
    ahead = [(d, v) for d, v in (budget.forecast.path if budget.forecast else ()) if d <= last]
    most, soft = standing.given.most, standing.given.soft_at
    top = max([value for _, value in (*levels, *ahead)] + [most or 0]) * _HEAD_ROOM or 1.0
    span = max(1, (last - first).days + 1)

    def x(day: date) -> float:
        """A day's place is its end: what stands there is how much it was by then."""
        return round(((day - first).days + 1) * WIDTH / span, 1)

    def y(value: float) -> float:
        return round(HEIGHT - value * HEIGHT / top, 1)

    begins = (0.0, y(0 if standing.meter.is_monthly else levels[0][1]))
    points = [begins, *((x(day), y(value)) for day, value in levels)]
    line = "M" + " L".join(f"{px} {py}" for px, py in points)
    expected = [(x(today), y(standing.used)), *((x(day), y(value)) for day, value in ahead if day > today)]
    return Chart(
        line=line,
        area=f"{line} L{points[-1][0]} {HEIGHT} L0 {HEIGHT} Z",
        expected="M" + " L".join(f"{px} {py}" for px, py in expected) if len(expected) > 1 else "",
        limit_y=None if most is None else y(most),
        soft_y=None if soft is None or soft == most else y(soft),
        today_x=x(today),
        first=first,
        last=last,
    )


def _levels(budget: Budget, first: date, today: date) -> list[tuple[date, int]]:
    """Return how much it was at the end of each day up to today, which ends with what is used now."""
    found, level = [], 0
    is_monthly = budget.standing.meter.is_monthly
    if not is_monthly:
        before = [day for day in budget.days if day < first]
        level = budget.days[max(before)] if before else 0
    for n in range((today - first).days):
        day = first + timedelta(days=n)
        level = level + budget.days.get(day, 0) if is_monthly else budget.days.get(day, level)
        found.append((day, level))
    return [*found, (today, budget.standing.used)]

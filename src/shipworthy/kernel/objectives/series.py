"""What the charts of an objective show: percentiles over a day, and what each day spent of the error budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipworthy.contract.manifest import Slo
from shipworthy.judge.burn import budget
from shipworthy.kernel.objectives.history import KEPT_S, History, Minute
from shipworthy.kernel.objectives.reading import percentile_ms

DAY_S = 24 * 3600
STEPS = 48  # half an hour each
QUANTILES = (0.50, 0.95, 0.99)
WIDTH, HEIGHT = 480, 120


@dataclass(frozen=True, kw_only=True)
class Step:
    """One half hour. Units: milliseconds; None without requests."""

    at_s: float
    requests: int
    ms: tuple[float | None, ...]  # one for each of QUANTILES


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day of the error budget. `spent` is a share of the thirty days' budget."""

    at_s: float
    requests: int
    spent: float


def latency_steps(history: History, slo: Slo, *, now_s: float) -> list[Step]:
    """Return the last day, half hour by half hour, the oldest first."""
    step_s = DAY_S / STEPS
    first_s = now_s - DAY_S
    taken: list[dict[float, int]] = [{} for _ in range(STEPS)]
    for minute in _since(history, slo, first_s):
        found = taken[min(STEPS - 1, int((minute.at_s - first_s) // step_s))]
        for edge, count in minute.taken.items():
            found[float(edge)] = found.get(float(edge), 0) + count
    return [
        Step(
            at_s=first_s + n * step_s,
            requests=sum(found.values()),
            ms=tuple(percentile_ms(found, quantile) for quantile in QUANTILES),
        )
        for n, found in enumerate(taken)
    ]


def budget_days(history: History, slo: Slo, *, now_s: float) -> list[Day]:
    """Return what each of the last thirty days spent of the budget, the oldest first."""
    days = KEPT_S // DAY_S
    total, bad = [0] * days, [0] * days
    for minute in _since(history, slo, now_s - KEPT_S):
        day = min(days - 1, int((minute.at_s - (now_s - KEPT_S)) // DAY_S))
        total[day], bad[day] = total[day] + minute.total, bad[day] + minute.bad
    allowed = budget(history.count(slo.name, since_s=now_s - KEPT_S), objective=slo.quantile).allowed
    return [
        Day(
            at_s=now_s - KEPT_S + n * DAY_S,
            requests=total[n],
            spent=bad[n] / allowed if allowed else 0.0,
        )
        for n in range(days)
    ]


def top_ms(steps: Sequence[Step], slo: Slo) -> float:
    """Return the upper end of the chart: the bound is always in it, and what is beyond the histogram is not."""
    known = [ms for step in steps for ms in step.ms if ms is not None and ms != float("inf")]
    return max([slo.threshold_ms * 1.25, *known])


def lines(steps: Sequence[Step], *, top: float) -> list[list[str]]:
    """Return for each quantile the pieces of its line, as points of an SVG of WIDTH by HEIGHT.

    A half hour without requests parts a line; what stands alone is drawn as a short stroke.
    """
    found = []
    for place in range(len(QUANTILES)):
        pieces: list[list[str]] = [[]]
        for n, step in enumerate(steps):
            ms = step.ms[place]
            if ms is None:
                pieces.append([])
                continue
            x = (n + 0.5) * WIDTH / len(steps)
            pieces[-1].append(f"{x:.1f},{height_at(ms, top=top):.1f}")
        found.append([_stroke(piece) for piece in pieces if piece])
    return found


def height_at(ms: float, *, top: float) -> float:
    """Return how far below the upper edge a time stands."""
    return HEIGHT * (1 - min(ms, top) / top)


def _stroke(piece: list[str]) -> str:
    if len(piece) > 1:
        return " ".join(piece)
    x, y = piece[0].split(",")
    return f"{float(x) - 3:.1f},{y} {float(x) + 3:.1f},{y}"


def _since(history: History, slo: Slo, since_s: float) -> list[Minute]:
    return [m for m in history.minutes if m.objective == slo.name and m.at_s >= since_s]

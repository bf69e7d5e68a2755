"""When each arrival is due: drawn before the load starts, from a seed.

Owns the arrival processes and their shapes over time. Drawing them beforehand makes the load the same
for two versions of an app, lets shards of one load share it without talking, and keeps random
numbers out of the sending loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

_NS_PER_S = 1_000_000_000
_KNOTS = 4_096  # of the curve that is inverted; a step of it is a thirtieth of a second in two minutes

Kind = Literal["poisson", "fixed", "ramp", "spike"]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a rate goes over the load's time.

    "poisson" is what independent visitors do at a steady rate; "fixed" spaces them evenly from a
    random phase, so that journeys of equal rate do not arrive in step. "ramp" grows from `low_share` of
    the rate to all of it; "spike" has all of it in the middle third and `low_share` before and after;
    both are Poisson at every moment.
    """

    kind: Kind = "poisson"
    low_share: float = 0.2

    @property
    def is_steady(self) -> bool:
        return self.kind in ("poisson", "fixed")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Arrivals of all journeys in one order: when each is due, which journey it is, and its number.

    Units:   nanoseconds since the load's start. The n-th arrival here is number `first + n * step` of
             the whole load, of which a shard has only some.
    """

    due_ns: list[int]
    journey: list[int]
    first: int = 0
    step: int = 1

    def shard(self, place: int, of: int) -> Schedule:
        """Return every `of`-th arrival from `place` on; together the shards are the whole."""
        return Schedule(due_ns=self.due_ns[place::of], journey=self.journey[place::of], first=place, step=of)

    def delayed(self, delays_ns: Sequence[int]) -> Schedule:
        """Return the same arrivals, each due a little later."""
        return replace(self, due_ns=[d + e for d, e in zip(self.due_ns, delays_ns, strict=True)])


def schedule(rates_per_s: Sequence[float], *, duration_s: float, shape: Shape, seed: int) -> Schedule:
    """Return the merged arrivals of journeys at these rates; the same seed gives the same ones."""
    drawn = [_arrivals_s(rate, duration_s, shape, seed, place) for place, rate in enumerate(rates_per_s)]
    times_s = np.concatenate(drawn)
    journeys = np.concatenate([np.full(len(d), place) for place, d in enumerate(drawn)])
    order = np.argsort(times_s, kind="stable")
    return Schedule(
        due_ns=(times_s[order] * _NS_PER_S).astype(np.int64).tolist(),
        journey=journeys[order].tolist(),
    )


def _arrivals_s(
    rate_per_s: float, duration_s: float, shape: Shape, seed: int, place: int
) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng([seed, place])
    if shape.kind == "fixed":
        return np.arange(rng.random() / rate_per_s, duration_s, 1 / rate_per_s)
    # A Poisson process on an interval is a Poisson count of points, uniform in the expected count
    # and sorted (Kingman, Poisson Processes, 1993, sections 2.4 and 4.5).
    if shape.kind == "poisson":
        return np.sort(rng.random(rng.poisson(rate_per_s * duration_s)) * duration_s)
    knots_s = np.linspace(0.0, duration_s, _KNOTS)
    steps = np.diff(knots_s, prepend=0.0)
    expected = np.cumsum(_share_at(knots_s / duration_s, shape) * steps) * rate_per_s
    points = np.sort(rng.random(rng.poisson(expected[-1])) * expected[-1])
    times_s: npt.NDArray[np.float64] = np.interp(points, expected, knots_s)
    return times_s


def _share_at(time_share: npt.NDArray[np.float64], shape: Shape) -> npt.NDArray[np.float64]:
    """Return the share of the rate at each moment; both are 0..1."""
    if shape.kind == "ramp":
        return shape.low_share + (1.0 - shape.low_share) * time_share
    is_peak = (time_share >= 1 / 3) & (time_share < 2 / 3)
    return np.where(is_peak, 1.0, shape.low_share)

"""When each arrival is due: drawn before the load starts, from a seed.

Owns the arrival processes. Drawing them beforehand makes the load the same for two versions
of an app, and keeps random numbers out of the sending loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Arrivals of all journeys in one order: when each is due, and which journey it is.

    Units:   nanoseconds since the load's start.
    """

    due_ns: list[int]
    journey: list[int]


def schedule(
    rates_per_s: Sequence[float], *, duration_s: float, shape: Literal["poisson", "fixed"], seed: int
) -> Schedule:
    """Return the merged arrivals of journeys at these rates; the same seed gives the same ones.

    "poisson" is what independent visitors do; "fixed" spaces them evenly from a random phase,
    so that journeys of equal rate do not arrive in step.
    """
    drawn = [_arrivals_s(rate, duration_s, shape, seed, place) for place, rate in enumerate(rates_per_s)]
    times_s = np.concatenate(drawn)
    journeys = np.concatenate([np.full(len(d), place) for place, d in enumerate(drawn)])
    order = np.argsort(times_s, kind="stable")
    return Schedule(
        due_ns=(times_s[order] * _NS_PER_S).astype(np.int64).tolist(),
        journey=journeys[order].tolist(),
    )


def _arrivals_s(
    rate_per_s: float, duration_s: float, shape: Literal["poisson", "fixed"], seed: int, place: int
) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng([seed, place])
    if shape == "fixed":
        return np.arange(rng.random() / rate_per_s, duration_s, 1 / rate_per_s)
    # A Poisson process on an interval is a Poisson count of uniform points, sorted
    # (Kingman, Poisson Processes, 1993, section 2.4).
    return np.sort(rng.random(rng.poisson(rate_per_s * duration_s)) * duration_s)

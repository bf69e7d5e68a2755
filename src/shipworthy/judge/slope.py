"""How fast something grows, without being fooled by a few wild points: Theil and Sen's slope.

The median of the slopes between all pairs of points; its interval are two order statistics of
the same slopes, by the variance of Kendall's S. Points that hang together (a memory curve does)
make such an interval too narrow, so callers give medians of blocks, not single readings.
Source: Sen, JASA 63 (1968); Hollander & Wolfe, Nonparametric Statistical Methods, 9.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, median

POINTS_MIN = 8  # with fewer the interval is the whole range of slopes, whatever the confidence


@dataclass(frozen=True, kw_only=True)
class Slope:
    """A slope with its interval. Units: of y per unit of x."""

    estimate: float
    low: float
    high: float
    points: int


def theil_sen(points: Sequence[tuple[float, float]], *, confidence: float = 0.95) -> Slope:
    """Return the slope of y over x with a two-sided interval.

    Errors:  ValueError for fewer than POINTS_MIN points, or a confidence outside 0..1.
    Cost:    quadratic in the number of points.
    """
    if len(points) < POINTS_MIN:
        raise ValueError(f"{len(points)} points are too few for a slope; {POINTS_MIN} are needed")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence is between 0 and 1, not {confidence}")
    slopes = sorted(
        (y2 - y1) / (x2 - x1)
        for number, (x1, y1) in enumerate(points)
        for x2, y2 in points[number + 1 :]
        if x2 != x1
    )
    if not slopes:
        raise ValueError("all points stand at the same place, so there is no slope")
    n = len(points)
    # Ties only make the true variance smaller: this interval is then wider than it need be.
    deviation = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * deviation
    below = max(math.floor((len(slopes) - reach) / 2), 0)
    above = min(math.ceil((len(slopes) + reach) / 2), len(slopes) - 1)
    return Slope(estimate=median(slopes), low=slopes[below], high=slopes[above], points=n)

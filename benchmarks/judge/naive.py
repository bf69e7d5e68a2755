"""The rules most gates use, on the same duets as ours: what "wrong" is measured against."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from benchmarks.judge.noise import Array, Flags

WINDOW_RISE = 0.10  # the usual "p95 rose by more than 10 %"
CONFIDENCE = 0.98
TOLERANCE = 0.25


def window_alarms(base: Array, head: Array) -> Flags:
    """Say of each run whether the newest window's p95 is 10 % above an earlier one's.

    Then is the first block of the old version, now is the last of the new: two windows, at
    two times, as a comparison with a stored number is. The arrays hold logarithms.
    """
    return np.asarray(head[:, -1] - base[:, 0] > np.log1p(WINDOW_RISE))


def mann_whitney_alarms(base: Array, head: Array) -> Flags:
    """Say of each run whether Kayenta's judge calls the metric High, on one point a block.

    Its bound is a quarter of the Hodges-Lehmann shift itself: High when the lower end of the
    98 % interval of the shift is above it. So any shift that is sure enough is High, however small.

    Source:  Kayenta's MannWhitneyClassifier and NetflixACAJudge (tolerance 0.25, confidence 0.98);
             the interval: Hollander and Wolfe, Nonparametric Statistical Methods (1973), 4.3,
             with the normal approximation of R's wilcox.test.
    """
    return np.concatenate(
        [
            _high(np.exp(b), np.exp(h))
            for b, h in zip(*(np.array_split(x, 20) for x in (base, head)), strict=True)
        ]
    )


def _high(base: Array, head: Array) -> npt.NDArray[np.bool_]:
    m, n = base.shape[1], head.shape[1]
    shifts = np.sort((head[:, :, None] - base[:, None, :]).reshape(len(base), -1), axis=1)
    deviation = np.sqrt(m * n * (m + n + 1) / 12.0)
    last = max(0, int(np.floor(m * n / 2.0 - float(ndtri((1 + CONFIDENCE) / 2)) * deviation)))
    return np.asarray(shifts[:, last] > TOLERANCE * np.abs(np.median(shifts, axis=1)))

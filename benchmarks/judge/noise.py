"""The noise every rule must face: simulated kinds with a known truth, and this machine's own trace.

The kinds for a proportion return the true share of each block, (runs, blocks); r2.py and
r4.py draw latencies and failures in the same kinds of weather.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from benchmarks.judge.record import PATH

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]
Rates = Callable[[np.random.Generator, float, int, tuple[int, int]], Array]

SEED = 20260701
PHI = 6.0  # overdispersion of 1-second blocks measured on two shared cores
BAD_BLOCKS = 0.10
# A good block of the bursty service still exceeds at a quarter of the budget, as real ones do.
GOOD_SHARE = 0.25
PERSISTENCE = 0.8  # a bad block is followed by another: bursts last five blocks on average
STRETCH = 10  # blocks of the trace that keep their order


def quiet(_rng: np.random.Generator, share: float, _n: int, shape: tuple[int, int]) -> Array:
    """Every request on its own."""
    return np.full(shape, share)


def overdispersed(rng: np.random.Generator, share: float, n: int, shape: tuple[int, int]) -> Array:
    """Beta-binomial blocks with variance `PHI` times the binomial one (the most n requests can show is n)."""
    correlation = min((PHI - 1) / (n - 1), 0.9)
    weight = 1 / correlation - 1
    return rng.beta(share * weight, (1 - share) * weight, shape)


def bursty(rng: np.random.Generator, share: float, _n: int, shape: tuple[int, int]) -> Array:
    """One block in ten is bad, independently of the others."""
    return _bad_or_good(rng.random(shape) < BAD_BLOCKS, share)


def persistent(rng: np.random.Generator, share: float, _n: int, shape: tuple[int, int]) -> Array:
    """One block in ten is bad, and bad blocks come in runs."""
    return _bad_or_good(bad_runs(rng, shape), share)


def recorded(rng: np.random.Generator, share: float, _n: int, shape: tuple[int, int]) -> Array:
    """Three-second blocks in the order they were recorded, half a minute at a time."""
    arms = trace()
    threshold = np.quantile(np.concatenate([np.array(second) for arm in arms for second in arm]), 1.0 - share)
    slow = np.array([[sum(us > threshold for us in s) for s in arm] for arm in arms]).sum(axis=0)
    asked = np.array([[len(s) for s in arm] for arm in arms]).sum(axis=0)
    shares = np.convolve(slow, np.ones(3), "valid") / np.convolve(asked, np.ones(3), "valid")
    # The ends of the trace weigh less in the windows; the truth must not move off the budget.
    shares *= share / shares.mean()
    return np.minimum(shares.take(stretches(rng, shape, step=3, seconds=len(shares))), 1.0)


NOISES: dict[str, Rates] = {
    "quiet": quiet,
    "overdispersed": overdispersed,
    "bursty": bursty,
    "persistent": persistent,
    "recorded": recorded,
}


def bad_runs(rng: np.random.Generator, shape: tuple[int, int]) -> Flags:
    """Say which blocks are bad: one in ten, in runs of five on average."""
    begins = (1 - PERSISTENCE) * BAD_BLOCKS / (1 - BAD_BLOCKS)
    bad = np.zeros(shape, dtype=bool)
    bad[:, 0] = rng.random(shape[0]) < BAD_BLOCKS
    for block in range(1, shape[1]):
        luck = rng.random(shape[0])
        bad[:, block] = np.where(bad[:, block - 1], luck < PERSISTENCE, luck < begins)
    return bad


def stretches(rng: np.random.Generator, shape: tuple[int, int], *, step: int, seconds: int) -> Indices:
    """Return for each block the second of the trace it begins at; `STRETCH` blocks stay in their order.

    Source:  the moving-block bootstrap, Kuensch, Ann. Statist. 17 (1989).
    """
    runs, blocks = shape
    begins = rng.integers(0, seconds - step * (STRETCH - 1), (runs, -(-blocks // STRETCH), 1))
    return (begins + step * np.arange(STRETCH)).reshape(runs, -1)[:, :blocks]


@lru_cache(maxsize=1)
def trace() -> list[list[list[int]]]:
    """Return the recorded latencies in microseconds, by arm and second (see record.py)."""
    arms: list[list[list[int]]] = json.loads(gzip.decompress(PATH.read_bytes()))["arms"]
    return arms


def _bad_or_good(bad: npt.NDArray[np.bool_], share: float) -> Array:
    bad_share = share * (1 - (1 - BAD_BLOCKS) * GOOD_SHARE) / BAD_BLOCKS
    return np.where(bad, bad_share, share * GOOD_SHARE)

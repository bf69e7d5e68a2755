"""How often is R2 wrong? Duets of two versions under the same weather, with a known ratio.

A slower head is the same duet with its latencies stretched, so one drawing serves every
ratio. The truth is put at 1.00 (identical code), at 1.02 and at the margin 1.10, where the
two verdicts are hardest, and at 1.20, which must be seen. Base p95 is taken as a second, so
that the floor of 2 ms makes nothing easier. The duets go through the product's `conclude`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.judge.naive import mann_whitney_alarms, window_alarms
from benchmarks.judge.noise import BAD_BLOCKS, SEED, Array, bad_runs, stretches, trace
from benchmarks.report import show_table
from shipworthy.judge.regression import DUET, MARGINS, conclude

QUANTILE = 0.95
BLOCK_S = 10  # as in the proof
REQUESTS_PER_BLOCK = DUET.requests_min(QUANTILE)  # the fewest the rule takes: its hardest case
RATIOS = (1.0, 1.02, MARGINS[QUANTILE], 1.20)
BLOCKS_TRIED = (24, 30, 36, 48, 60, 72, 84, 96, 108, 120, 150, 180, 240, 360, 480)
SIGMA = 0.5  # of the logarithm of one latency: p95 is 2.3 times the median
WEATHER = 0.5  # what both versions share in a block
OWN = 0.16  # what they do not: the duets of two identical servers on two shared cores, measured
BURST = math.log(5.0)
BURST_OWN = 0.5
_CHUNK = 1_000  # runs at once: the bootstrap holds 1,999 numbers of each

# Both arms' logarithm of the block's p95, (runs, blocks) each.
Arms = tuple[Array, Array]
Weather = Callable[[np.random.Generator, tuple[int, int]], Arms]


@dataclass(frozen=True, kw_only=True)
class DuetCell:
    """Shares of the simulated duets, by the true ratio; `minutes_for_10pct` None when beyond reach."""

    noise: str
    alarms: dict[float, float]
    holds: dict[float, float]
    window_alarms: dict[float, float]
    mann_whitney_alarms: dict[float, float]
    minutes_for_10pct: float | None


def quiet(_rng: np.random.Generator, shape: tuple[int, int]) -> Arms:
    """Every request on its own."""
    return np.zeros(shape), np.zeros(shape)


def overdispersed(rng: np.random.Generator, shape: tuple[int, int]) -> Arms:
    """Every block has weather of its own, most of it shared by both versions."""
    weather = WEATHER * rng.standard_normal(shape)
    return weather + _own(rng, shape, OWN), weather + _own(rng, shape, OWN)


def bursty(rng: np.random.Generator, shape: tuple[int, int]) -> Arms:
    """One block in ten is five times slower, and does not hit both versions alike."""
    bad = rng.random(shape) < BAD_BLOCKS
    return bad * (BURST + _own(rng, shape, BURST_OWN)), bad * (BURST + _own(rng, shape, BURST_OWN))


def persistent(rng: np.random.Generator, shape: tuple[int, int]) -> Arms:
    """Bad blocks come in runs of five, each block of which hits the versions differently."""
    bad = bad_runs(rng, shape)
    return bad * (BURST + _own(rng, shape, BURST_OWN)), bad * (BURST + _own(rng, shape, BURST_OWN))


WEATHERS: dict[str, Weather] = {
    "quiet": quiet,
    "overdispersed": overdispersed,
    "bursty": bursty,
    "persistent": persistent,
}


def simulated(*, runs: int) -> Iterable[DuetCell]:
    """Simulate every kind of weather, then this machine's recorded duet of two identical servers."""
    for place, (noise, weather) in enumerate(WEATHERS.items()):
        rng = np.random.default_rng([SEED, 2, place])
        base, head = _drawn(rng, weather, (runs, DUET.blocks_min))
        yield _cell(noise, base, head, partial(_more, rng, head - base))
    rng = np.random.default_rng([SEED, 2, len(WEATHERS)])
    base, head = _recorded(rng, (runs, DUET.blocks_min))
    yield _cell("recorded", base, head, lambda blocks: np.subtract(*_recorded(rng, (runs, blocks))))


def figures(cells: list[DuetCell]) -> dict[str, float | None]:
    """Return the promised keys: the worst kind of weather; a naive rule is wrong by alarm or by silence."""
    wrong = {
        "naive_window_wrong": "window_alarms",
        "mann_whitney_wrong": "mann_whitney_alarms",
        "r2_wrong_same_truth": "alarms",
    }
    minutes = {c.noise: c.minutes_for_10pct for c in cells}
    reached = [m for m in minutes.values() if m is not None]
    return {
        "r2_false_alarm": max(c.alarms[1.0] for c in cells),
        "r2_false_alarm_at_2pct": max(c.alarms[1.02] for c in cells),
        "r2_false_pass_at_10pct": max(c.holds[MARGINS[QUANTILE]] for c in cells),
        "r2_power_20pct": min(c.alarms[1.20] for c in cells),
        "r2_minutes_for_10pct": max(reached) if len(reached) == len(minutes) else None,
        "r2_minutes_for_10pct_recorded": minutes["recorded"],
        **{key: round(max(_wrong(getattr(c, field)) for c in cells), 4) for key, field in wrong.items()},
    }


def show(cells: list[DuetCell]) -> None:
    """Print ours and the naive rules on the same duets."""
    show_table(
        f"{DUET.name}, p95, {DUET.blocks_min} blocks of {REQUESTS_PER_BLOCK} requests (shares of runs)",
        ("noise", "alarm at 1.00", "at 1.02", "at 1.20", "PASS at 1.00", "at 1.10", "minutes for +10 %"),
        (
            (
                c.noise,
                *(c.alarms[ratio] for ratio in (1.0, 1.02, 1.20)),
                c.holds[1.0],
                c.holds[MARGINS[QUANTILE]],
                "not measured" if c.minutes_for_10pct is None else c.minutes_for_10pct,
            )
            for c in cells
        ),
    )
    show_table(
        "the same duets by other rules: alarm at 1.00 / 1.02 / 1.20, and wrong (alarm up to 1.02, silence at 1.20; the worse)",
        ("noise", "window now against then", "wrong", "Mann-Whitney (Kayenta)", "wrong", "R2", "wrong"),
        ((c.noise, *_beside(c)) for c in cells),
    )


def gates(cells: list[DuetCell]) -> list[dict[str, Any]]:
    """Return the table the product prints: PASS at the margin, FAIL at the least regression."""
    return [
        {
            "rule": f"{DUET.name}, p95",
            "false_pass": {c.noise: c.holds[MARGINS[QUANTILE]] for c in cells},
            "false_fail": {c.noise: c.alarms[DUET.ratio_min] for c in cells},
        }
    ]


def _beside(cell: DuetCell) -> list[object]:
    return [
        shown
        for alarms in (cell.window_alarms, cell.mann_whitney_alarms, cell.alarms)
        for shown in (" / ".join(f"{alarms[r]:.3f}" for r in (1.0, 1.02, 1.20)), _wrong(alarms))
    ]


def _wrong(alarms: dict[float, float]) -> float:
    return max(alarms[1.0], alarms[1.02], 1.0 - alarms[1.20])


def _cell(noise: str, base: Array, head: Array, longer: Callable[[int], Array]) -> DuetCell:
    found = {ratio: _concluded(head - base + math.log(ratio)) for ratio in RATIOS}
    return DuetCell(
        noise=noise,
        alarms={ratio: alarms for ratio, (alarms, _) in found.items()},
        holds={ratio: holds for ratio, (_, holds) in found.items()},
        window_alarms={r: float(window_alarms(base, head + math.log(r)).mean()) for r in RATIOS},
        mann_whitney_alarms={r: float(mann_whitney_alarms(base, head + math.log(r)).mean()) for r in RATIOS},
        minutes_for_10pct=_minutes_for(1.10, longer),
    )


def _concluded(log_ratios: Array) -> tuple[float, float]:
    alarms, holds = [], []
    for begin in range(0, len(log_ratios), _CHUNK):
        some = log_ratios[begin : begin + _CHUNK]
        found = conclude(some, base_ms=np.full(len(some), 1_000.0), quantile=QUANTILE)
        alarms.append(found.regresses)
        holds.append(found.holds)
    return float(np.concatenate(alarms).mean()), float(np.concatenate(holds).mean())


def _minutes_for(ratio: float, longer: Callable[[int], Array]) -> float | None:
    for blocks in BLOCKS_TRIED:
        if _concluded(longer(blocks) + math.log(ratio))[0] >= 0.80:
            return blocks * BLOCK_S / 60
    return None


def _more(rng: np.random.Generator, log_ratios: Array, blocks: int) -> Array:
    """Return duets of more blocks, put together from those that were drawn."""
    return rng.choice(log_ratios.ravel(), (len(log_ratios), blocks))


def _drawn(rng: np.random.Generator, weather: Weather, shape: tuple[int, int]) -> Arms:
    """Draw every request of every block and take each block's p95 from them."""
    base, head = (arm + _p95_of_requests(rng, shape) for arm in weather(rng, shape))
    return base, head


def _p95_of_requests(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    rank = math.ceil(QUANTILE * REQUESTS_PER_BLOCK) - 1
    found = np.empty(shape)
    for begin in range(0, shape[0], _CHUNK):
        some = found[begin : begin + _CHUNK]
        drawn = rng.standard_normal((*some.shape, REQUESTS_PER_BLOCK), dtype=np.float32)
        drawn.partition(rank, axis=2)
        some[:] = SIGMA * drawn[:, :, rank]
    return found


def _recorded(rng: np.random.Generator, shape: tuple[int, int]) -> Arms:
    """Resample ten-second blocks of the trace in stretches; which arm is the base is a coin's choice."""
    logs = [[np.log(np.array(second)) for second in arm] for arm in trace()]
    blocks = np.array(
        [
            [_p95(np.concatenate(arm[begin : begin + BLOCK_S])) for begin in range(len(arm) - BLOCK_S + 1)]
            for arm in logs
        ]
    )
    seconds = stretches(rng, shape, step=BLOCK_S, seconds=blocks.shape[1])
    first, second = blocks[0].take(seconds), blocks[1].take(seconds)
    swapped = rng.random((shape[0], 1)) < 0.5
    return np.where(swapped, second, first), np.where(swapped, first, second)


def _p95(values: Array) -> float:
    rank = math.ceil(QUANTILE * len(values)) - 1
    return float(np.partition(values, rank)[rank])


def _own(rng: np.random.Generator, shape: tuple[int, int], spread: float) -> Array:
    return spread / math.sqrt(2.0) * rng.standard_normal(shape)

"""How often is R1 wrong? On simulated noise with a known truth, at least 10,000 runs a cell.

The truth is put exactly on the budget, where every PASS and every FAIL is a mistake; then at
a quarter and at twice the budget, where the right verdict is owed. The simulated runs go
through the very `conclude` the product judges with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.judge.noise import NOISES, SEED, Array, Rates
from benchmarks.report import show_table
from shipworthy.judge.exceedance import QUICK, RELEASE, Rule, conclude

# Requests per block, from journeys of 3, 5, 7, 10, 27 and 133 requests a second in 3-second blocks;
# the range straddles the smallest samples that may pass, where the rule is weakest.
REQUESTS_PER_BLOCK = (10, 15, 20, 30, 80, 400)
# Power is stated for the journeys a plan should have: several times the smallest sample.
REQUESTS_PER_BLOCK_FOR_POWER = {0.95: 80, 0.99: 400}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Shares of the simulated runs of one rule on one kind of noise, truth on the budget or as named."""

    rule: str
    quantile: float
    noise: str
    requests_per_block: int
    false_pass: float
    false_fail: float
    power_pass_quarter: float
    power_pass_half: float
    power_fail_double: float
    naive_wrong: float
    wrong: float


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Shares of runs: what the rule said, and what the percentile of the window said."""

    passed: float
    failed: float
    naive_passed: float


def simulated(*, runs: int) -> Iterable[Cell]:
    """Simulate both rules at p95 and p99; a quick run cannot pass a p99, so only its FAIL counts."""
    for quantile in (0.95, 0.99):
        for noise, rates in NOISES.items():
            for n in REQUESTS_PER_BLOCK:
                # A cell's luck depends on the cell alone, so adding one does not move the others.
                seed = np.random.SeedSequence([SEED, int(quantile * 1000), list(NOISES).index(noise), n])
                rng = np.random.default_rng(seed)
                shape = (runs, RELEASE.looks[-1].blocks)
                budget = 1 - quantile
                drawn = {
                    times: _runs(rng, rates, budget * times, n, shape)
                    for times in (0.25, 0.5, 0.8, 1.0, 1.25, 2.0)
                }
                for rule in (RELEASE, QUICK):
                    shares = {times: _shares(counts, rule, quantile) for times, counts in drawn.items()}
                    yield _cell(shares, rule, quantile, noise, n)


def figures(cells: list[Cell]) -> dict[str, float]:
    """Return the promised keys: the worst cell over all block sizes, at p95 unless named."""
    found: dict[str, float] = {}
    for prefix, rule, quantile in (
        ("r1", RELEASE, 0.95),
        ("r1_p99", RELEASE, 0.99),
        ("r1_quick", QUICK, 0.95),
    ):
        for noise in NOISES:
            mine = [c for c in cells if (c.rule, c.quantile, c.noise) == (rule.name, quantile, noise)]
            found[f"{prefix}_false_pass_{noise}"] = max(c.false_pass for c in mine)
            found[f"{prefix}_false_fail_{noise}"] = max(c.false_fail for c in mine)
            usual = REQUESTS_PER_BLOCK_FOR_POWER[quantile]
            found[f"{prefix}_power_quarter_{noise}"] = next(
                c.power_pass_quarter for c in mine if c.requests_per_block == usual
            )
    fair = [
        c
        for c in cells
        if c.rule == QUICK.name and c.quantile == 0.95 and c.noise not in ("persistent", "recorded")
    ]
    found["naive_threshold_wrong"] = max(c.naive_wrong for c in fair)
    found["r1_wrong_same_truth"] = max(c.wrong for c in fair)
    return {key: round(value, 4) for key, value in found.items()}


def show(cells: list[Cell]) -> None:
    """Print one table per rule and quantile."""
    columns = (
        "noise",
        "req/block",
        "false PASS",
        "false FAIL",
        "PASS at b/4",
        "PASS at b/2",
        "FAIL at 2b",
        "naive wrong",
        "R1 wrong",
    )
    for rule, quantile in dict.fromkeys((c.rule, c.quantile) for c in cells):
        show_table(
            f"{rule}, p{quantile * 100:.0f} (shares of runs; 'wrong': PASS at 1.25 b or FAIL at 0.8 b, the worse)",
            columns,
            (
                (
                    c.noise,
                    c.requests_per_block,
                    c.false_pass,
                    c.false_fail,
                    c.power_pass_quarter,
                    c.power_pass_half,
                    c.power_fail_double,
                    c.naive_wrong,
                    c.wrong,
                )
                for c in cells
                if (c.rule, c.quantile) == (rule, quantile)
            ),
        )


def gates(cells: list[Cell]) -> list[dict[str, Any]]:
    """Return the table the product prints: the worst over the block sizes, by kind of noise."""
    return [
        {
            "rule": f"{rule.name}, p{quantile * 100:g}",
            "false_pass": _worst(cells, rule, quantile, "false_pass"),
            "false_fail": _worst(cells, rule, quantile, "false_fail"),
        }
        for rule in (RELEASE, QUICK)
        for quantile in (0.95, 0.99)
    ]


def _worst(cells: list[Cell], rule: Rule, quantile: float, field: str) -> dict[str, float]:
    return {
        noise: max(
            getattr(c, field) for c in cells if (c.rule, c.quantile, c.noise) == (rule.name, quantile, noise)
        )
        for noise in NOISES
    }


def _cell(shares: dict[float, Shares], rule: Rule, quantile: float, noise: str, n: int) -> Cell:
    return Cell(
        rule=rule.name,
        quantile=quantile,
        noise=noise,
        requests_per_block=n,
        false_pass=shares[1.0].passed,
        false_fail=shares[1.0].failed,
        power_pass_quarter=shares[0.25].passed,
        power_pass_half=shares[0.5].passed,
        power_fail_double=shares[2.0].failed,
        naive_wrong=max(shares[1.25].naive_passed, 1 - shares[0.8].naive_passed),
        wrong=max(shares[1.25].passed, shares[0.8].failed),
    )


def _runs(
    rng: np.random.Generator, rates: Rates, truth: float, n: int, shape: tuple[int, int]
) -> tuple[Array, Array, Array]:
    """Draw requests, exceedances and top-decile counts; a block's slowness shows in both counts alike."""
    requests = np.maximum(rng.poisson(n, shape), 1)
    share = np.minimum(rates(rng, truth, n, shape), 1.0)
    decile = np.minimum(share * 0.1 / truth, 1.0)
    exceedances = rng.binomial(requests, share)
    beyond = np.clip((decile - share) / np.maximum(1 - share, 1e-9), 0.0, 1.0)
    deciles = exceedances + rng.binomial(requests - exceedances, beyond)
    return requests.astype(float), exceedances.astype(float), deciles.astype(float)


def _shares(counts: tuple[Array, Array, Array], rule: Rule, quantile: float) -> Shares:
    """Return how many runs the rule, and beside it the naive one at the first look, passed or failed."""
    undecided = np.ones(len(counts[0]), dtype=bool)
    passed, failed = np.zeros_like(undecided), np.zeros_like(undecided)
    for look in rule.looks:
        requests, exceedances, deciles = (c[:, : look.blocks] for c in counts)
        found = conclude(requests, exceedances, deciles, quantile=quantile, rule=rule, look=look)
        passed |= undecided & found.passes
        failed |= undecided & found.fails
        undecided &= ~found.passes & ~found.fails
    requests, exceedances = (c[:, : rule.looks[0].blocks].sum(axis=1) for c in counts[:2])
    # The percentile of the window keeps the threshold when at most n - ceil(q n) requests exceed it.
    naive = exceedances <= requests - np.ceil(quantile * requests - 1e-9)
    return Shares(passed=float(passed.mean()), failed=float(failed.mean()), naive_passed=float(naive.mean()))

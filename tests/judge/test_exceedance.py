"""R1 passes the comfortable, fails the broken, admits what it cannot know, and is rarely wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import betaincinv

from shipworthy.contract.verdict import Verdict
from shipworthy.judge.exceedance import QUICK, RELEASE, Block, Rule, conclude, judge_slo


def blocks(count: int, *, requests: int = 100, exceedances: int = 0, deciles: int = 10) -> list[Block]:
    return [
        Block(requests=requests, exceedances=exceedances, decile_exceedances=deciles) for _ in range(count)
    ]


@pytest.mark.parametrize("rule", [RELEASE, QUICK])
def test_a_service_far_within_its_budget_passes_and_one_far_beyond_fails(rule: Rule) -> None:
    count = rule.looks[-1].blocks
    good = judge_slo(blocks(count, exceedances=1), quantile=0.95, rule=rule)
    bad = judge_slo(blocks(count, exceedances=12), quantile=0.95, rule=rule)
    assert (good.verdict, bad.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert good.low <= good.estimate <= good.high < good.budget
    assert bad.budget < bad.low <= bad.estimate <= bad.high
    assert (bad.requests, bad.exceedances) == (count * 100, count * 12)


def test_a_service_on_its_budget_is_neither_passed_nor_failed() -> None:
    judgement = judge_slo(blocks(48, exceedances=5), quantile=0.95)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.low < judgement.budget < judgement.high
    assert "lies between" in judgement.reason


def test_a_release_may_fail_at_the_first_look_but_passes_only_at_the_second() -> None:
    assert judge_slo(blocks(24, exceedances=12), quantile=0.95).verdict is Verdict.FAIL
    early = judge_slo(blocks(24), quantile=0.95)
    assert early.verdict is Verdict.INCONCLUSIVE
    assert "passes only after 48 blocks" in early.reason
    assert judge_slo(blocks(48), quantile=0.95).verdict is Verdict.PASS


def test_a_quick_run_can_fail_a_p99_but_not_pass_it() -> None:
    assert judge_slo(blocks(24, exceedances=12), quantile=0.99, rule=QUICK).verdict is Verdict.FAIL
    unsure = judge_slo(blocks(24, requests=1000, deciles=100), quantile=0.99, rule=QUICK)
    assert unsure.verdict is Verdict.INCONCLUSIVE
    assert "can only fail p99" in unsure.reason


def test_beyond_p99_nothing_is_judged() -> None:
    judgement = judge_slo(blocks(48, exceedances=50), quantile=0.999)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "p99.9" in judgement.reason


def test_between_the_looks_there_is_no_verdict() -> None:
    peek = judge_slo(blocks(30, exceedances=50), quantile=0.95)
    assert peek.verdict is Verdict.INCONCLUSIVE
    assert "24 and 48" in peek.reason


@pytest.mark.parametrize(("quantile", "needed"), [(0.95, 432), (0.99, 2208)])
def test_without_one_exceedance_a_pass_still_takes_enough_requests(quantile: float, needed: int) -> None:
    per_block, rest = divmod(needed, 48)
    enough = blocks(48, requests=per_block, deciles=0)
    enough[0] = replace(enough[0], requests=per_block + rest)
    short = [replace(enough[0], requests=per_block + rest - 1), *enough[1:]]
    assert judge_slo(enough, quantile=quantile).verdict is Verdict.PASS
    refused = judge_slo(short, quantile=quantile)
    assert refused.verdict is Verdict.INCONCLUSIVE
    assert f"at least {needed} requests" in refused.reason


def test_bunched_slowness_below_the_threshold_takes_the_pass_away() -> None:
    """Nothing exceeds, but all slow requests fell into two blocks: the run holds few independent ones."""
    spread = blocks(24, requests=20, deciles=2)
    bunched = [Block(requests=20, exceedances=0, decile_exceedances=20 if i < 2 else 0) for i in range(24)]
    assert judge_slo(spread, quantile=0.95, rule=QUICK).verdict is Verdict.PASS
    judgement = judge_slo(bunched, quantile=0.95, rule=QUICK)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.overdispersion > 10
    assert judgement.requests_effective < 48


def test_one_terrible_block_among_good_ones_is_no_proof_either_way() -> None:
    run = [*blocks(47), Block(requests=100, exceedances=100, decile_exceedances=100)]
    assert judge_slo(run, quantile=0.95).verdict is Verdict.INCONCLUSIVE


def test_void_blocks_are_not_used_and_too_many_of_them_end_the_judgement() -> None:
    void = Block(requests=100, exceedances=100, decile_exceedances=100, void=True)
    some = judge_slo([void] * 9 + blocks(39), quantile=0.95)
    assert (some.verdict, some.blocks, some.blocks_void) == (Verdict.PASS, 39, 9)
    many = judge_slo([void] * 10 + blocks(38), quantile=0.95)
    assert many.verdict is Verdict.INCONCLUSIVE
    assert "10 of 48 blocks are void" in many.reason


def test_a_server_that_answers_nothing_fails() -> None:
    assert judge_slo(blocks(24, exceedances=100, deciles=0), quantile=0.95).verdict is Verdict.FAIL


@pytest.mark.parametrize("run", [[], blocks(24, requests=0, deciles=0)])
def test_nothing_measured_is_inconclusive(run: list[Block]) -> None:
    assert judge_slo(run, quantile=0.95).verdict is Verdict.INCONCLUSIVE


def test_impossible_counts_and_quantiles_are_refused() -> None:
    with pytest.raises(ValueError, match="more exceedances than requests"):
        judge_slo([Block(requests=1, exceedances=2)], quantile=0.95)
    with pytest.raises(ValueError, match="between 0 and 1"):
        judge_slo(blocks(24), quantile=95)


@pytest.mark.parametrize("phi", [1.0, 6.0])
def test_on_the_budget_the_release_rule_is_wrong_in_at_most_six_percent(phi: float) -> None:
    """A small copy of benchmarks/judge/r1.py, with a fixed seed: 3,000 runs of 30 requests a block."""
    rng, budget, runs, n = np.random.default_rng(7), 0.05, 3_000, 30
    shares = np.full((runs, 48), budget)
    if phi > 1:
        weight = (n - 1) / (phi - 1) - 1
        shares = rng.beta(budget * weight, (1 - budget) * weight, (runs, 48))
    exceedances = rng.binomial(n, shares).astype(float)
    deciles = exceedances + rng.binomial((n - exceedances).astype(int), np.clip(shares / (1 - shares), 0, 1))
    found = conclude(
        np.full((runs, 48), float(n)),
        exceedances,
        deciles,
        quantile=0.95,
        rule=RELEASE,
        look=RELEASE.looks[-1],
    )
    assert found.passes.mean() <= 0.06
    assert found.fails.mean() <= 0.06


def test_taking_requests_as_independent_would_be_wrong_far_more_often() -> None:
    """The reason for blocks: the exact binomial bound alone, on overdispersed runs with the truth on the budget."""
    rng, runs, n = np.random.default_rng(7), 3_000, 400
    weight = (n - 1) / (37.0 - 1) - 1  # phi 37: ten-second blocks on a shared machine
    exceedances = rng.binomial(n, rng.beta(0.05 * weight, 0.95 * weight, (runs, 48))).astype(float)
    k, total = exceedances.sum(axis=1), 48.0 * n
    independent = betaincinv(np.maximum(k, 1), total - k + 1, RELEASE.alpha) > 0.05
    by_block = conclude(
        np.full((runs, 48), float(n)),
        exceedances,
        exceedances,
        quantile=0.95,
        rule=RELEASE,
        look=RELEASE.looks[-1],
    )
    assert by_block.fails.mean() <= 0.06
    assert independent.mean() > 0.25

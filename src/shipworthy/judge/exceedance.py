"""R1: is a latency objective kept? A verdict on a proportion, from blocks of requests.

"p95 <= 200 ms" is read as "at most 5 % of requests exceed 200 ms". A percentile is never
interpolated to decide. Requests inside one block of seconds share their fate (a garbage
collection, a noisy neighbour), so the block is the unit, not the request: taking requests
as independent was confidently wrong in up to 56 % of runs when measured.

Owns the rule and its sample sizes. The constants are what the simulation in
benchmarks/judge.py settled on; error_rates.json holds its table. Failures, timeouts and
requests that could not be sent exceed; the caller counts them so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, stdtrit

from shipworthy.contract.verdict import Verdict
from shipworthy.judge.validity import is_run_valid

_Counts = npt.NDArray[np.float64]

# Beyond p99 a run of minutes holds too few exceedances: half the budget at p99.9 takes
# 28,000 independent requests, which a shared machine does not give.
QUANTILE_MAX = 0.99
_P99 = 0.985  # objectives at or beyond this need both looks before they may pass


@dataclass(frozen=True, kw_only=True)
class Look:
    """A pre-declared moment of judgement: so many blocks, and whether PASS may be said there.

    `pseudo_budgets` is the height of the imagined extra block that every PASS must outweigh,
    in error budgets: blocks without one bad burst must not read as proof that bursts are rare.
    """

    blocks: int
    may_pass: bool
    may_pass_p99: bool
    pseudo_budgets: float


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When to look, and how sure to be on each side at each look."""

    name: str
    looks: tuple[Look, ...]
    alpha: float = 0.025
    # With fewer exceedances than this the blocks' own spread is mostly zeros and says nothing.
    few_exceedances: int = 5


# A release may fail after 24 blocks but passes only after 48: with PASS at both looks a service
# that is bad in every tenth block passed in 10-11 % of the simulated runs, this way in 5 %.
RELEASE = Rule(
    name="R1 release",
    looks=(
        Look(blocks=24, may_pass=False, may_pass_p99=False, pseudo_budgets=4.0),
        Look(blocks=48, may_pass=True, may_pass_p99=True, pseudo_budgets=6.0),
    ),
)
# One look for demos and mutants. 24 blocks hold no bad block at all in 0.9^24 = 8 % of the runs
# of that service, so no rule on 24 blocks can do better; the report says so.
QUICK = Rule(
    name="R1 quick",
    looks=(Look(blocks=24, may_pass=True, may_pass_p99=False, pseudo_budgets=4.0),),
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One stretch of the load: how many requests, how many beyond the threshold.

    `decile_exceedances` counts the requests beyond the run's own 90th percentile: it shows
    how bunched slowness is even when almost nothing exceeds the threshold. A void block (R5)
    is planned but not used.
    """

    requests: int
    exceedances: int
    decile_exceedances: int = 0
    void: bool = False


@dataclass(frozen=True, kw_only=True)
class SloJudgement:
    """The verdict with everything a person needs to believe it.

    Units:   `estimate`, `low`, `high` and `budget` are shares of requests, 0..1; the interval
             covers with probability 1 - alpha on each side. `requests_effective` is the number
             of independent requests that would have told as much.
    """

    verdict: Verdict
    reason: str
    estimate: float
    low: float
    high: float
    budget: float
    requests: int
    exceedances: int
    requests_effective: float
    overdispersion: float
    blocks: int
    blocks_void: int
    alpha: float
    method: str


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Interval estimates of many runs at once; each field has one entry per run."""

    estimate: _Counts
    low: _Counts
    high: _Counts
    overdispersion: _Counts


def judge_slo(blocks: Sequence[Block], *, quantile: float, rule: Rule = RELEASE) -> SloJudgement:
    """Return PASS, FAIL or INCONCLUSIVE for "at least `quantile` of requests keep the threshold".

    Fails closed: too few blocks, too few requests, or too many void blocks never pass. The
    number of blocks decides which look this is; between looks the earlier look's bounds hold.

    Errors:  ValueError when the quantile is not within 0..1 or a block counts more
             exceedances than requests.
    Source:  JUDGE rule R1; the bounds are described at `bounds`.
    Example: judge_slo(blocks, quantile=0.95).verdict
    """
    if not 0.0 < quantile < 1.0:
        raise ValueError(f"quantile must lie between 0 and 1, not {quantile}")
    if any(not 0 <= b.exceedances <= b.requests for b in blocks):
        raise ValueError("a block cannot hold more exceedances than requests")
    facts = _Facts(blocks, quantile=quantile, rule=rule)
    if quantile > QUANTILE_MAX:
        return facts.unjudged(f"p{_percent(quantile)} is not judged from a run of minutes; p99 is the highest.")
    if facts.look is None:
        return facts.unjudged(f"{len(blocks)} blocks were measured and the first look needs {rule.looks[0].blocks}.")
    if not is_run_valid([b.void for b in blocks]):
        return facts.unjudged(f"{facts.void} of {len(blocks)} blocks are void, more than the 20 % a run may lose.")
    if facts.requests == 0:
        return facts.unjudged("no request was measured.")
    return facts.judged()


def requests_min(budget: float, *, alpha: float) -> int:
    """Return how many independent requests without one exceedance it takes to pass.

    Source:  (1 - b)^n <= alpha, the zero-failure case of Clopper and Pearson (1934):
             73 requests at p95 and 368 at p99 for alpha 0.025.
    """
    return math.ceil(math.log(alpha) / math.log(1.0 - budget))


def bounds(
    requests: _Counts,
    exceedances: _Counts,
    deciles: _Counts,
    *,
    budget: float,
    alpha: float,
    pseudo_budgets: float,
    few_exceedances: int,
) -> Bounds:
    """Return the exceedance share of each run and its one-sided bounds.

    The arrays are (runs, blocks). The lower bound is the smaller, the upper bound the larger
    of two answers:
      * Student's t over blocks with the ratio estimator's standard error, never below the
        binomial one; for the upper bound one pseudo-block at `pseudo_budgets` is added;
      * Clopper and Pearson's exact binomial bound; with few exceedances the upper one
        divides both counts by the overdispersion of the run's top decile.

    Source:  Cochran, Sampling Techniques (1977), 6.4 (ratio of block totals);
             Clopper and Pearson, Biometrika 26 (1934); Fisher's index of dispersion.
    """
    total, k = requests.sum(axis=1), exceedances.sum(axis=1)
    estimate = k / total
    degrees = requests.shape[1] - 1
    low_t = estimate - stdtrit(degrees, 1 - alpha) * _standard_error(requests, exceedances)
    low_exact = np.where(k > 0, betaincinv(np.maximum(k, 1), total - k + 1, alpha), 0.0)

    pseudo = requests.mean(axis=1, keepdims=True)
    requests_more = np.concatenate([requests, pseudo], axis=1)
    exceedances_more = np.concatenate([exceedances, pseudo * budget * pseudo_budgets], axis=1)
    centre = exceedances_more.sum(axis=1) / requests_more.sum(axis=1)
    high_t = centre + stdtrit(degrees + 1, 1 - alpha) * _standard_error(requests_more, exceedances_more)
    spread = np.where(k < few_exceedances, overdispersion(requests, deciles), 1.0)
    high_exact = np.where(
        k < total, betaincinv(k / spread + 1, np.maximum((total - k) / spread, 1e-9), 1 - alpha), 1.0
    )
    return Bounds(
        estimate=estimate,
        low=np.clip(np.minimum(low_t, low_exact), 0.0, 1.0),
        high=np.clip(np.maximum(high_t, high_exact), 0.0, 1.0),
        overdispersion=np.where(k < few_exceedances, spread, overdispersion(requests, exceedances)),
    )


def overdispersion(requests: _Counts, events: _Counts) -> _Counts:
    """Return how many times the blocks vary more than independent requests would, at least 1.

    Source:  Pearson's chi-square of the blocks over its degrees of freedom.
    """
    share = (events.sum(axis=1) / requests.sum(axis=1))[:, None]
    expected = requests * share
    variance = np.maximum(expected * (1.0 - share), 1e-12)
    chi_square = ((events - expected) ** 2 / variance).sum(axis=1)
    return np.maximum(1.0, chi_square / (requests.shape[1] - 1))


def _standard_error(requests: _Counts, exceedances: _Counts) -> _Counts:
    blocks = requests.shape[1]
    total = requests.sum(axis=1)
    share = exceedances.sum(axis=1) / total
    residuals = exceedances - requests * share[:, None]
    between = blocks / (blocks - 1) * (residuals**2).sum(axis=1) / total**2
    # Fewer differences than chance makes are luck, not evidence: the binomial variance is the floor.
    return np.asarray(np.sqrt(np.maximum(between, share * (1.0 - share) / total)))


class _Facts:
    """The counts of one run under one rule, on their way to a judgement."""

    def __init__(self, blocks: Sequence[Block], *, quantile: float, rule: Rule) -> None:
        self.rule, self.quantile, self.budget = rule, quantile, 1.0 - quantile
        self.used = [b for b in blocks if not b.void]
        self.void = len(blocks) - len(self.used)
        self.requests = sum(b.requests for b in self.used)
        self.exceedances = sum(b.exceedances for b in self.used)
        self.look = next((x for x in reversed(rule.looks) if len(blocks) >= x.blocks), None)

    def judged(self) -> SloJudgement:
        assert self.look is not None
        found = bounds(
            *(
                np.array([[float(getattr(b, name)) for b in self.used if b.requests]])
                for name in ("requests", "exceedances", "decile_exceedances")
            ),
            budget=self.budget,
            alpha=self.rule.alpha,
            pseudo_budgets=self.look.pseudo_budgets,
            few_exceedances=self.rule.few_exceedances,
        )
        low, high = float(found.low[0]), float(found.high[0])
        verdict, reason = self.concluded(low, high, float(found.overdispersion[0]))
        return self.answer(verdict, reason, low, high, float(found.overdispersion[0]))

    def concluded(self, low: float, high: float, spread: float) -> tuple[Verdict, str]:
        seen = f"{self.exceedances} of {self.requests} requests exceed"
        if low > self.budget and self.exceedances >= self.rule.few_exceedances:
            return Verdict.FAIL, f"{seen}; at least {low:.2%} do, and {self.budget:.2%} may."
        needed = requests_min(self.budget, alpha=self.rule.alpha)
        if self.requests / spread < needed:
            worth = f", worth {self.requests / spread:.0f} independent ones" if spread > 1.05 else ""
            return Verdict.INCONCLUSIVE, f"{seen}{worth}; even without one it takes {needed} to pass."
        if high >= self.budget:
            return (
                Verdict.INCONCLUSIVE,
                f"{seen}; the true share lies between {low:.2%} and {high:.2%}, and {self.budget:.2%} may.",
            )
        if not self.passes_here():
            return Verdict.INCONCLUSIVE, f"{seen}, none too many so far; {self.where_it_passes()}"
        return Verdict.PASS, f"{seen}; at most {high:.2%} do, and {self.budget:.2%} may."

    def passes_here(self) -> bool:
        assert self.look is not None
        return self.look.may_pass_p99 if self.quantile >= _P99 else self.look.may_pass

    def where_it_passes(self) -> str:
        name = f"p{_percent(self.quantile)}"
        wanted = [x.blocks for x in self.rule.looks if (x.may_pass_p99 if self.quantile >= _P99 else x.may_pass)]
        if not wanted:
            return f"{name} cannot pass a quick run, only fail it."
        return f"{name} passes only after {wanted[0]} blocks."

    def unjudged(self, reason: str) -> SloJudgement:
        return self.answer(Verdict.INCONCLUSIVE, reason, 0.0, 1.0, 1.0)

    def answer(self, verdict: Verdict, reason: str, low: float, high: float, spread: float) -> SloJudgement:
        return SloJudgement(
            verdict=verdict,
            reason=reason,
            estimate=self.exceedances / self.requests if self.requests else 0.0,
            low=low,
            high=high,
            budget=self.budget,
            requests=self.requests,
            exceedances=self.exceedances,
            requests_effective=self.requests / spread,
            overdispersion=spread,
            blocks=len(self.used),
            blocks_void=self.void,
            alpha=self.rule.alpha,
            method=f"{self.rule.name}, {len(self.used)} blocks",
        )


def _percent(quantile: float) -> str:
    return f"{quantile * 100:.4g}"

"""R1: is a latency objective kept? A verdict on a proportion, from blocks of requests.

"p95 <= 200 ms" is read as "at most 5 % of requests exceed 200 ms". A percentile is never
interpolated to decide. Requests inside one block of seconds share their fate (a garbage
collection, a noisy neighbour), so the block is the unit, not the request: taking requests
as independent was confidently wrong in up to 56 % of runs when measured.

Owns the rule and its sample sizes. The constants are what the simulation in
benchmarks/judge settled on; error_rates.json holds its table. Failures, timeouts and
requests that could not be sent exceed; the caller counts them so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, stdtrit

from shipworthy.contract.verdict import Verdict
from shipworthy.judge.validity import is_run_valid

_Floats = npt.NDArray[np.float64]
_Booleans = npt.NDArray[np.bool_]

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

    def passes(self, quantile: float) -> bool:
        """True when an objective at this quantile may be passed here."""
        return self.may_pass_p99 if quantile >= _P99 else self.may_pass


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When to look, and how sure to be on each side at each look."""

    name: str
    looks: tuple[Look, ...]
    alpha: float = 0.025
    # With fewer exceedances than this the blocks' own spread is mostly luck. JUDGE started from
    # 5, which passed up to 9 % of the overdispersed runs of small blocks; 12 passes at most 6 %.
    few_exceedances: int = 12
    # What a PASS assumes of the machine before it has seen enough to know: measured on two
    # shared cores in one-second blocks. Below six times the textbook sample nothing passes.
    overdispersion_assumed: float = 6.0

    def requests_min(self, budget: float) -> int:
        """Return how many requests, none of them beyond the threshold, it takes to pass.

        Source:  (1 - b)^n <= alpha, the zero-failure case of Clopper and Pearson (1934), times
                 the assumed overdispersion: 432 requests at p95, 2,208 at p99.
        """
        independent = math.ceil(math.log(self.alpha) / math.log(1.0 - budget))
        return math.ceil(independent * self.overdispersion_assumed)


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
class Conclusions:
    """What a look concludes of many runs at once; each field has one entry per run."""

    estimate: _Floats
    low: _Floats
    high: _Floats
    overdispersion: _Floats
    passes: _Booleans
    fails: _Booleans


def judge_slo(blocks: Sequence[Block], *, quantile: float, rule: Rule = RELEASE) -> SloJudgement:
    """Return PASS, FAIL or INCONCLUSIVE for "at least `quantile` of requests keep the threshold".

    Fails closed: too few blocks, too few requests, or too many void blocks never pass. The
    number of blocks says which look this is. Between two looks there is no verdict: every
    further peek would be one more chance to be wrong. Beyond the last look all blocks count.

    Errors:  ValueError when the quantile is not within 0..1 or a block counts more
             exceedances than requests.
    Source:  JUDGE rule R1; the arithmetic is described at `conclude`.
    Example: judge_slo(blocks, quantile=0.95).verdict
    """
    if not 0.0 < quantile < 1.0:
        raise ValueError(f"quantile must lie between 0 and 1, not {quantile}")
    if any(not 0 <= b.exceedances <= b.requests for b in blocks):
        raise ValueError("a block cannot hold more exceedances than requests")
    used = [b for b in blocks if not b.void]
    look = _look_at(len(blocks), rule)
    if quantile > QUANTILE_MAX:
        why = f"p{_percent(quantile)} is not judged from a run of minutes; p99 is the highest."
    elif look is None:
        looks = " and ".join(str(x.blocks) for x in rule.looks)
        why = f"{len(blocks)} blocks were measured; this rule looks at {looks}."
    elif not is_run_valid([b.void for b in blocks]):
        why = (
            f"{len(blocks) - len(used)} of {len(blocks)} blocks are void, more than the 20 % a run may lose."
        )
    elif not any(b.requests for b in used):
        why = "no request was measured."
    else:
        return _judged(used, len(blocks) - len(used), quantile=quantile, rule=rule, look=look)
    return _unjudged(used, len(blocks) - len(used), quantile=quantile, rule=rule, why=why)


def conclude(
    requests: _Floats, exceedances: _Floats, deciles: _Floats, *, quantile: float, rule: Rule, look: Look
) -> Conclusions:
    """Return the interval and the conclusion of every run; the arrays are (runs, blocks).

    The lower bound is the smaller, the upper bound the larger of two answers:
      * Student's t over blocks with the ratio estimator's standard error, never below the
        binomial one; for the upper bound the look's pseudo-block is added;
      * Clopper and Pearson's exact binomial bound; with few exceedances the upper one
        divides both counts by the overdispersion of the run's top decile.
    A run passes when the upper bound is below the budget, the sample is large enough and the
    look allows it; it fails when the lower bound is above.

    Source:  Cochran, Sampling Techniques (1977), 6.4 (ratio of block totals);
             Clopper and Pearson, Biometrika 26 (1934); the constants: benchmarks/judge.
    """
    budget, sure = 1.0 - quantile, 1.0 - rule.alpha
    total, k = requests.sum(axis=1), exceedances.sum(axis=1)
    estimate = k / total
    degrees = requests.shape[1] - 1
    low_t = estimate - stdtrit(degrees, sure) * _standard_error(requests, exceedances)
    low_exact = np.where(k > 0, betaincinv(np.maximum(k, 1), total - k + 1, rule.alpha), 0.0)

    pseudo = requests.mean(axis=1, keepdims=True)
    requests_more = np.concatenate([requests, pseudo], axis=1)
    exceedances_more = np.concatenate([exceedances, pseudo * budget * look.pseudo_budgets], axis=1)
    centre = exceedances_more.sum(axis=1) / requests_more.sum(axis=1)
    high_t = centre + stdtrit(degrees + 1, sure) * _standard_error(requests_more, exceedances_more)
    few = k < rule.few_exceedances
    spread = np.where(few, overdispersion(requests, deciles), 1.0)
    # All requests exceeding leaves nothing to bound; the tiny floor keeps the function defined.
    high_exact = np.where(
        k < total, betaincinv(k / spread + 1, np.maximum((total - k) / spread, 1e-9), sure), 1.0
    )

    low = np.clip(np.minimum(low_t, low_exact), 0.0, 1.0)
    high = np.clip(np.maximum(high_t, high_exact), 0.0, 1.0)
    enough = total >= rule.requests_min(budget)
    return Conclusions(
        estimate=estimate,
        low=low,
        high=high,
        overdispersion=np.where(few, spread, overdispersion(requests, exceedances)),
        passes=(high < budget) & enough & look.passes(quantile),
        fails=low > budget,
    )


def overdispersion(requests: _Floats, events: _Floats) -> _Floats:
    """Return how many times the blocks vary more than independent requests would, at least 1.

    Source:  Fisher's index of dispersion: Pearson's chi-square of the blocks over its degrees of freedom.
    """
    share = (events.sum(axis=1) / requests.sum(axis=1))[:, None]
    expected = requests * share
    variance = np.maximum(expected * (1.0 - share), 1e-12)
    chi_square = ((events - expected) ** 2 / variance).sum(axis=1)
    return np.asarray(np.maximum(1.0, chi_square / (requests.shape[1] - 1)))


def _standard_error(requests: _Floats, exceedances: _Floats) -> _Floats:
    blocks = requests.shape[1]
    total = requests.sum(axis=1)
    share = exceedances.sum(axis=1) / total
    residuals = exceedances - requests * share[:, None]
    between = blocks / (blocks - 1) * (residuals**2).sum(axis=1) / total**2
    # Fewer differences than chance makes are luck, not evidence: the binomial variance is the floor.
    return np.asarray(np.sqrt(np.maximum(between, share * (1.0 - share) / total)))


def _look_at(blocks: int, rule: Rule) -> Look | None:
    last = rule.looks[-1]
    return last if blocks >= last.blocks else next((x for x in rule.looks if x.blocks == blocks), None)


def _judged(used: Sequence[Block], void: int, *, quantile: float, rule: Rule, look: Look) -> SloJudgement:
    rows = [(b.requests, b.exceedances, b.decile_exceedances) for b in used]
    requests, exceedances, deciles = (np.array([column], dtype=float) for column in zip(*rows, strict=True))
    found = conclude(requests, exceedances, deciles, quantile=quantile, rule=rule, look=look)
    judgement = SloJudgement(
        verdict=Verdict.FAIL if found.fails[0] else Verdict.PASS if found.passes[0] else Verdict.INCONCLUSIVE,
        reason="",
        estimate=float(found.estimate[0]),
        low=float(found.low[0]),
        high=float(found.high[0]),
        budget=1.0 - quantile,
        requests=int(requests.sum()),
        exceedances=int(exceedances.sum()),
        requests_effective=float(requests.sum() / found.overdispersion[0]),
        overdispersion=float(found.overdispersion[0]),
        blocks=len(used),
        blocks_void=void,
        alpha=rule.alpha,
        method=f"{rule.name}, {len(used)} blocks",
    )
    return replace(judgement, reason=_reason(judgement, quantile=quantile, rule=rule, look=look))


def _unjudged(used: Sequence[Block], void: int, *, quantile: float, rule: Rule, why: str) -> SloJudgement:
    requests, exceedances = sum(b.requests for b in used), sum(b.exceedances for b in used)
    return SloJudgement(
        verdict=Verdict.INCONCLUSIVE,
        reason=why,
        estimate=exceedances / requests if requests else 0.0,
        low=0.0,
        high=1.0,
        budget=1.0 - quantile,
        requests=requests,
        exceedances=exceedances,
        requests_effective=float(requests),
        overdispersion=1.0,
        blocks=len(used),
        blocks_void=void,
        alpha=rule.alpha,
        method=f"{rule.name}, {len(used)} blocks",
    )


def _reason(judgement: SloJudgement, *, quantile: float, rule: Rule, look: Look) -> str:
    j, allowed = judgement, f"{judgement.budget:.2%} may"
    seen = f"{j.exceedances} of {j.requests} requests exceed"
    if j.verdict is Verdict.FAIL:
        return f"{seen}; at least {j.low:.2%} do, and {allowed}."
    if j.verdict is Verdict.PASS:
        return f"{seen}; at most {j.high:.2%} do, and {allowed}."
    if j.requests < rule.requests_min(j.budget):
        return (
            f"{seen}; a PASS at p{_percent(quantile)} takes at least {rule.requests_min(j.budget)} requests."
        )
    if j.high >= j.budget:
        return f"{seen}; the true share lies between {j.low:.2%} and {j.high:.2%}, and {allowed}."
    passing = next((x.blocks for x in rule.looks if x.passes(quantile)), None)
    if passing is None:
        return f"{seen}; a quick run can only fail p{_percent(quantile)}, a PASS takes the full run."
    return f"{seen}, not too many so far; p{_percent(quantile)} passes only after {passing} blocks, this is {look.blocks}."


def _percent(quantile: float) -> str:
    return f"{quantile * 100:.4g}"

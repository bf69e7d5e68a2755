"""R2: is the new version slower? A verdict on two versions measured at once (a duet).

Each block of seconds holds the latencies of both versions, which shared the machine's
weather in it. The block's log ratio of the two quantiles cancels that weather: sequential
windows of one unchanged server differed by more than 10 % in 56 % of the cases when
measured, so "now against a stored number" is never a gate.

Owns the rule and its margins; error_rates.json holds what the simulation says of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from shipworthy.contract.verdict import Verdict
from shipworthy.judge.histogram import LogHistogram, merged
from shipworthy.judge.validity import is_run_valid

_Floats = npt.NDArray[np.float64]
_Booleans = npt.NDArray[np.bool_]

# How much slower is still "not slower", by quantile: the tail of an unchanged app wanders more.
MARGINS = {0.5: 1.05, 0.95: 1.10, 0.99: 1.15}


@dataclass(frozen=True, kw_only=True)
class RegressionRule:
    """How sure to be, and from how much.

    Units:   `floor_ms` milliseconds; `ratio_min` head / base.
    """

    name: str = "R2 duet"
    # Half of what is usual: at 0.05 recorded and bursty noise raised an alarm at +2 % in 7-8 % of the runs.
    alpha: float = 0.03  # on each side
    blocks_min: int = 24
    # A change smaller than this is no regression however surely it is there.
    ratio_min: float = 1.02
    floor_ms: float = 2.0
    # A block's quantile needs some requests beyond it, or it is the block's maximum by another name.
    beyond_min: int = 5
    # 0.03 * (1,999 + 1) is whole, so the bootstrap's quantile is an order statistic.
    resamples: int = 1_999

    def requests_min(self, quantile: float) -> int:
        """Return how many requests of each version a block must hold: 100 at p95, 500 at p99."""
        return math.ceil(round(self.beyond_min / min(1.0 - quantile, quantile), 6))


DUET = RegressionRule()


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One block of the duet: the latencies of both versions in the same seconds.

    A void block (R5) is dropped in both arms together: dropping one arm's would choose the result.
    This rule knows durations only: a head that fails fast is fast. Failures are R1's, beside it.
    """

    base: LogHistogram
    head: LogHistogram
    void: bool = False


@dataclass(frozen=True, kw_only=True)
class RegressionJudgement:
    """The verdict: FAIL is a regression, PASS is non-inferiority within the margin.

    Units:   `ratio`, `low`, `high`, `margin` are head / base; the interval covers with
             probability 1 - alpha on each side. `spread` is the standard deviation of the
             blocks' log ratios. `p_value` is of "no slower than `ratio_min`", for a family (R8).
    """

    verdict: Verdict
    reason: str
    ratio: float
    low: float
    high: float
    p_value: float
    margin: float
    base_ms: float
    head_ms: float
    spread: float
    requests: int
    blocks: int
    blocks_void: int
    alpha: float
    method: str


@dataclass(frozen=True, kw_only=True)
class RatioConclusions:
    """What the rule concludes of many duets at once; logarithms, one entry per duet."""

    estimate: _Floats
    low: _Floats
    high: _Floats
    p_value: _Floats
    regresses: _Booleans
    holds: _Booleans


def judge_regression(
    pairs: Sequence[Pair], *, quantile: float, rule: RegressionRule = DUET
) -> RegressionJudgement:
    """Return FAIL, PASS or INCONCLUSIVE for "the head's quantile is not above the base's".

    Fails closed: too few blocks, too few requests or too many void blocks never pass. It is
    one look at a run of declared length; calling it after every block would be wrong more often.
    Neighbouring blocks are joined until each holds enough requests of both versions.

    Errors:  ValueError when no margin is declared for the quantile.
    Source:  JUDGE rule R2; the arithmetic is described at `conclude`.
    Example: judge_regression(pairs, quantile=0.95).verdict
    """
    if quantile not in MARGINS:
        raise ValueError(
            f"no margin is declared for the quantile {quantile}; there is one for {list(MARGINS)}"
        )
    used = [pair for pair in pairs if not pair.void]
    joined = _joined(used, requests_min=rule.requests_min(quantile))
    seen = _Seen(used, len(joined), len(pairs) - len(used), quantile, rule)
    if not is_run_valid([pair.void for pair in pairs]):
        lost = f"{len(pairs) - len(used)} of {len(pairs)} blocks are void, more than the 20 % a run may lose."
        return seen.unjudged(lost if pairs else "no block was measured.")
    if len(joined) < rule.blocks_min:
        return seen.unjudged(
            f"the run gave {len(joined)} blocks of at least {rule.requests_min(quantile)} requests of each version; "
            f"this rule takes {rule.blocks_min}: measure longer."
        )
    ratios = np.array([[_log_ratio(pair, quantile) for pair in joined]])
    return seen.judged(ratios)


def conclude(
    log_ratios: _Floats, *, base_ms: _Floats, quantile: float, rule: RegressionRule = DUET
) -> RatioConclusions:
    """Return interval and conclusion of every duet; `log_ratios` is (duets, blocks).

    The statistic is the mean of the blocks' log ratios. Its interval is the bootstrap-t over
    blocks, (mean - mean)/se taken anew in every resample: unlike the percentile bootstrap it
    keeps its level with 24 blocks of unequal noise. The resamples are the same for every run
    of so many blocks, so that a verdict can be repeated to the digit.
    A duet regresses when the lower bound is above `ratio_min` and the change is at least
    `floor_ms`; it holds when the upper bound is below the margin, or below the floor.

    Errors:  ValueError when a ratio is not a finite number, or there are fewer than two blocks.
    Source:  Efron and Tibshirani, An Introduction to the Bootstrap (1993), 12.5 (bootstrap-t);
             Bulej et al., Duet Benchmarking, ICPE 2020 (the pairing).
    """
    if log_ratios.ndim != 2 or log_ratios.shape[1] < 2 or not np.isfinite(log_ratios).all():
        raise ValueError("a duet takes at least two blocks, each with a finite log ratio")
    blocks = log_ratios.shape[1]
    weights = _resamples(blocks, rule.resamples)
    mean = log_ratios.mean(axis=1)
    centred = log_ratios - mean[:, None]
    error = np.sqrt((centred**2).mean(axis=1) / blocks)
    shift = centred @ weights.T
    shift_error = np.sqrt(np.maximum((centred**2) @ weights.T - shift**2, 0.0) / blocks)
    # A resample of one block many times over has no spread; it says nothing, and must not divide by it.
    t = shift / np.maximum(shift_error, np.maximum(1e-3 * error, 1e-12)[:, None])
    last = round(rule.alpha * (rule.resamples + 1)) - 1
    t.partition((last, rule.resamples - 1 - last), axis=1)
    low = mean - t[:, rule.resamples - 1 - last] * error
    high = mean - t[:, last] * error
    seen = (mean - math.log(rule.ratio_min)) / np.maximum(error, 1e-12)
    floor = np.log1p(rule.floor_ms / np.maximum(base_ms, 1e-9))
    return RatioConclusions(
        estimate=mean,
        low=low,
        high=high,
        p_value=(1 + (t >= seen[:, None]).sum(axis=1)) / (rule.resamples + 1),
        regresses=(low > math.log(rule.ratio_min)) & (mean >= floor),
        holds=high < np.maximum(math.log(MARGINS[quantile]), floor),
    )


def blocks_needed(
    spread: float, *, ratio: float = 1.10, power: float = 0.80, rule: RegressionRule = DUET
) -> int:
    """Return how many blocks it takes to see a head that is `ratio` times slower with this power.

    `spread` is the standard deviation of the blocks' log ratios, as a judgement states it.

    Errors:  ValueError when the ratio is not above the rule's `ratio_min`.
    Source:  the sample size of a one-sided mean test, ((z_alpha + z_power) sd / effect)^2.
    """
    if not ratio > rule.ratio_min:
        raise ValueError(f"a ratio of {ratio} is never a regression; it begins above {rule.ratio_min}")
    effect = math.log(ratio / rule.ratio_min)
    z = float(ndtri(1.0 - rule.alpha) + ndtri(power))
    return max(rule.blocks_min, math.ceil((z * spread / effect) ** 2))


@lru_cache(maxsize=16)
def _resamples(blocks: int, count: int) -> _Floats:
    luck = np.random.default_rng(20260701)
    return luck.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=count) / blocks


def _joined(pairs: Sequence[Pair], *, requests_min: int) -> list[Pair]:
    """Join neighbours until both arms of every block hold enough; what is left over joins the last."""
    joined: list[Pair] = []
    open_: list[Pair] = []
    for pair in pairs:
        open_.append(pair)
        if min(sum(p.base.count for p in open_), sum(p.head.count for p in open_)) >= requests_min:
            joined.append(_one(open_))
            open_ = []
    if open_ and joined:
        joined[-1] = _one([joined[-1], *open_])
    return joined


def _one(pairs: Sequence[Pair]) -> Pair:
    if len(pairs) == 1:
        return pairs[0]
    return Pair(base=_merged([p.base for p in pairs]), head=_merged([p.head for p in pairs]))


def _merged(histograms: Sequence[LogHistogram]) -> LogHistogram:
    return merged(histograms, threshold_us=histograms[0].threshold_us) if histograms else LogHistogram()


def _log_ratio(pair: Pair, quantile: float) -> float:
    # Half a microsecond under both keeps an answer in no time at all a number.
    return math.log((pair.head.quantile(quantile) + 0.5) / (pair.base.quantile(quantile) + 0.5))


@dataclass(frozen=True)
class _Seen:
    used: Sequence[Pair]
    blocks: int
    void: int
    quantile: float
    rule: RegressionRule

    def unjudged(self, why: str) -> RegressionJudgement:
        base, head = _merged([p.base for p in self.used]), _merged([p.head for p in self.used])
        return RegressionJudgement(
            verdict=Verdict.INCONCLUSIVE,
            reason=why,
            ratio=1.0,
            low=0.0,
            high=math.inf,
            p_value=1.0,
            margin=MARGINS[self.quantile],
            base_ms=base.quantile(self.quantile) / 1000,
            head_ms=head.quantile(self.quantile) / 1000,
            spread=0.0,
            requests=base.count + head.count,
            blocks=self.blocks,
            blocks_void=self.void,
            alpha=self.rule.alpha,
            method=f"{self.rule.name}, {self.blocks} blocks",
        )

    def judged(self, log_ratios: _Floats) -> RegressionJudgement:
        plain = self.unjudged("")
        found = conclude(
            log_ratios, base_ms=np.array([plain.base_ms]), quantile=self.quantile, rule=self.rule
        )
        verdict = (
            Verdict.FAIL if found.regresses[0] else Verdict.PASS if found.holds[0] else Verdict.INCONCLUSIVE
        )
        low, ratio, high = (float(np.exp(x[0])) for x in (found.low, found.estimate, found.high))
        name = f"p{self.quantile * 100:.4g}"
        said = (
            f"{name} is {ratio - 1:+.1%} ({low - 1:+.1%} to {high - 1:+.1%}), {plain.base_ms:.1f} ms before"
        )
        reasons = {
            Verdict.FAIL: f"{said}: slower by more than {self.rule.ratio_min - 1:.0%} and {self.rule.floor_ms:g} ms.",
            Verdict.PASS: f"{said}: not slower by {plain.margin - 1:.0%} or {self.rule.floor_ms:g} ms.",
            Verdict.INCONCLUSIVE: f"{said}: neither a regression nor proof that there is none; measure longer.",
        }
        return replace(
            plain,
            verdict=verdict,
            reason=reasons[verdict],
            ratio=ratio,
            low=low,
            high=high,
            p_value=float(found.p_value[0]),
            spread=float(log_ratios[0].std(ddof=1)),
        )

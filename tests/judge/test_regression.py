"""A slower head fails, an equal one passes, and a duet that cannot tell says so."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.contract.verdict import Verdict
from shipworthy.judge.histogram import LogHistogram
from shipworthy.judge.regression import DUET, Pair, blocks_needed, conclude, judge_regression

RNG = np.random.default_rng(5)


def histogram(*, median_ms: float, requests: int, rng: np.random.Generator) -> LogHistogram:
    found = LogHistogram()
    for us in median_ms * 1000 * np.exp(0.5 * rng.standard_normal(requests)):
        found.record(int(us))
    return found


def duet(
    *, ratio: float, blocks: int = 24, requests: int = 200, median_ms: float = 20.0, weather: float = 0.5
) -> list[Pair]:
    """Both versions share each block's weather; the head is `ratio` times slower."""
    rng = np.random.default_rng(11)
    pairs = []
    for _ in range(blocks):
        now_ms = median_ms * math.exp(weather * rng.standard_normal())
        pairs.append(
            Pair(
                base=histogram(median_ms=now_ms, requests=requests, rng=rng),
                head=histogram(median_ms=now_ms * ratio, requests=requests, rng=rng),
            )
        )
    return pairs


def test_a_fifth_slower_fails_an_equal_one_passes_and_a_fifth_faster_passes() -> None:
    slower = judge_regression(duet(ratio=1.2), quantile=0.95)
    assert slower.verdict is Verdict.FAIL
    assert slower.low < slower.ratio < slower.high
    assert slower.low > DUET.ratio_min
    equal = judge_regression(duet(ratio=1.0), quantile=0.95)
    assert equal.verdict is Verdict.PASS
    assert equal.high < 1.10
    assert judge_regression(duet(ratio=0.8), quantile=0.95).verdict is Verdict.PASS


def test_the_reason_names_the_quantile_the_interval_and_the_size() -> None:
    said = judge_regression(duet(ratio=1.3), quantile=0.95).reason
    assert "p95 is +" in said
    assert "ms before" in said
    assert "slower by more than 2% and 2 ms" in said


def test_between_regression_and_margin_it_is_inconclusive() -> None:
    unsure = judge_regression(duet(ratio=1.06, requests=100), quantile=0.95)
    assert unsure.verdict is Verdict.INCONCLUSIVE
    assert "measure longer" in unsure.reason


def test_a_change_below_two_milliseconds_is_no_regression_however_sure() -> None:
    """Half as slow again, of a fifth of a millisecond."""
    assert judge_regression(duet(ratio=1.5, median_ms=0.2), quantile=0.95).verdict is Verdict.PASS
    assert judge_regression(duet(ratio=1.5, median_ms=20.0), quantile=0.95).verdict is Verdict.FAIL


@pytest.mark.parametrize("blocks", [0, 1, 23])
def test_too_few_blocks_are_inconclusive_and_enough_are_not(blocks: int) -> None:
    few = judge_regression(duet(ratio=3.0, blocks=blocks), quantile=0.95)
    assert few.verdict is Verdict.INCONCLUSIVE
    assert ("no block" if not blocks else f"{blocks} blocks") in few.reason
    assert judge_regression(duet(ratio=3.0, blocks=24), quantile=0.95).verdict is Verdict.FAIL


def test_thin_blocks_are_joined_until_they_hold_enough() -> None:
    thin = duet(ratio=1.5, blocks=48, requests=50)
    joined = judge_regression(thin, quantile=0.95)
    assert (joined.verdict, joined.blocks, joined.requests) == (Verdict.FAIL, 24, 48 * 100)
    assert judge_regression(thin[:46], quantile=0.95).verdict is Verdict.INCONCLUSIVE


def test_a_head_that_answers_nothing_is_never_passed() -> None:
    silent = [replace(pair, head=LogHistogram()) for pair in duet(ratio=1.0)]
    assert judge_regression(silent, quantile=0.95).verdict is Verdict.INCONCLUSIVE


def test_void_blocks_go_in_both_arms_and_more_than_a_fifth_end_the_judgement() -> None:
    """The void blocks hold a head ten times slower: if one arm were kept, the verdict would turn."""
    spoilt = [replace(pair, void=True) for pair in duet(ratio=10.0, blocks=6)]
    some = judge_regression([*spoilt, *duet(ratio=1.0, blocks=24)], quantile=0.95)
    assert (some.verdict, some.blocks, some.blocks_void) == (Verdict.PASS, 24, 6)
    many = judge_regression([*spoilt, *duet(ratio=1.0, blocks=23)], quantile=0.95)
    assert many.verdict is Verdict.INCONCLUSIVE
    assert "6 of 29 blocks are void" in many.reason


def test_a_quantile_without_a_margin_is_refused() -> None:
    with pytest.raises(ValueError, match="no margin"):
        judge_regression(duet(ratio=1.0), quantile=0.999)
    assert judge_regression(duet(ratio=1.0), quantile=0.5).verdict is Verdict.PASS


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    ratios = RNG.normal(0.0, 0.1, (1, 24))
    conclude(ratios, base_ms=np.array([50.0]), quantile=0.95)
    ratios[0, 3] = bad
    with pytest.raises(ValueError, match="finite"):
        conclude(ratios, base_ms=np.array([50.0]), quantile=0.95)
    with pytest.raises(ValueError, match="two blocks"):
        conclude(np.zeros((1, 1)), base_ms=np.array([50.0]), quantile=0.95)


@given(st.floats(min_value=-1.0, max_value=1.0), st.integers(min_value=2, max_value=60))
@settings(max_examples=30, deadline=None)
def test_blocks_that_all_agree_leave_no_interval(shift: float, blocks: int) -> None:
    found = conclude(np.full((1, blocks), shift), base_ms=np.array([1e6]), quantile=0.95)
    assert found.low[0] == pytest.approx(shift, abs=1e-6)
    assert found.high[0] == pytest.approx(shift, abs=1e-6)


@given(st.lists(st.floats(min_value=-0.5, max_value=0.5), min_size=24, max_size=24), st.floats(0.01, 0.5))
@settings(max_examples=40, deadline=None)
def test_a_slower_head_moves_the_whole_interval_by_as_much(ratios: list[float], slower: float) -> None:
    before = conclude(np.array([ratios]), base_ms=np.array([1e6]), quantile=0.95)
    after = conclude(np.array([ratios]) + slower, base_ms=np.array([1e6]), quantile=0.95)
    assert before.low[0] <= before.estimate[0] + 1e-9
    assert before.estimate[0] <= before.high[0] + 1e-9
    assert after.low[0] - before.low[0] == pytest.approx(slower, abs=1e-6)
    assert after.high[0] - before.high[0] == pytest.approx(slower, abs=1e-6)


@given(st.lists(st.floats(min_value=-0.5, max_value=0.5), min_size=24, max_size=24))
@settings(max_examples=40, deadline=None)
def test_exchanging_the_arms_mirrors_the_interval(ratios: list[float]) -> None:
    there = conclude(np.array([ratios]), base_ms=np.array([1e6]), quantile=0.95)
    back = conclude(-np.array([ratios]), base_ms=np.array([1e6]), quantile=0.95)
    assert back.low[0] == pytest.approx(-there.high[0], abs=1e-9)


def test_on_normal_blocks_the_bootstrap_t_agrees_with_students_t() -> None:
    """Student (1908): on normal data mean -/+ t(0.97, 23) se; 1.9770 is from any table's interpolation."""
    ratios = RNG.standard_normal((400, 24))
    found = conclude(ratios, base_ms=np.full(400, 1e6), quantile=0.95)
    half = (found.high - found.low) / 2
    student = 1.9770 * ratios.std(axis=1, ddof=1) / math.sqrt(24)
    assert np.median(half / student) == pytest.approx(1.0, abs=0.05)
    assert (found.low > 0).mean() + (found.high < 0).mean() == pytest.approx(0.06, abs=0.03)


def test_the_p_value_and_the_interval_tell_the_same() -> None:
    ratios = RNG.normal(0.06, 0.1, (300, 24))
    found = conclude(ratios, base_ms=np.full(300, 1e6), quantile=0.95)
    by_interval = found.low > math.log(DUET.ratio_min)
    assert by_interval.any() and not by_interval.all()
    assert ((found.p_value <= DUET.alpha) == by_interval).mean() > 0.99


def test_a_tenth_slower_takes_as_many_blocks_as_the_sample_size_formula_says() -> None:
    """((1.881 + 0.842) 0.2 / ln(1.10 / 1.02))^2 = 51.99, by hand."""
    assert blocks_needed(0.2) == 52
    assert blocks_needed(0.0) == DUET.blocks_min
    assert blocks_needed(0.2, ratio=1.2) < blocks_needed(0.2)
    with pytest.raises(ValueError, match="never a regression"):
        blocks_needed(0.2, ratio=1.02)
    with pytest.raises(ValueError, match="never a regression"):
        blocks_needed(0.2, ratio=math.nan)

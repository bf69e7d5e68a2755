"""The steps are fair games: under the null no capital is expected to grow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.judge.sequential import (
    CAPITAL_MAX,
    bet_size,
    complaint_step,
    failure_step,
    gain_step,
    split_step,
    start_share,
)

CAPITAL = st.floats(min_value=0.0, max_value=1e6)


def test_the_shares_of_the_starts_add_up_to_one() -> None:
    shares = start_share(np.arange(1.0, 1e6))
    assert shares[0] == 0.97
    assert shares.sum() == pytest.approx(1.0, abs=1e-6)


@given(CAPITAL, st.integers(1, 10_000), st.floats(min_value=0.0, max_value=0.05))
def test_up_to_the_healthy_share_an_error_test_expects_no_gain(
    capital: float, position: int, share: float
) -> None:
    def after(failed: float) -> float:
        return failure_step(capital, position=float(position), failed=failed, healthy=0.05, bad=0.10)

    expected = share * after(1.0) + (1 - share) * after(0.0)
    assert expected <= (capital + start_share(float(position))) * (1 + 1e-9)
    assert after(1.0) > after(0.0)


@given(CAPITAL, st.integers(1, 10_000))
def test_while_the_arms_are_alike_the_sessions_that_fail_gain_nothing(capital: float, position: int) -> None:
    def after(of_canary: float) -> float:
        return complaint_step(capital, position=float(position), of_canary=of_canary, odds=3.0)

    expected = 0.5 * after(1.0) + 0.5 * after(0.0)
    assert expected == pytest.approx(capital + start_share(float(position)), rel=1e-9)
    assert after(1.0) > after(0.0)


def test_each_failure_doubles_as_walds_ratio_says() -> None:
    assert failure_step(1.0, position=np.inf, failed=1.0, healthy=0.05, bad=0.10) == pytest.approx(2.0)
    assert failure_step(1.0, position=np.inf, failed=0.0, healthy=0.05, bad=0.10) == pytest.approx(0.9 / 0.95)


@given(CAPITAL, st.floats(min_value=0.01, max_value=0.99))
def test_failures_split_as_the_requests_are_a_fair_game(capital: float, share: float) -> None:
    ours, theirs = (split_step(capital, share=share, of_canary=x, odds=4.0) for x in (1.0, 0.0))
    assert share * ours + (1 - share) * theirs == pytest.approx(min(capital, CAPITAL_MAX))
    assert ours >= theirs


@given(
    st.lists(st.floats(min_value=-1.05, max_value=1.05), max_size=50),
    st.floats(min_value=-1.05, max_value=1.05),
)
def test_a_bet_never_loses_all_and_never_bets_on_the_past_being_good(gains: list[float], gain: float) -> None:
    bet = bet_size(float(len(gains)), sum(gains), sum(g * g for g in gains), bet_max=0.5)
    assert 0.0 <= bet <= 0.5
    assert gain_step(1.0, gain=gain, bet=bet) > 0.0
    if sum(gains) <= 0:
        assert bet == 0.0


def test_arrays_and_numbers_take_the_same_step() -> None:
    failed = np.array([0.0, 1.0, 1.0])
    many = failure_step(
        np.array([1.0, 2.0, 3.0]), position=np.full(3, 7.0), failed=failed, healthy=0.05, bad=0.1
    )
    one = [
        failure_step(c, position=7.0, failed=f, healthy=0.05, bad=0.1)
        for c, f in zip((1.0, 2.0, 3.0), failed, strict=True)
    ]
    assert many.tolist() == one


def test_on_the_bound_it_is_crossed_no_more_often_than_ville_says() -> None:
    """2,000 canaries of 500 requests that fail at exactly 5 %; alpha 0.05, so that there is something to see."""
    rng = np.random.default_rng(3)
    crossed = {}
    for share in (0.05, 0.15):
        capital, ever = np.zeros(2_000), np.zeros(2_000, dtype=bool)
        for i in range(500):
            failed = (rng.random(2_000) < share).astype(float)
            capital = failure_step(
                capital, position=np.full(2_000, i + 1.0), failed=failed, healthy=0.05, bad=0.10
            )
            ever |= capital >= 20
        crossed[share] = ever.mean()
    assert crossed[0.05] <= 0.05
    assert crossed[0.15] > 0.95

"""Changes in a series of runs are found where they are, and not where there are none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from shipworthy.judge.changepoint import RUNS_MAX, SIDE_MIN, change_points

FLAT = [100.0, 103.0, 98.0, 101.0, 99.0, 104.0, 97.0, 100.0, 102.0, 101.0, 99.0, 98.0]


def test_a_step_is_found_where_it_is_and_a_level_series_has_none() -> None:
    assert change_points(FLAT) == []
    [found] = change_points([*FLAT, *(value * 1.3 for value in FLAT)])
    assert found.at == len(FLAT)
    assert found.ratio == pytest.approx(1.3, abs=0.02)
    assert found.before == pytest.approx(100, abs=1)
    assert found.p_value <= 0.01


def test_two_steps_are_two_changes_in_the_order_of_time() -> None:
    series = [*FLAT, *(value * 1.5 for value in FLAT), *(value * 0.8 for value in FLAT)]
    assert [found.at for found in change_points(series)] == [12, 24]


def test_one_odd_run_is_no_change() -> None:
    assert change_points([*FLAT, 900.0, *FLAT]) == []


def test_too_few_runs_and_runs_that_are_all_the_same_say_nothing() -> None:
    assert change_points([]) == []
    assert change_points([1.0] * (SIDE_MIN - 1) + [9.0] * SIDE_MIN) == []
    assert change_points([7.0] * 50) == []


def test_what_grew_from_nothing_has_no_finite_ratio() -> None:
    [found] = change_points([0.0] * 12 + [3.0] * 12)
    assert found.ratio == math.inf


def test_of_a_long_series_the_newest_are_looked_at_and_places_stay_right() -> None:
    [found] = change_points([*[9.0, 10.0, 11.0] * 60, *[19.0, 20.0, 21.0] * 10])
    assert found.at == 180 > RUNS_MAX
    with pytest.raises(ValueError, match="finite"):
        change_points([1.0, math.nan])


def test_series_that_never_changed_are_called_changed_about_as_often_as_is_said() -> None:
    """The rule's own error rate on level series with a wild tail, and its power at a quarter more."""
    luck = np.random.default_rng(20261128)
    level = np.exp(luck.normal(0, 0.15, (60, 20)) + luck.standard_t(3, (60, 20)) * 0.05)
    wrong = sum(bool(change_points(list(series), alpha=0.05)) for series in level)
    assert wrong <= 7  # of 60; three are expected, and more than seven come once in a hundred times
    stepped = np.exp(luck.normal(0, 0.08, (16, 24)))
    stepped[:, 12:] *= 1.25
    found = [change_points(list(series)) for series in stepped]
    near = sum(any(abs(change.at - 12) <= 2 for change in changes) for changes in found)
    assert near >= 14

"""Theil and Sen's slope: right on lines, deaf to outliers, and as sure as it says."""

from __future__ import annotations

import random

import pytest

from shipworthy.judge.slope import POINTS_MIN, theil_sen


def test_a_line_has_its_slope_and_no_doubt() -> None:
    slope = theil_sen([(x, 3.0 * x + 7) for x in range(20)])
    assert slope.low == pytest.approx(3.0)
    assert slope.estimate == pytest.approx(3.0)
    assert slope.high == pytest.approx(3.0)
    assert slope.points == 20


def test_a_few_wild_points_do_not_turn_it() -> None:
    points = [(x, 2.0 * x) for x in range(30)]
    points[3], points[17], points[29] = (3, 900.0), (17, -500.0), (29, 4_000.0)
    slope = theil_sen(points)
    assert 1.9 < slope.low <= slope.estimate <= slope.high < 2.5


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    noise = random.Random(4711)
    trials, held = 400, 0
    for _ in range(trials):
        slope = theil_sen([(x, 0.5 * x + noise.gauss(0, 5)) for x in range(30)], confidence=0.9)
        held += slope.low <= 0.5 <= slope.high
    assert 0.86 <= held / trials <= 0.95


def test_too_few_points_no_width_and_no_confidence_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        theil_sen([(x, x) for x in range(POINTS_MIN - 1)])
    with pytest.raises(ValueError, match="same place"):
        theil_sen([(1, y) for y in range(POINTS_MIN)])
    with pytest.raises(ValueError, match="confidence"):
        theil_sen([(x, x) for x in range(POINTS_MIN)], confidence=1.0)

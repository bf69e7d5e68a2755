"""Arrivals are the ones the plan says, the same for the same seed."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from shipworthy.gauntlet.load.arrivals import Schedule, schedule

Shape = Literal["poisson", "fixed"]


def of_journey(found: Schedule, journey: int) -> list[int]:
    return [due for due, place in zip(found.due_ns, found.journey, strict=True) if place == journey]


@pytest.mark.parametrize("shape", ["poisson", "fixed"])
def test_the_same_seed_gives_the_same_arrivals_and_another_seed_others(shape: Shape) -> None:
    first = schedule([5.0, 50.0], duration_s=10, shape=shape, seed=1)
    assert first == schedule([5.0, 50.0], duration_s=10, shape=shape, seed=1)
    assert first != schedule([5.0, 50.0], duration_s=10, shape=shape, seed=2)


@pytest.mark.parametrize("shape", ["poisson", "fixed"])
def test_arrivals_of_all_journeys_come_in_order_within_the_duration(shape: Shape) -> None:
    found = schedule([5.0, 50.0], duration_s=10, shape=shape, seed=1)
    assert found.due_ns == sorted(found.due_ns)
    assert 0 <= found.due_ns[0] <= found.due_ns[-1] < 10_000_000_000
    assert set(found.journey) == {0, 1}


def test_fixed_arrivals_are_evenly_spaced_and_exactly_as_many_as_the_rate_says() -> None:
    found = of_journey(schedule([50.0], duration_s=10, shape="fixed", seed=3), 0)
    assert len(found) == 500
    assert np.ptp(np.diff(found)) <= 1  # whole nanoseconds


def test_poisson_gaps_vary_as_an_exponential_does() -> None:
    """Mean and standard deviation of an exponential are equal; 20,000 gaps show it within 3 %."""
    gaps = np.diff(of_journey(schedule([2_000.0], duration_s=10, shape="poisson", seed=3), 0))
    assert np.mean(gaps) == pytest.approx(500_000, rel=0.03)
    assert np.std(gaps) == pytest.approx(np.mean(gaps), rel=0.03)


def test_a_journey_does_not_change_the_arrivals_of_the_others() -> None:
    alone = schedule([20.0], duration_s=5, shape="poisson", seed=9)
    beside = schedule([20.0, 7.0], duration_s=5, shape="poisson", seed=9)
    assert of_journey(beside, 0) == alone.due_ns

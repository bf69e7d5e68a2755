"""Arrivals are the ones the plan says, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from shipworthy.gauntlet.load.arrivals import Kind, Schedule, Shape, schedule


def of_journey(found: Schedule, journey: int) -> list[int]:
    return [due for due, place in zip(found.due_ns, found.journey, strict=True) if place == journey]


@pytest.mark.parametrize("kind", ["poisson", "fixed", "ramp", "spike"])
def test_the_same_seed_gives_the_same_arrivals_and_another_seed_others(kind: Kind) -> None:
    first = schedule([5.0, 50.0], duration_s=10, shape=Shape(kind=kind), seed=1)
    assert first == schedule([5.0, 50.0], duration_s=10, shape=Shape(kind=kind), seed=1)
    assert first != schedule([5.0, 50.0], duration_s=10, shape=Shape(kind=kind), seed=2)


@pytest.mark.parametrize("kind", ["poisson", "fixed", "ramp", "spike"])
def test_arrivals_of_all_journeys_come_in_order_within_the_duration(kind: Kind) -> None:
    found = schedule([5.0, 50.0], duration_s=10, shape=Shape(kind=kind), seed=1)
    assert found.due_ns == sorted(found.due_ns)
    assert 0 <= found.due_ns[0] <= found.due_ns[-1] < 10_000_000_000
    assert set(found.journey) == {0, 1}


def test_fixed_arrivals_are_evenly_spaced_and_exactly_as_many_as_the_rate_says() -> None:
    found = of_journey(schedule([50.0], duration_s=10, shape=Shape(kind="fixed"), seed=3), 0)
    assert len(found) == 500
    assert np.ptp(np.diff(found)) <= 1  # whole nanoseconds


def test_poisson_gaps_vary_as_an_exponential_does() -> None:
    """Mean and standard deviation of an exponential are equal; 20,000 gaps show it within 3 %."""
    gaps = np.diff(of_journey(schedule([2_000.0], duration_s=10, shape=Shape(), seed=3), 0))
    assert np.mean(gaps) == pytest.approx(500_000, rel=0.03)
    assert np.std(gaps) == pytest.approx(np.mean(gaps), rel=0.03)


def test_a_journey_does_not_change_the_arrivals_of_the_others() -> None:
    alone = schedule([20.0], duration_s=5, shape=Shape(), seed=9)
    beside = schedule([20.0, 7.0], duration_s=5, shape=Shape(), seed=9)
    assert of_journey(beside, 0) == alone.due_ns


def per_tenth(found: Schedule) -> list[int]:
    """Count the arrivals of each tenth of ten seconds."""
    return np.histogram(found.due_ns, bins=10, range=(0, 10_000_000_000))[0].tolist()


def test_a_ramp_grows_evenly_and_a_spike_is_all_in_the_middle_third() -> None:
    ramp = per_tenth(schedule([2_000.0], duration_s=10, shape=Shape(kind="ramp", low_share=0.2), seed=3))
    assert [n / 2_000 for n in ramp] == pytest.approx([0.24 + 0.08 * i for i in range(10)], abs=0.06)
    spike = schedule([2_000.0], duration_s=9, shape=Shape(kind="spike", low_share=0.1), seed=5)
    thirds = np.histogram(spike.due_ns, bins=3, range=(0, 9_000_000_000))[0]
    assert thirds.tolist() == pytest.approx([600, 6_000, 600], rel=0.1)


@pytest.mark.parametrize("kind", ["poisson", "spike"])
def test_the_shards_of_a_schedule_are_the_whole_and_know_their_numbers(kind: Kind) -> None:
    whole = schedule([30.0, 20.0], duration_s=5, shape=Shape(kind=kind), seed=4)
    shards = [whole.shard(place, 3) for place in range(3)]
    numbered = {
        shard.first + n * shard.step: (due, journey)
        for shard in shards
        for n, (due, journey) in enumerate(zip(shard.due_ns, shard.journey, strict=True))
    }
    assert [numbered[n] for n in range(len(whole.due_ns))] == list(
        zip(whole.due_ns, whole.journey, strict=True)
    )


def test_a_delayed_schedule_has_the_same_arrivals_a_little_later() -> None:
    whole = schedule([30.0], duration_s=5, shape=Shape(), seed=4)
    later = whole.delayed([7] * len(whole.due_ns))
    assert later.due_ns == [due + 7 for due in whole.due_ns]
    assert later.journey == whole.journey

"""The histogram keeps its promise of one per cent, merges exactly, and counts exceedances exactly."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.judge.histogram import LogHistogram, bucket_of, exact_quantile, lower_edge_us, merged

# From nothing to a day: beyond it no request lives.
DURATIONS_US = st.integers(min_value=0, max_value=86_400_000_000)


def histogram_of(values_us: list[int], *, threshold_us: int | None = None) -> LogHistogram:
    histogram = LogHistogram(threshold_us=threshold_us)
    for value_us in values_us:
        histogram.record(value_us)
    return histogram


@given(DURATIONS_US)
def test_a_value_lies_in_its_bucket_and_the_bucket_is_narrower_than_one_percent(value_us: int) -> None:
    bucket = bucket_of(value_us)
    low, high = lower_edge_us(bucket), lower_edge_us(bucket + 1)
    assert low <= value_us < high
    assert high - low <= max(1, low / 100)


@given(st.lists(DURATIONS_US, min_size=1), st.floats(min_value=0.001, max_value=1.0))
def test_a_quantile_is_within_half_a_percent_of_the_exact_one(values_us: list[int], q: float) -> None:
    exact_us = sorted(values_us)[math.ceil(q * len(values_us)) - 1]
    assert histogram_of(values_us).quantile(q) == pytest.approx(exact_us, rel=0.005, abs=0.5)


@given(st.lists(DURATIONS_US), st.integers(min_value=0, max_value=10**9))
def test_exceedances_are_counted_exactly_and_not_from_buckets(
    values_us: list[int], threshold_us: int
) -> None:
    histogram = histogram_of(values_us, threshold_us=threshold_us)
    assert histogram.exceedances == sum(value_us > threshold_us for value_us in values_us)


def test_a_threshold_inside_a_bucket_splits_it() -> None:
    histogram = histogram_of([200_000, 200_001], threshold_us=200_000)
    assert bucket_of(200_000) == bucket_of(200_001)
    assert histogram.exceedances == 1


def test_a_failed_request_exceeds_however_fast_it_failed() -> None:
    histogram = LogHistogram(threshold_us=1000)
    histogram.record(3, failed=True)
    histogram.record(3)
    assert histogram.exceedances == 1


@given(st.lists(DURATIONS_US), st.lists(DURATIONS_US))
def test_merging_two_histograms_is_recording_into_one(first: list[int], second: list[int]) -> None:
    together = merged(
        [histogram_of(first, threshold_us=500), histogram_of(second, threshold_us=500)], threshold_us=500
    )
    assert together.to_json() == histogram_of(first + second, threshold_us=500).to_json()


def test_histograms_with_different_thresholds_are_refused() -> None:
    with pytest.raises(ValueError, match="100 and 200 us"):
        LogHistogram(threshold_us=100).merge(LogHistogram(threshold_us=200))


@given(st.lists(DURATIONS_US))
def test_json_brings_back_every_count(values_us: list[int]) -> None:
    histogram = histogram_of(values_us, threshold_us=77)
    back = LogHistogram.from_json(json.loads(json.dumps(histogram.to_json())))
    assert back.to_json() == histogram.to_json()
    assert back.count == len(values_us)


def test_json_in_another_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="microseconds"):
        LogHistogram.from_json({**LogHistogram().to_json(), "unit": "ms"})


@given(st.lists(DURATIONS_US, min_size=1), st.floats(min_value=0.01, max_value=0.99))
def test_counting_above_an_edge_is_exact(values_us: list[int], q: float) -> None:
    histogram = histogram_of(values_us)
    edge_us = histogram.edge_above(q)
    assert histogram.count_above(edge_us) == sum(value_us > edge_us for value_us in values_us)
    assert histogram.count_above(edge_us) <= len(values_us) - math.ceil(q * len(values_us))


@given(st.lists(DURATIONS_US, min_size=1, max_size=400))
def test_the_cumulative_curve_rises_to_one_in_few_points(values_us: list[int]) -> None:
    points = histogram_of(values_us).cumulative_points(points_max=50)
    assert len(points) <= 50
    assert points == sorted(points)
    assert points[-1] == (pytest.approx(max(values_us), rel=0.005, abs=0.5), 1.0)


@given(st.lists(DURATIONS_US, min_size=1), st.floats(min_value=0.001, max_value=1.0))
def test_the_exact_quantile_lies_in_the_bucket_that_the_histograms_quantile_names(
    values_us: list[int], q: float
) -> None:
    exact_us = exact_quantile(sorted(values_us), q)
    assert exact_us in values_us
    assert bucket_of(exact_us) == bucket_of(math.ceil(histogram_of(values_us).quantile(q)))
    assert exact_quantile([], q) == 0


def test_an_empty_histogram_has_no_quantile_and_no_curve() -> None:
    assert LogHistogram().quantile(0.95) == 0.0
    assert LogHistogram().cumulative_points() == []

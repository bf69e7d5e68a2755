"""The 75th percentile of counted spans, and its verdict by the published bounds."""

from __future__ import annotations

import random

import pytest

from shipworthy.rooms.site.visits.vitals import ENOUGH, GOOD, POOR, SPANS, p75, span_of


@pytest.mark.parametrize("kind", ["lcp", "inp", "cls"])
def test_the_bounds_of_every_vital_end_a_span(kind: str) -> None:
    assert {GOOD[kind], POOR[kind]} <= set(SPANS[kind])
    assert list(SPANS[kind]) == sorted(set(SPANS[kind]))
    for value in (0, 1, GOOD[kind], GOOD[kind] + 1, 10**9):
        end = span_of(kind, value)
        assert end in SPANS[kind]
        assert (value <= end) or end == SPANS[kind][-1]


def test_the_percentile_is_the_end_of_the_span_the_true_one_lies_in() -> None:
    rng = random.Random(1)
    for _ in range(50):
        values = sorted(rng.randrange(1, 9_000) for _ in range(rng.randrange(ENOUGH, 200)))
        counts: dict[int, int] = {}
        for value in values:
            counts[span_of("lcp", value)] = counts.get(span_of("lcp", value), 0) + 1
        found = p75("lcp", counts)
        assert found is not None
        assert found.p75 == span_of("lcp", values[-(-3 * len(values) // 4) - 1])
        assert found.samples == len(values)


def test_too_few_visits_say_nothing() -> None:
    assert p75("inp", {}) is None
    assert p75("inp", {200: ENOUGH - 1}) is None
    assert p75("inp", {200: ENOUGH}) is not None


def test_the_verdict_follows_the_bounds() -> None:
    def verdict(kind: str, value: int) -> str:
        found = p75(kind, {value: ENOUGH})
        assert found
        return found.verdict

    assert [verdict("lcp", v) for v in (2_500, 3_000, 4_000, 6_000)] == [
        "good",
        "needs work",
        "needs work",
        "poor",
    ]
    assert [verdict("cls", v) for v in (100, 150, 500)] == ["good", "needs work", "poor"]

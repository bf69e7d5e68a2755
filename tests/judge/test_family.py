"""Holm's rule keeps the family's error and rejects what Bonferroni does, and more."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.judge.family import adjusted_p_values, rejected

FAMILIES = st.dictionaries(st.text(max_size=5), st.floats(min_value=0, max_value=1), max_size=20)


def test_the_step_down_of_a_worked_example() -> None:
    """m = 4: 0.005 * 4 = 0.02, 0.01 * 3 = 0.03, 0.03 * 2 = 0.06 and the fourth no less."""
    p_values = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}
    assert adjusted_p_values(p_values) == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06})
    assert rejected(p_values) == ("d", "a")
    assert rejected(p_values, alpha=0.01) == ()


def test_an_empty_family_rejects_nothing_and_one_check_is_itself() -> None:
    assert rejected({}) == ()
    assert rejected({"p95": 0.05}) == ("p95",)
    assert rejected({"p95": 0.051}) == ()


@given(FAMILIES, st.floats(min_value=0.001, max_value=0.5))
def test_it_rejects_all_that_bonferroni_rejects_and_nothing_above_alpha(
    p_values: dict[str, float], alpha: float
) -> None:
    ours = set(rejected(p_values, alpha=alpha))
    assert {name for name, p in p_values.items() if p * len(p_values) <= alpha} <= ours
    assert all(p_values[name] <= alpha for name in ours)


@given(FAMILIES)
def test_adjusted_values_keep_the_order_and_never_fall(p_values: dict[str, float]) -> None:
    adjusted = adjusted_p_values(p_values)
    assert list(adjusted.values()) == sorted(adjusted.values())
    assert all(p_values[name] <= p <= 1.0 for name, p in adjusted.items())


@pytest.mark.parametrize("bad", [math.nan, -0.1, 1.1])
def test_what_is_no_p_value_is_refused_by_name(bad: float) -> None:
    with pytest.raises(ValueError, match="'p95'"):
        rejected({"p95": bad, "errors": 0.5})
    with pytest.raises(ValueError, match="alpha"):
        rejected({"p95": 0.5}, alpha=0.0)

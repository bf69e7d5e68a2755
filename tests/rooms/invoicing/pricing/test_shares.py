"""Shares add up to their total, and nobody's is a whole unit off."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.rooms.invoicing.pricing.shares import apportion
from tests.rooms.invoicing.test_tax import nearest


@settings(deadline=None)
@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=30), st.integers(1, 20_000))
def test_shares_add_up_and_none_strays_by_a_whole_unit(numerators: list[int], denominator: int) -> None:
    total_minor = nearest(Fraction(sum(numerators), denominator))
    shares = apportion(numerators, denominator=denominator, total_minor=total_minor)
    assert sum(shares) == total_minor
    for numerator, share in zip(numerators, shares, strict=True):
        assert abs(share - Fraction(numerator, denominator)) < 1
    negated = apportion([-n for n in numerators], denominator=denominator, total_minor=-total_minor)
    assert negated == [-share for share in shares]


def test_the_odd_unit_goes_to_the_largest_rest_and_among_equals_to_the_first() -> None:
    assert apportion([100, 100, 100], denominator=3, total_minor=100) == [34, 33, 33]
    assert apportion([10, 19, 11], denominator=10, total_minor=4) == [1, 2, 1]
    assert apportion([1, 1], denominator=2, total_minor=0) == [0, 0]

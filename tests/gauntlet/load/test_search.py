"""Searching the largest rate: it is found, within bounds, in few tries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.gauntlet.load.search import RESOLUTION, Found, Try, largest_rate


async def searched(limit: float, *, guess: float, low: float = 1.0, high: float = 1000.0, tries: int = 20) -> Found:  # fmt: skip
    async def offer(rate_per_s: float) -> Try:
        assert low <= rate_per_s <= high
        return Try(rate_per_s=rate_per_s, is_held=rate_per_s <= limit)

    return await largest_rate(offer, guess_per_s=guess, low_per_s=low, high_per_s=high, tries_max=tries)


@given(st.floats(1.0, 999.0), st.floats(0.1, 5000.0))
async def test_the_limit_is_found_wherever_one_begins(limit: float, guess: float) -> None:
    found = await searched(limit, guess=guess)
    assert found.is_bounded
    assert found.rate_per_s <= limit < found.rate_per_s * RESOLUTION
    assert len(found.tries) <= 16


async def test_a_good_guess_takes_few_tries() -> None:
    found = await searched(60.0, guess=55.0, tries=5)
    assert 60 / RESOLUTION**2 <= found.rate_per_s <= 60


async def test_what_never_breaks_is_said_to_be_unbounded_and_what_never_holds_is_zero() -> None:
    high = await searched(5_000.0, guess=300.0)
    assert (high.rate_per_s, high.is_bounded) == (1000.0, False)
    low = await searched(0.5, guess=8.0)
    assert (low.rate_per_s, low.is_bounded) == (0.0, True)
    assert [one.rate_per_s for one in low.tries] == [8.0, 4.0, 2.0, 1.0]


async def test_bounds_that_enclose_nothing_are_refused() -> None:
    for low, high in ((0.0, 10.0), (5.0, 4.0)):
        with pytest.raises(ValueError, match="enclose no rate"):
            await searched(1.0, guess=1.0, low=low, high=high)

"""Forecasts: a day before at least, with growth and with the rhythm of a week; nothing from too little.

Covers: forecast, chart.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.quotas.budget import Standing
from shipworthy.kernel.quotas.chart import HEIGHT, WIDTH, chart_of
from shipworthy.kernel.quotas.forecast import changes, forecast
from shipworthy.kernel.quotas.meters import MAILS, STORAGE_BYTES, Given, renews_at
from shipworthy.kernel.quotas.notices import LEAD
from shipworthy.kernel.quotas.overview import Budget

FIRST = date(2026, 10, 5)  # a Monday
END = datetime(2026, 12, 1, tzinfo=UTC)
WORKDAYS = (1.3, 1.3, 1.3, 1.3, 1.3, 0.2, 0.3)


def _days(
    count: int, *, daily: float, growth: float = 0.0, rhythm: tuple[float, ...] = (1.0,) * 7
) -> dict[date, int]:
    return {FIRST + timedelta(days=n): round((daily + growth * n) * rhythm[n % 7]) for n in range(count)}


@pytest.mark.parametrize("rhythm", [(1.0,) * 7, WORKDAYS])
@pytest.mark.parametrize("growth", [0.0, 2.0, -0.5])
def test_it_is_told_a_day_before_and_not_weeks_before(growth: float, rhythm: tuple[float, ...]) -> None:
    """Hour by hour through November: the first forecast within the lead comes at least a day before the overage."""
    days = _days(57, daily=100, growth=growth, rhythm=rhythm)
    start, most = date(2026, 11, 1), 2_000
    told_at = reached_at = None
    used = 0.0
    at = datetime(2026, 11, 1, tzinfo=UTC)
    while reached_at is None:
        past = {day: amount for day, amount in days.items() if day < at.date()}
        found = forecast(past, used=round(used), most=most, now=at, ends_at=END)
        assert found is not None
        if told_at is None and found.reaches_at is not None and found.reaches_at <= at + LEAD:
            told_at = at
        used += days[at.date()] / 24
        at += timedelta(hours=1)
        if used >= most:
            reached_at = at
    assert start < reached_at.date() and told_at is not None
    assert timedelta(days=1) <= reached_at - told_at <= 2 * LEAD


def test_too_few_days_say_nothing_and_what_lasts_is_not_told() -> None:
    now = datetime(2026, 10, 6, 12, tzinfo=UTC)
    assert forecast({}, used=0, most=10, now=now, ends_at=END) is None
    assert forecast(_days(1, daily=5), used=5, most=10, now=now, ends_at=END) is None
    quiet = forecast(_days(10, daily=1), used=3, most=1_000, now=now + timedelta(days=10), ends_at=END)
    assert quiet is not None and quiet.reaches_at is None and quiet.at_end < 1_000
    endless = forecast(_days(10, daily=1), used=3, most=None, now=now + timedelta(days=10), ends_at=END)
    assert endless is not None and endless.reaches_at is None


def test_a_level_that_grows_reaches_its_limit_and_one_that_falls_does_not() -> None:
    days = {FIRST + timedelta(days=n): 1_000 + 100 * n for n in range(10)}
    now = datetime(2026, 10, 15, tzinfo=UTC)
    grows = forecast(changes(days) | {FIRST: 100}, used=1_900, most=2_500, now=now, ends_at=None)
    assert grows is not None and grows.reaches_at is not None
    assert abs(grows.reaches_at - datetime(2026, 10, 21, tzinfo=UTC)) < timedelta(hours=2)
    falls = {FIRST + timedelta(days=n): 2_000 - 100 * n for n in range(10)}
    shrinks = forecast(changes(falls) | {FIRST: -100}, used=1_100, most=2_500, now=now, ends_at=None)
    assert shrinks is not None and shrinks.reaches_at is None and shrinks.at_end == 0


@given(
    st.dictionaries(st.integers(0, 60), st.integers(0, 10**12), max_size=40),
    st.integers(0, 10**12),
    st.one_of(st.none(), st.integers(0, 10**12)),
    st.booleans(),
)
def test_whatever_was_used_there_is_a_picture_within_its_frame(
    raw: dict[int, int], used: int, most: int | None, is_monthly: bool
) -> None:
    now = datetime(2026, 11, 18, 7, tzinfo=UTC)
    days = {date(2026, 9, 25) + timedelta(days=n): amount for n, amount in raw.items()}
    meter = MAILS if is_monthly else STORAGE_BYTES
    ends_at = renews_at(meter, now)
    expected = forecast(days if is_monthly else changes(days), used=used, most=most, now=now, ends_at=ends_at)
    standing = Standing(
        meter=meter,
        period=date(2026, 11, 1) if is_monthly else date(1970, 1, 1),
        used=used,
        reserved=0,
        given=Given(most=most, soft_percent=90, grace_percent=0),
        renews_at=ends_at,
    )
    chart = chart_of(Budget(standing=standing, days=days, forecast=expected, waiting=0), now=now)
    for path in (chart.line, chart.expected):
        for point in path.replace("M", "").split("L"):
            if point.strip():
                x, y = map(float, point.split())
                assert 0 <= x <= WIDTH and -0.1 <= y <= HEIGHT + 0.1
    for y in (chart.limit_y, chart.soft_y):
        assert y is None or 0 <= y <= HEIGHT

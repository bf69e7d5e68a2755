"""The business day: the tenant's own calendar, in every zone and at every turn of the clock."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.rooms.invoicing.dates import due_on, today_in

ZONES = sorted(zoneinfo.available_timezones() - {"localtime"})


def test_late_in_the_evening_it_is_tomorrow_in_berlin_and_still_today_in_new_york() -> None:
    now = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    assert today_in("Europe/Berlin", now=now) == date(2026, 4, 1)
    assert today_in("America/New_York", now=now) == date(2026, 3, 31)
    assert today_in("Pacific/Kiritimati", now=now) == date(2026, 4, 1)


@given(
    zone=st.sampled_from(ZONES),
    now=st.datetimes(
        min_value=datetime(2000, 1, 1), max_value=datetime(2099, 12, 31), timezones=st.just(UTC)
    ),
)
def test_a_day_is_never_skipped_backwards_whatever_the_zone(zone: str, now: datetime) -> None:
    """Dates of later moments are not earlier, through every change of the clock: numbers and dates agree."""
    days = [today_in(zone, now=now + timedelta(minutes=20 * step)) for step in range(80)]
    assert days == sorted(days)


def test_the_due_day_counts_calendar_days_over_month_and_leap_day() -> None:
    assert due_on(date(2028, 2, 15), payment_days=14) == date(2028, 2, 29)
    assert due_on(date(2026, 12, 31), payment_days=1) == date(2027, 1, 1)
    assert due_on(date(2026, 5, 5), payment_days=0) == date(2026, 5, 5)

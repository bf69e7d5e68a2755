"""Times of a wall clock: there and back, and the nights on which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.site.schedule.local_time import from_wall_clock, on_wall_clock, said

BERLIN = "Europe/Berlin"
ZONES = [BERLIN, "UTC", "America/St_Johns", "Pacific/Chatham", "Australia/Lord_Howe"]


def moment(text: str, zone: str = BERLIN) -> datetime | None:
    return from_wall_clock(text, time_zone=zone, field="publish_at")


def test_a_time_is_the_tenant_s_own_in_summer_and_winter() -> None:
    assert moment("2026-07-01T09:00") == datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert moment("2026-12-01T09:00") == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert moment(" ") is None
    assert said(datetime(2026, 12, 24, 17, tzinfo=UTC), time_zone=BERLIN) == "24 Dec 2026, 18:00"


@pytest.mark.parametrize("text", ["2026-03-29T02:30", "tomorrow", "2026-13-01T00:00", "2026-02-30T10:00"])
def test_an_hour_that_does_not_come_and_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        moment(text)
    assert list(refused.value.fields) == ["publish_at"]


def test_an_hour_that_comes_twice_is_its_first() -> None:
    assert moment("2026-10-25T02:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.sampled_from(ZONES))
def test_what_a_form_shows_is_what_it_was_given(wall: datetime, zone: str) -> None:
    text = wall.strftime("%Y-%m-%dT%H:%M")
    try:
        there = moment(text, zone)
    except Invalid:
        return  # clocks leave it out
    assert on_wall_clock(there, time_zone=zone) == text

"""A rotation has no gap, two tiers, nobody twice at once and nobody for more than a week; its calendar is RFC 5545."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.runbook.rota import Shift, as_calendar, rotation, uncovered

MONDAY = datetime(2026, 1, 5, 8, tzinfo=UTC)
YEAR = MONDAY + timedelta(weeks=52)


@given(
    people=st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=6, unique=True),
    days=st.integers(min_value=1, max_value=7),
)
def test_a_made_rotation_covers_every_moment(people: list[str], days: int) -> None:
    shifts = rotation(people, begins=MONDAY, shift_days=days, weeks=8)
    assert uncovered(shifts, begins=MONDAY, ends=MONDAY + timedelta(weeks=8)) == []


@given(hole=st.integers(min_value=0, max_value=103), days=st.integers(min_value=1, max_value=3))
def test_whatever_is_taken_out_of_it_is_found(hole: int, days: int) -> None:
    shifts = rotation(["Ada", "Grace", "Linus"], begins=MONDAY, shift_days=7, weeks=52)
    shorter = [
        *shifts[:hole],
        replace(shifts[hole], ends=shifts[hole].ends - timedelta(days=days)),
        *shifts[hole + 1 :],
    ]
    [gap] = uncovered(shorter, begins=MONDAY, ends=YEAR)
    assert gap.startswith(f"nobody is {shifts[hole].tier} from")
    assert uncovered([s for s in shifts if s.tier == "primary"], begins=MONDAY, ends=YEAR)


def test_one_person_cannot_be_both_nor_two_take_weeks_on_end() -> None:
    alone = rotation(["Ada"], begins=MONDAY, shift_days=7, weeks=4)
    found = uncovered(alone, begins=MONDAY, ends=MONDAY + timedelta(weeks=4))
    assert "Ada is primary and secondary at once from 2026-01-05" in found
    assert "Ada is primary for more than 7 days from 2026-01-05" in found
    fortnight = [replace(s, ends=s.begins + timedelta(days=14)) for s in rotation(["Ada", "Grace"], begins=MONDAY, shift_days=14, weeks=4)]  # fmt: skip
    assert "Ada is primary for more than 7 days from 2026-01-05" in uncovered(fortnight, begins=MONDAY, ends=MONDAY + timedelta(weeks=4))  # fmt: skip


def test_the_calendar_is_what_rfc_5545_asks_for() -> None:
    name = "Zoë; Ägypten, Überlänge " * 5
    shift = Shift(tier="primary", person=name, begins=MONDAY, ends=MONDAY + timedelta(days=7))
    text = as_calendar("Studio, GmbH", [shift], made=MONDAY)
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
    assert text.endswith("END:VCALENDAR\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    unfolded = text.replace("\r\n ", "")
    assert f"SUMMARY:{name.replace(';', chr(92) + ';').replace(',', chr(92) + ',')} (primary)" in unfolded
    assert "X-WR-CALNAME:Studio\\, GmbH: on call" in unfolded
    assert "DTSTART:20260105T080000Z\r\nDTEND:20260112T080000Z" in unfolded
    assert as_calendar("Studio, GmbH", [shift], made=MONDAY) == text

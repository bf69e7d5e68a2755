"""Who is on call: a rotation made of a list of people, as iCalendar, and a linter of its coverage.

Source:  RFC 5545 (iCalendar): lines end with CRLF and are folded at 75 octets, TEXT is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SHIFT_DAYS_MAX = 7
TIERS = ("primary", "secondary")


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One person's time on one tier. Moments are UTC."""

    tier: str
    person: str
    begins: datetime
    ends: datetime


def rotation(people: Sequence[str], *, begins: datetime, shift_days: int, weeks: int) -> list[Shift]:
    """Return the shifts of both tiers: everybody in turn, and behind each the one who comes next.

    Whoever is second knows what happened when their own shift begins. With one person both tiers are theirs, which
    `uncovered` refuses.
    """
    shifts = []
    for number in range(-(-weeks * 7 // shift_days)):
        at = begins + timedelta(days=number * shift_days)
        for place, tier in enumerate(TIERS):
            person = people[(number + place) % len(people)]
            shifts.append(Shift(tier=tier, person=person, begins=at, ends=at + timedelta(days=shift_days)))
    return shifts


def uncovered(shifts: Sequence[Shift], *, begins: datetime, ends: datetime) -> list[str]:
    """Return what is wrong with a rotation between two moments: gaps, a missing tier, weeks without rest.

    Nobody may hold both tiers at once, nor one tier for longer than a week.
    """
    found = []
    for tier in TIERS:
        own = sorted((s for s in shifts if s.tier == tier), key=lambda s: s.begins)
        found += _gaps(tier, own, begins, ends)
        found += _too_long(tier, own)
    for first in shifts:
        for second in shifts:
            is_double = first.tier == TIERS[0] and second.tier == TIERS[1] and first.person == second.person
            if is_double and first.begins < second.ends and second.begins < first.ends:
                found.append(
                    f"{first.person} is {TIERS[0]} and {TIERS[1]} at once from {max(first.begins, second.begins):%Y-%m-%d}"
                )
    return list(dict.fromkeys(found))


def _gaps(tier: str, own: Sequence[Shift], begins: datetime, ends: datetime) -> list[str]:
    found, covered = [], begins
    for shift in own:
        if shift.begins > covered and covered < ends:
            found.append(
                f"nobody is {tier} from {covered:%Y-%m-%d %H:%M} to {min(shift.begins, ends):%Y-%m-%d %H:%M}"
            )
        covered = max(covered, shift.ends)
    if covered < ends:
        found.append(f"nobody is {tier} from {covered:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M}")
    return found


def _too_long(tier: str, own: Sequence[Shift]) -> list[str]:
    found: list[str] = []
    person, since, until = "", datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
    for shift in own:
        if shift.person != person or shift.begins > until:
            person, since = shift.person, shift.begins
        until = max(until, shift.ends)
        if until - since > timedelta(days=SHIFT_DAYS_MAX):
            found.append(f"{person} is {tier} for more than {SHIFT_DAYS_MAX} days from {since:%Y-%m-%d}")
    return found


def as_calendar(app: str, shifts: Sequence[Shift], *, made: datetime) -> str:
    """Return the rotation as an iCalendar file that any calendar subscribes to."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Shipworthy//Runbook//EN", "CALSCALE:GREGORIAN",
             f"X-WR-CALNAME:{_text(f'{app}: on call')}"]  # fmt: skip
    for shift in shifts:
        uid = re.sub(r"[^a-z0-9]+", "-", f"{app}-{shift.tier}".lower()).strip("-")
        lines += [
            "BEGIN:VEVENT",
            f"UID:{uid}-{shift.begins:%Y%m%dT%H%M%SZ}@shipworthy",
            f"DTSTAMP:{made:%Y%m%dT%H%M%SZ}",
            f"DTSTART:{shift.begins:%Y%m%dT%H%M%SZ}",
            f"DTEND:{shift.ends:%Y%m%dT%H%M%SZ}",
            f"SUMMARY:{_text(f'{shift.person} ({shift.tier})')}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _text(value: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", value).replace("\n", "\\n")


def _folded(line: str) -> str:
    """RFC 5545, 3.1: at most 75 octets a line; a character is never cut."""
    parts: list[str] = []
    current = b""
    for character in line:
        encoded = character.encode()
        if len(current) + len(encoded) > (75 if not parts else 74):
            parts.append(current.decode())
            current = b""
        current += encoded
    return "\r\n ".join([*parts, current.decode()])

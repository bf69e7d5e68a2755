"""Months, quarters and years of a business, and what of a day's books is over."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS_SHOWN = 12
PERIODS = ("month", "quarter", "year")
_MONTHS_OF = {"month": 1, "quarter": 3, "year": 12}


def months_until(today: date) -> list[date]:
    """Return the first days of the last twelve months, this one last."""
    return [_month_before(today, back) for back in range(MONTHS_SHOWN - 1, -1, -1)]


def period_end(first: date, *, per: str) -> date:
    """Return the last day of the period that begins on `first`."""
    months = first.year * 12 + first.month - 1 + _MONTHS_OF[per]
    return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)


def period_label(first: date, *, per: str) -> str:
    """Return `2026`, `2026 Q3` or `2026-11`."""
    if per == "year":
        return f"{first.year}"
    return f"{first.year} Q{(first.month + 2) // 3}" if per == "quarter" else f"{first:%Y-%m}"


def day_after(day: date, *, time_zone: str) -> datetime:
    """Return the moment a day is over where the business is."""
    following = day + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(time_zone))


def _month_before(today: date, back: int) -> date:
    months = today.year * 12 + today.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)

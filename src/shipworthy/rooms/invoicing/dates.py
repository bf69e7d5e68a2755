"""Which day it is for a business: the date in its own time zone, not the server's."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def today_in(time_zone: str, *, now: datetime) -> date:
    """Return the date of a moment in an IANA time zone: at 23:30 UTC it is tomorrow in Berlin already."""
    return now.astimezone(ZoneInfo(time_zone)).date()


def due_on(issue_date: date, *, payment_days: int) -> date:
    """Return the last day to pay an invoice of this date."""
    return issue_date + timedelta(days=payment_days)

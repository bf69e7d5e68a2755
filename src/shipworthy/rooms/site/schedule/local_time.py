"""Times as people read them off the clock on their wall. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _, day_text

_FORM = "%Y-%m-%dT%H:%M"  # what a browser's field for date and time sends


def from_wall_clock(text: str, *, time_zone: str, field: str) -> datetime | None:
    """Return the moment a clock in this zone shows `text`, or None for an empty field.

    An hour that comes twice, when clocks go back, is its first.
    Errors:  Invalid `site.plan_invalid` for what is no time, or for an hour that clocks leave out.
    """
    if not text.strip():
        return None
    try:
        wall = datetime.strptime(text.strip()[:16], _FORM)  # noqa: DTZ007 - a wall clock knows no zone
    except ValueError:
        raise _invalid(field, _("Write a day and a time, such as 2026-12-24 18:00.")) from None
    moment = wall.replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
    if moment.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None) != wall:
        raise _invalid(
            field, _("Clocks are put forward that night and leave this time out. Choose another one.")
        )
    return moment


def on_wall_clock(moment: datetime | None, *, time_zone: str) -> str:
    """Return a moment as a form's field holds it."""
    return moment.astimezone(ZoneInfo(time_zone)).strftime(_FORM) if moment else ""


def said(moment: datetime, *, time_zone: str) -> str:
    """Return a moment as people say it, to the minute: 24 Dec 2026, 18:00."""
    local = moment.astimezone(ZoneInfo(time_zone))
    return f"{day_text(local.date())}, {local:%H:%M}"


def _invalid(field: str, why: str) -> Invalid:
    return Invalid(
        "site.plan_invalid", _("Some times need another value: {fields}.", fields=field), fields={field: why}
    )

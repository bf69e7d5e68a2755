"""How pages look on the screens: statuses, moments, and a page as search results may show it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _, day_text, mark
from shipworthy.rooms.site.addresses import path_for_title, wanted_path
from shipworthy.rooms.site.head import DESCRIPTION_CHARS, title_of

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CRUMB = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
_NO_TITLE = mark("Title of the page")
_NO_DESCRIPTION = mark("Without a description, search engines show the first words of the page.")

Row = Mapping[str, Any]


def status_of(page: Row) -> dict[str, str]:
    """Return the badge of a page: a draft, published, or published with changes nobody sees yet."""
    if page["status"] == "published" and page["version"] != page["published_version"]:
        return {"status": "changed", "label": _("Unpublished changes")}
    return {"status": page["status"], "label": ""}


def moment(when: datetime, *, now: datetime, time_zone: str) -> str:
    """Return a moment as people say it: today, 14:05; yesterday, 09:12; 3 Nov 2026."""
    zone = ZoneInfo(time_zone)
    local, today = when.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return _("Today, {time}", time=f"{local:%H:%M}")
    if local.date() == today - timedelta(days=1):
        return _("Yesterday, {time}", time=f"{local:%H:%M}")
    return day_text(local.date())


def snippet(title: str, path: str, description: str, site: Row | None) -> dict[str, str]:
    """Return a page as a list of search results may show it, from what is typed so far."""
    name = site["site_title"] if site else ""
    text = " ".join(description.split())
    short = text if len(text) <= DESCRIPTION_CHARS else text[:DESCRIPTION_CHARS].rpartition(" ")[0] + " …"
    return {
        "address": _CRUMB.join([(site and site["host"]) or _("your site"), *_segments(title, path)]),
        "title": title_of(title.strip() or _(_NO_TITLE), name) if name else title.strip() or _(_NO_TITLE),
        "description": short or _(_NO_DESCRIPTION),
    }


def _segments(title: str, path: str) -> list[str]:
    try:
        shown = wanted_path(path) if path.strip() else path_for_title(title)
    except Invalid:
        shown = path
    return [segment for segment in shown.split("/") if segment]

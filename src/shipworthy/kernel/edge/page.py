"""The operator's page of the edge: what was turned away, and why one request was."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from shipworthy.kernel.edge.reading import Told, about, newest
from shipworthy.kernel.errors import Missing
from shipworthy.kernel.http.reply import Page
from shipworthy.kernel.language import _
from shipworthy.kernel.telemetry.reading import ID_CHARS_MIN

_LISTED_MAX = 100


async def edge_page(file: Path | None, request_id: str) -> Page:
    """Return the list, or everything about one request. Errors: Missing."""
    if file is None:
        raise Missing("event")
    if not request_id:
        found = await asyncio.to_thread(newest, file, most=_LISTED_MAX)
        return Page(
            "kernel/edge_events.html", {"events": [_shown(one) for one in found]}, title=_("Turned away")
        )
    found = await asyncio.to_thread(about, file, request_id) if len(request_id) >= ID_CHARS_MIN else []
    if not found:
        raise Missing("event")
    data = {"request_id": found[0].request_id, "events": [_shown(one) for one in found]}
    return Page("kernel/edge_event.html", data, title=_("Why this request was turned away"))


def _shown(told: Told) -> dict[str, Any]:
    return {
        "id": told.request_id,
        "at": told.at.strftime("%Y-%m-%d %H:%M:%S"),
        "is_refused": told.is_refused,
        "rule": told.rule,
        "says": told.says,
        "part": told.part,
        "request": told.request,
        "network": told.network,
        "excerpt": told.excerpt,
        "remedy": told.remedy,
    }

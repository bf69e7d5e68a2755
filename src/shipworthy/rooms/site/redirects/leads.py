"""Where an address leads that shows no page. Pure: the lane has read everything in one query."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipworthy.kernel.settings import Settings
from shipworthy.rooms.site.addresses import encoded
from shipworthy.rooms.site.render import origin

GONE = 410
STATUSES = (301, 302, 307, 308)


@dataclass(frozen=True, slots=True)
class Leads:
    """A way on, or (410) that what was here is gone for good."""

    redirect_id: uuid.UUID
    status: int
    to: str = ""


def leads_to(row: Mapping[str, Any], settings: Settings) -> Leads | None:
    """Return where a redirect leads; None where there is none, or the page it names is shown to nobody."""
    if row["redirect_id"] is None:
        return None
    if row["redirect_status"] == GONE or row["target_status"] == "deleted":
        return Leads(row["redirect_id"], GONE)
    if row["to_url"] is not None:
        return Leads(row["redirect_id"], row["redirect_status"], row["to_url"])
    if row["target_status"] != "published" or row["target_host"] is None:
        return None
    address = origin(settings, row["target_host"]) + encoded(row["target_path"])
    return Leads(row["redirect_id"], row["redirect_status"], address)


def with_query(address: bytes, query: bytes) -> bytes:
    """Return an address with a query taken along: links carry trackers."""
    before, mark, fragment = address.partition(b"#")
    return before + (b"&" if b"?" in before else b"?") + query + mark + fragment

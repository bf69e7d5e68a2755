"""The list of pages, by keyset: it costs the same wherever one is, and nothing is skipped or shown twice.

A cursor names a page that was shown and the way to go from it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.cursors import closed, moment_of, opened

PAGES_PER_LIST = 25
_ONWARD, _BACK = "next", "previous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One part of the list. A cursor is None where there is nothing more that way."""

    rows: Sequence[Record]
    previous_cursor: str | None
    next_cursor: str | None


NOTHING = Slice(rows=(), previous_cursor=None, next_cursor=None)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a part begins: behind this page, or before it."""

    updated_at: datetime
    page_id: uuid.UUID
    is_back: bool = False
    is_start: bool = False


_START = _Place(datetime(9999, 1, 1, tzinfo=UTC), uuid.UUID(int=2**128 - 1), is_start=True)


async def list_pages(ctx: Ctx, site_id: uuid.UUID, *, cursor: str | None) -> Slice:
    """Return a part of a site's pages, the last edited first.

    Errors:  Invalid `site.cursor_invalid`.
    Cost:    one query.
    """
    place = opened(cursor, _place) if cursor else _START
    query = q.page_list_newer if place.is_back else q.page_list
    found = await ctx.db.all(query, site_id=site_id, updated_at=place.updated_at, page_id=place.page_id)
    # Asked for is one row more than shown: it says whether there is more that way.
    has_more, rows = len(found) > PAGES_PER_LIST, found[:PAGES_PER_LIST]
    if not rows:
        return NOTHING
    if place.is_back:
        rows = rows[::-1]
    has_previous, has_next = (has_more, True) if place.is_back else (not place.is_start, has_more)
    return Slice(
        rows=rows,
        previous_cursor=_cursor(_BACK, rows[0]) if has_previous else None,
        next_cursor=_cursor(_ONWARD, rows[-1]) if has_next else None,
    )


def _cursor(way: str, row: Record) -> str:
    return closed(f"{way}/{row['updated_at'].isoformat()}/{row['page_id']}")


def _place(text: str) -> _Place:
    way, moment, page_id = text.split("/")
    if way not in (_ONWARD, _BACK):
        raise ValueError(way)
    return _Place(moment_of(moment), uuid.UUID(page_id), is_back=way == _BACK)

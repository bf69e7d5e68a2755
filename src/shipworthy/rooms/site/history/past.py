"""Versions of a page: listed, read, and brought back as a new one. None of them ever changes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Missing
from shipworthy.rooms.site.blocks.stored import blocks_of
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.write import PageText, hold_page, save_text

VERSIONS_PER_LIST = 50
_NEWEST = 2**31 - 1


async def list_versions(ctx: Ctx, page_id: uuid.UUID, *, below: int | None = None) -> Sequence[Record]:
    """Return a part of a page's versions, the newest first; one more than shown says that there are more."""
    return await ctx.db.all(q.version_list, page_id=page_id, below=below or _NEWEST)


async def get_version(ctx: Ctx, page_id: uuid.UUID, number: str) -> Record:
    """Return a version by its number, as it stands in an address. Errors: Missing."""
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    found = await ctx.db.maybe(q.version_get, page_id=page_id, version=int(number)) if is_number else None
    if found is None:
        raise Missing("version")
    return found


async def version_before(ctx: Ctx, page_id: uuid.UUID, number: int) -> Record | None:
    """Return the version that stood before this one, or None for the first."""
    return await ctx.db.maybe(q.version_before, page_id=page_id, version=number)


async def restore_version(ctx: Ctx, page_id: uuid.UUID, number: str, *, seen: int | None) -> int:
    """Save what an earlier version said as the newest, and return its number. The page keeps its address.

    Errors:  Missing; Stale when somebody saved after version `seen`; those of `save_text`.
    """
    page = await hold_page(ctx, page_id)
    old = await get_version(ctx, page_id, number)
    text = PageText(
        title=old["title"], description=old["description"], blocks=blocks_of(old), in_menu=old["in_menu"]
    )
    return await save_text(
        ctx, page, text, seen=seen, action="page.restored", detail={"restored": old["version"]}
    )

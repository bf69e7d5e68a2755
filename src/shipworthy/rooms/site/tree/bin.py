"""The bin: a page that is deleted is gone for visitors (410) and can be brought back as it was."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record, UniqueViolation
from shipworthy.kernel.errors import Missing
from shipworthy.rooms.site.addresses import numbered_path
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import show_change
from shipworthy.rooms.site.tree.move import give_way, settle, taken
from shipworthy.rooms.site.versions import require_version
from shipworthy.rooms.site.write import hold_page

BIN_LIST_MAX = 100


async def delete_page(ctx: Ctx, page_id: uuid.UUID, *, seen: int | None = None) -> Record:
    """Put a page into the bin; the pages below it stay where they are. Return it as it was.

    Every address it was ever shown at answers 410 until it is back. Errors: Missing; Stale.
    """
    page = await hold_page(ctx, page_id)
    require_version(seen, now=page["version"])
    await show_change(ctx, page["site_id"])
    await ctx.db.run(q.page_delete, page_id=page_id, now=ctx.now())
    await ctx.db.run(q.page_orphan, page_id=page_id)
    if page["published_at"] is not None:
        await ctx.db.run(q.redirect_gone, page_id=page_id, now=ctx.now())
    await record(ctx, "page.deleted", of="page", id=page_id, detail={"path": page["path"]})
    return page


async def restore_page(ctx: Ctx, page_id: uuid.UUID) -> Record:
    """Bring a page back as it was, shown if it was shown; return what it is now.

    Where another page has its address by now, it comes back as a draft with a number behind its own.
    Errors:  Missing; Conflict `site.path_taken` where somebody took the address at the same moment.
    """
    page = await ctx.db.maybe(q.bin_lock, page_id=page_id)
    if page is None:
        raise Missing()
    await show_change(ctx, page["site_id"])
    is_free = await ctx.db.maybe(q.page_at, site_id=page["site_id"], path=page["path"]) is None
    path = page["path"] if is_free else numbered_path(page["path"], page_id)
    try:
        await ctx.db.run(
            q.page_restore,
            page_id=page_id,
            path=path,
            published_version=page["bin_version"] if is_free else None,
        )
    except UniqueViolation:
        raise taken(path) from None
    await give_way(ctx, page["site_id"], path)
    await settle(ctx, page_id, page["site_id"], path)
    await record(ctx, "page.restored", of="page", id=page_id, detail={"path": path})
    return await ctx.db.one(q.page_get, page_id=page_id)


async def list_bin(ctx: Ctx, site_id: uuid.UUID) -> Sequence[Record]:
    """Return what is in a site's bin, the last deleted first; at most BIN_LIST_MAX pages."""
    return await ctx.db.all(q.bin_list, site_id=site_id)

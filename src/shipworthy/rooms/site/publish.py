"""Pages: write, edit under the version one saw, publish, unpublish."""

from __future__ import annotations

import uuid
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record, UniqueViolation
from shipworthy.kernel.errors import Conflict, Missing
from shipworthy.kernel.queue.job import enqueue
from shipworthy.rooms.site.addresses import wanted_path
from shipworthy.rooms.site.catalogue import q


async def create_page(ctx: Ctx, *, path: str, title: str, description: str, body: str) -> uuid.UUID:
    """Write a new page as a draft; return its id. Errors: Conflict `site.path_taken`."""
    site = await ctx.db.maybe(q.site_get)
    if site is None:
        raise Missing("site")
    page_id = ctx.new_id()
    wanted = wanted_path(path)
    try:
        await ctx.db.run(q.page_create, page_id=page_id, site_id=site["site_id"], path=wanted, now=ctx.now())
    except UniqueViolation:
        raise _taken(wanted) from None
    await _write_version(ctx, page_id, 1, title=title, description=description, body=body)
    await record(ctx, "page.created", of="page", id=page_id, detail={"path": wanted})
    return page_id


async def edit_page(
    ctx: Ctx, page_id: uuid.UUID, *, seen: int, path: str, title: str, description: str, body: str
) -> int:
    """Save the page's next version; return its number.

    Errors:  Missing; Conflict `site.edited_meanwhile` when somebody saved after version `seen`,
             `site.path_taken`, or `site.path_published` when a published page would move.
    """
    before = await ctx.db.maybe(q.page_lock, page_id=page_id)
    if before is None:
        raise Missing()
    wanted = wanted_path(path)
    if before["status"] == "published" and wanted != before["path"]:
        raise Conflict(
            "site.path_published", "A published page keeps its address. Unpublish it first to move it."
        )
    try:
        moved = await ctx.db.maybe(q.page_edit, page_id=page_id, seen=seen, path=wanted, now=ctx.now())
    except UniqueViolation:
        raise _taken(wanted) from None
    if moved is None:
        raise Conflict(
            "site.edited_meanwhile",
            f"Somebody saved this page after you opened it (it is at version {before['version']}). Open it again; your text is kept here.",
        )
    version: int = moved["version"]
    await _write_version(ctx, page_id, version, title=title, description=description, body=body)
    await record(ctx, "page.edited", of="page", id=page_id, detail={"version": version})
    return version


async def publish_page(ctx: Ctx, page_id: uuid.UUID) -> Record:
    """Show the newest version to visitors; every web process forgets the old one at the commit."""
    page = await ctx.db.maybe(q.page_lock, page_id=page_id)
    if page is None:
        raise Missing()
    await ctx.db.run(q.page_publish, page_id=page_id, version=page["version"], now=ctx.now())
    await _visible_change(ctx, page)
    await record(
        ctx,
        "page.published",
        of="page",
        id=page_id,
        detail={"version": page["version"], "path": page["path"]},
    )
    return page


async def unpublish_page(ctx: Ctx, page_id: uuid.UUID) -> Record:
    """Show the page to nobody. Errors: Conflict `site.not_published`."""
    page = await ctx.db.maybe(q.page_lock, page_id=page_id)
    if page is None:
        raise Missing()
    if page["status"] != "published":
        raise Conflict("site.not_published", "This page is a draft already.")
    await ctx.db.run(q.page_unpublish, page_id=page_id)
    await _visible_change(ctx, page)
    await record(ctx, "page.unpublished", of="page", id=page_id, detail={"path": page["path"]})
    return page


async def _visible_change(ctx: Ctx, page: Record) -> None:
    """Forget what was rendered, tell the web processes at commit, and queue the sitemap.

    Every page of the site is forgotten: each shows the menu, and the menu shows titles.
    """
    site_id: uuid.UUID = page["site_id"]
    await ctx.db.run(q.render_drop_all, site_id=site_id)
    await ctx.db.all(q.announce, payload=f"{site_id} *")
    epoch: Any = (await ctx.db.one(q.site_next_epoch, site_id=site_id))["epoch"]
    await enqueue(ctx, "site.sitemap", f"{site_id}:{epoch}")


async def _write_version(
    ctx: Ctx, page_id: uuid.UUID, version: int, *, title: str, description: str, body: str
) -> None:
    author_id = ctx.principal.user_id if ctx.principal else None
    await ctx.db.run(
        q.version_create,
        page_id=page_id,
        version=version,
        title=title.strip(),
        description=description.strip(),
        body=body.replace("\r\n", "\n"),
        author_id=author_id,
        now=ctx.now(),
    )


def _taken(path: str) -> Conflict:
    return Conflict(
        "site.path_taken",
        f"Another page has the address {path}. Choose another one.",
        fields={"path": "is taken"},
    )

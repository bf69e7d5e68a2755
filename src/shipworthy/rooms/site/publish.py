"""Publishing: show a version to visitors, or take it back. Seen at once, in every process."""

from __future__ import annotations

import hashlib
import json
import uuid

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.queue.job import enqueue
from shipworthy.rooms.site.assets.library import keep_uses
from shipworthy.rooms.site.blocks.stored import blocks_of, text_alone
from shipworthy.rooms.site.cards.keep import CARD_JOB
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import show_change
from shipworthy.rooms.site.lint.publishable import require_publishable
from shipworthy.rooms.site.tags import MENU, SITEMAP, path_tag
from shipworthy.rooms.site.telling.indexnow import queue_indexnow
from shipworthy.rooms.site.tree.move import give_way
from shipworthy.rooms.site.versions import require_version
from shipworthy.rooms.site.write import hold_page


async def publish_page(ctx: Ctx, page_id: uuid.UUID, *, seen: int | None = None) -> Record:
    """Show the newest version to visitors; return the page as it was before.

    Its day of change moves only when its content does: publishing the same again tells no search
    engine that there is news.
    Errors:  Missing; Stale when somebody saved after version `seen`; Conflict `site.publish_blocked` when
             something on it is broken.
    """
    page = await hold_page(ctx, page_id)
    require_version(seen, now=page["version"])
    await require_publishable(ctx, page)
    await show_version(ctx, page)
    return page


async def show_version(ctx: Ctx, page: Record) -> None:
    """Show a version to visitors: a held page, with what that version says. Ends a plan to publish another one."""
    page_id, now, content = page["page_id"], ctx.now(), _content_sha256(page)
    in_menu = await _in_menu(ctx, page_id)
    is_new_content = content != page["content_sha256"]
    await ctx.db.run(
        q.page_publish,
        page_id=page_id,
        version=page["version"],
        in_menu=page["in_menu"],
        content_sha256=content,
        content_changed_at=now if is_new_content else page["content_changed_at"],
        now=now,
    )
    await keep_uses(ctx, page_id, page["top_html"] + page["intro_html"] + page["body_html"])
    will_be = (page["path"], page["title"]) if page["in_menu"] else None
    await _show(ctx, page, is_menu_changed=will_be != in_menu)
    await give_way(ctx, page["site_id"], page["path"])
    if is_new_content or page["status"] != "published":
        await queue_indexnow(ctx, page_id, page["version"])
    await enqueue(ctx, CARD_JOB, f"{page_id}:{page['version']}")
    await record(
        ctx,
        "page.published",
        of="page",
        id=page_id,
        detail={"version": page["version"], "path": page["path"]},
    )


async def unpublish_page(ctx: Ctx, page_id: uuid.UUID, *, seen: int | None = None) -> Record:
    """Show the page to nobody. Errors: Missing; Stale; Conflict `site.not_published`."""
    page = await hold_page(ctx, page_id)
    require_version(seen, now=page["version"])
    if page["status"] != "published":
        raise Conflict("site.not_published", "This page is a draft already: no visitor sees it.")
    await hide_page(ctx, page)
    return page


async def hide_page(ctx: Ctx, page: Record) -> None:
    """Show a held page to nobody."""
    in_menu = await _in_menu(ctx, page["page_id"])
    await ctx.db.run(q.page_unpublish, page_id=page["page_id"])
    await _show(ctx, page, is_menu_changed=in_menu is not None)
    await queue_indexnow(ctx, page["page_id"], page["version"])
    await record(ctx, "page.unpublished", of="page", id=page["page_id"], detail={"path": page["path"]})


async def _in_menu(ctx: Ctx, page_id: uuid.UUID) -> tuple[str, str] | None:
    """Return address and title under which visitors see the page in every menu, or None."""
    entry = await ctx.db.maybe(q.page_in_menu, page_id=page_id)
    return (entry["path"], entry["title"]) if entry is not None and entry["in_menu"] else None


async def _show(ctx: Ctx, page: Record, *, is_menu_changed: bool) -> None:
    tags = [path_tag(page["path"]), SITEMAP, *([MENU] if is_menu_changed else [])]
    await show_change(ctx, page["site_id"], *tags)


def _content_sha256(page: Record) -> bytes:
    content = [page["title"], page["description"], page["body"]]
    blocks = blocks_of(page)
    if blocks != text_alone(
        page["body"]
    ):  # what was published as one text is no news for being called a block
        content.append([[block["type"], block["v"], block["data"]] for block in blocks])
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).digest()

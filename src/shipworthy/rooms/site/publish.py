"""Publishing: show a version to visitors, or take it back. Seen at once, in every process."""

from __future__ import annotations

import hashlib
import json
import uuid

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.language import _
from shipworthy.kernel.queue.job import enqueue
from shipworthy.rooms.site.addresses import HOME
from shipworthy.rooms.site.assets.library import keep_uses
from shipworthy.rooms.site.blocks.stored import blocks_of, text_alone
from shipworthy.rooms.site.cards.keep import CARD_JOB
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import show_change
from shipworthy.rooms.site.lint.publishable import require_publishable
from shipworthy.rooms.site.tags import MENU, SITEMAP, crumb_tag, path_tag
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
    page_id = page["page_id"]
    named = await ctx.db.one(q.page_named, page_id=page_id)
    is_new_content = await show_untold(ctx, page)
    await _show(ctx, page, named, title=page["title"], in_menu=page["in_menu"])
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


async def show_untold(ctx: Ctx, page: Record) -> bool:
    """Show a version to visitors and tell nobody: whoever shows many tells of them once, and lets them win over what led
    elsewhere. Return whether it says anything new."""
    now, content = ctx.now(), _content_sha256(page)
    is_new_content: bool = content != page["content_sha256"]
    await ctx.db.run(
        q.page_publish,
        page_id=page["page_id"],
        version=page["version"],
        in_menu=page["in_menu"],
        content_sha256=content,
        content_changed_at=now if is_new_content else page["content_changed_at"],
        now=now,
    )
    await keep_uses(ctx, page["page_id"], page["top_html"] + page["intro_html"] + page["body_html"])
    return is_new_content


async def unpublish_page(ctx: Ctx, page_id: uuid.UUID, *, seen: int | None = None) -> Record:
    """Show the page to nobody. Errors: Missing; Stale; Conflict `site.not_published`."""
    page = await hold_page(ctx, page_id)
    require_version(seen, now=page["version"])
    if page["status"] != "published":
        raise Conflict("site.not_published", _("This page is a draft already: no visitor sees it."))
    await hide_page(ctx, page)
    return page


async def hide_page(ctx: Ctx, page: Record) -> None:
    """Show a held page to nobody."""
    named = await ctx.db.one(q.page_named, page_id=page["page_id"])
    await ctx.db.run(q.page_unpublish, page_id=page["page_id"])
    await _show(ctx, page, named, title=None, in_menu=False)
    await queue_indexnow(ctx, page["page_id"], page["version"])
    await record(ctx, "page.unpublished", of="page", id=page["page_id"], detail={"path": page["path"]})


async def _show(ctx: Ctx, page: Record, named: Record, *, title: str | None, in_menu: bool) -> None:
    """Announce a page, and where others name it differently now than `named` says: in the menu, and on the way down
    to the pages below it. Without a title nobody sees it."""
    was_in_menu = (named["in_menu"] or named["in_made_menu"]) and named["title"] is not None
    is_in_menu = (in_menu or named["in_made_menu"]) and title is not None
    tags = [path_tag(page["path"]), SITEMAP]
    if title != named["title"] and page["path"] != HOME:  # nothing is below the home page
        tags.append(crumb_tag(page["path"]))
    if was_in_menu != is_in_menu or (is_in_menu and title != named["title"]):
        tags.append(MENU)
    await show_change(ctx, page["site_id"], *tags)


def _content_sha256(page: Record) -> bytes:
    content = [page["title"], page["description"], page["body"]]
    blocks = blocks_of(page)
    if blocks != text_alone(
        page["body"]
    ):  # what was published as one text is no news for being called a block
        content.append([[block["type"], block["v"], block["data"]] for block in blocks])
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).digest()

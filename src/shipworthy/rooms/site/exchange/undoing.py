"""The jobs that take an import out again, the last thing first. What somebody changed since stays, and so does a picture
that a page shows; everything else is gone for good, as if it had never come."""

from __future__ import annotations

import time
import uuid

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.rooms.site.assets.library import delete_asset, uses_of
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.exchange.book import queue_turn
from shipworthy.rooms.site.exchange.restoring import restore_menus
from shipworthy.rooms.site.exchange.site_archive import menus_of
from shipworthy.rooms.site.exchange.taking import JOB_S, Item, Turn


async def undo_some(ctx: Ctx, source: str) -> None:
    """Job `site.import_undo`: take out what a few seconds allow, and queue the next job, or say that all is out."""
    name, step = source.split(":")
    row = await ctx.db.maybe(q.import_lock, import_id=uuid.UUID(name))
    if row is None or row["status"] != "undoing" or row["step"] != int(step):
        return
    turn, until, done = Turn(ctx, row), time.monotonic() + JOB_S, row["done"]
    waiting = await ctx.db.all(q.import_last, import_id=row["import_id"])
    for item in waiting:
        await _take_out(turn, item)
        done += 1
        if time.monotonic() > until:
            break
    await turn.tell()
    if waiting:
        await queue_turn(ctx, row["import_id"], "undoing", done=done, total=max(done, row["total"]))
        return
    await queue_turn(ctx, row["import_id"], "undone", done=done, total=done)
    await record(ctx, "import.out", of="import", id=row["import_id"], detail={"items": done})


async def _take_out(turn: Turn, item: Item) -> None:
    if item["kind"] == "page":
        await _page_out(turn, item)
    elif item["kind"] == "picture":
        await _picture_out(turn, item)
    elif item["kind"] == "settings":
        if "menus" in item["before"]:
            await restore_menus(turn.ctx, turn.row["site_id"], menus_of(item["before"]))
        else:
            before = {"locale": None, **item["before"]}  # imports of earlier releases did not keep it
            await turn.ctx.db.run(q.site_restored, site_id=turn.row["site_id"], **before)
        turn.is_seen = True
        await _out(turn, item)
    else:
        await turn.ctx.db.maybe(q.redirect_delete, redirect_id=item["made_id"])
        turn.is_seen = True
        await _out(turn, item)


async def _page_out(turn: Turn, item: Item) -> None:
    ctx, page_id = turn.ctx, item["made_id"]
    page = await ctx.db.maybe(q.page_undo, page_id=page_id)
    if page is not None and (page["version"] != item["made_version"] or page["path"] != item["path"]):
        await turn.finish(
            item, "kept", reason="edited_since", made_id=page_id, made_version=item["made_version"]
        )
        return
    if page is not None:
        await ctx.db.run(q.page_orphan, page_id=page_id)
        await ctx.db.run(q.page_redirects_remove, page_id=page_id)
        await ctx.db.run(q.page_versions_remove, page_id=page_id)
        await ctx.db.run(q.page_remove, page_id=page_id)
        turn.is_seen = True
    await _out(turn, item)


async def _picture_out(turn: Turn, item: Item) -> None:
    ctx, asset_id = turn.ctx, item["made_id"]
    is_ours = item["made_version"] == 1
    there = await ctx.db.maybe(q.asset_get, asset_id=asset_id) if is_ours else None
    if not is_ours or (there is not None and await uses_of(ctx, asset_id)):
        reason = "picture_used" if is_ours else "was_here"
        await turn.finish(item, "kept", reason=reason, made_id=asset_id, made_version=item["made_version"])
        return
    if there is not None:
        await delete_asset(ctx, asset_id)
    await _out(turn, item)


async def _out(turn: Turn, item: Item) -> None:
    await turn.finish(item, "undone", made_id=item["made_id"], made_version=item["made_version"])

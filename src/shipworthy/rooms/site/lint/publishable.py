"""Asking the rules about a page: what it links to is looked up, and what is broken stops its publishing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.language import _
from shipworthy.rooms.site.blocks.stored import blocks_of
from shipworthy.rooms.site.blocks.written import Written, write_blocks
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.lint.reading import read_pieces
from shipworthy.rooms.site.lint.rules import Remark, Subject, internal_paths, remarks
from shipworthy.rooms.site.render import origin
from shipworthy.rooms.site.sites.chosen import site_with

_PATHS_AT_ONCE = 500


async def remarks_on(ctx: Ctx, page: Mapping[str, Any], site: Mapping[str, Any]) -> list[Remark]:
    """Return what is to be said of a page before it is published. Cost: one query per 500 links."""
    shown = await write_blocks(ctx.db, page["page_id"], page["title"], blocks_of(page))
    subject = await asyncio.to_thread(_subject, ctx, page, site, shown)
    paths, there = internal_paths(subject), dict[str, bool]()
    for at in range(0, len(paths), _PATHS_AT_ONCE):
        for row in await ctx.db.all(
            q.paths_there, site_id=site["site_id"], paths=paths[at : at + _PATHS_AT_ONCE]
        ):
            there[row["path"]] = row["status"] == "published"
    return remarks(replace(subject, there=there))


async def require_publishable(ctx: Ctx, page: Mapping[str, Any]) -> None:
    """Pass when nothing on the page is broken. Errors: Conflict `site.publish_blocked` naming each place."""
    found = await remarks_on(ctx, page, await site_with(ctx, page["site_id"]))
    stops = [remark for remark in found if remark.level == "block"]
    if not stops:
        return
    names = {block["id"]: f"blocks[{at}]" for at, block in enumerate(blocks_of(page))}
    fields: dict[str, str] = {}
    for stop in stops:
        where = names.get(stop.block_id) or stop.field or "page"
        fields[where] = f"{fields[where]} {stop.text}" if where in fields else stop.text
    raise Conflict(
        "site.publish_blocked",
        _("This page cannot be published yet. {why}", why=stops[0].text),
        fields=fields,
    )


def _subject(ctx: Ctx, page: Mapping[str, Any], site: Mapping[str, Any], shown: Written) -> Subject:
    return Subject(
        path=page["path"],
        title=page["title"],
        site_title=site["site_title"],
        description=page["description"],
        in_menu=page["in_menu"],
        has_own_top=bool(shown.top),
        reading=read_pieces((piece.block_id, piece.html) for piece in shown.pieces),
        origin=origin(ctx.runtime.settings, site["host"]) if site["host"] else "",
    )

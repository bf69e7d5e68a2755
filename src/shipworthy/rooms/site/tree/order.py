"""Where a page stands among others: a step up, down, in or out, or any place of the tree.

The address follows: what stands below a page begins with its address. The order of pages below one is `position`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shipworthy.kernel.audit.record import record, unchanged
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.site.addresses import HOME, wanted_path
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import show_change
from shipworthy.rooms.site.tags import MENU
from shipworthy.rooms.site.tree.move import TOP, move_page
from shipworthy.rooms.site.versions import require_version
from shipworthy.rooms.site.write import get_page, hold_page

Way = Literal["up", "down", "in", "out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the tree: below which page (None: at the top), before which one (None: last), and what of the
    address follows that of the page above."""

    parent_id: uuid.UUID | None
    before: uuid.UUID | None = None
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A page where it stands now, and the place where it stood."""

    page: Record
    was: Place


async def order_page(ctx: Ctx, page_id: uuid.UUID, way: Way) -> Moved:
    """Move a page one step: past its neighbour, below the one before it, or out beside the one it stands below.

    At the end of its row it stays where it is.
    Errors:  Missing; those of `move_page`; Conflict `site.tree_no_place` where there is nothing to go into or
             out of; `site.tree_changed`.
    """
    row = await _row(ctx, page_id)
    page = await get_page(ctx, page_id)  # held from here on
    parent = above = await _stands(ctx, page["parent_id"])
    at, was = _at(row, page), _place(page, row, parent)
    if way == "up":
        here = Place(parent_id=was.parent_id, before=row[at - 1]["page_id"] if at else page_id, rest=was.rest)
    elif way == "down":
        here = Place(parent_id=was.parent_id, before=_id_at(row, at + 2), rest=was.rest)
    elif way == "in":
        above = row[at - 1] if at else None
        if above is None or HOME in (above["path"], page["path"]):
            raise Conflict(
                "site.tree_no_place", _("There is no page before this one that it could go below.")
            )
        here = Place(parent_id=above["page_id"], rest=was.rest)
    else:
        if parent is None:
            raise Conflict("site.tree_no_place", _("This page stands at the top already."))
        uncles = await _row(ctx, parent["page_id"])
        behind = _id_at(uncles, _at(uncles, parent) + 1)
        above = await _stands(ctx, parent["parent_id"])
        here = Place(parent_id=above["page_id"] if above else None, before=behind, rest=was.rest)
    return await _put(ctx, page, was, here, above)


async def place_page(ctx: Ctx, page_id: uuid.UUID, place: Place, *, seen: int | None = None) -> Moved:
    """Put a page anywhere in the tree, with all below it; what was published leaves a way behind.

    Without `rest` it keeps the part of its address that follows the page above it.
    Errors:  Missing; Stale; Invalid `site.path_invalid` for a place below itself or below no page; those of
             `move_page`; Conflict `site.tree_changed`.
    """
    page = await hold_page(ctx, page_id)
    require_version(seen, now=page["version"])
    row, parent = await _row(ctx, page_id), await _stands(ctx, page["parent_id"])
    was = _place(page, row, parent)
    rest = place.rest.strip().strip("/") or was.rest
    above = await _above(ctx, page, place.parent_id)
    here = Place(parent_id=place.parent_id, before=place.before, rest=rest)
    return await _put(ctx, page, was, here, above)


async def _put(ctx: Ctx, page: Record, was: Place, place: Place, above: Record | None) -> Moved:
    if above is not None and not place.rest:
        raise _wrong("rest", _("The home page stands at the top. Give it an address of its own first."))
    path = wanted_path(f"{above['path'] if above else ''}/{place.rest}")
    is_elsewhere = path != page["path"]
    if is_elsewhere:
        await move_page(ctx, page, path)
    elif place.before == was.before or place.before == page["page_id"]:
        unchanged(ctx)
        return Moved(page=page, was=was)
    else:
        await show_change(ctx, page["site_id"], MENU)
    now = await ctx.db.one(q.page_get, page_id=page["page_id"])
    # The address decides below which page it stands: between the two another one may have one of its own.
    if now["parent_id"] == (place.parent_id or TOP):
        await ctx.db.run(
            q.page_place,
            site_id=page["site_id"],
            page_id=page["page_id"],
            parent_id=now["parent_id"],
            before=place.before,
        )
    detail = {"from": page["path"], "path": path} if is_elsewhere else {"path": path}
    await record(ctx, "page.moved", of="page", id=page["page_id"], detail=detail)
    return Moved(page=now, was=was)


async def _above(ctx: Ctx, page: Record, parent_id: uuid.UUID | None) -> Record | None:
    """Return the page that one is to stand below; None for the top. Errors: Invalid."""
    if parent_id is None:
        return None
    above = await _stands(ctx, parent_id)
    if above is None or above["site_id"] != page["site_id"] or above["path"] == HOME:
        raise _wrong("parent_id", _("There is no such page to stand below."))
    if above["page_id"] == page["page_id"] or above["path"].startswith(f"{page['path']}/"):
        raise _wrong("parent_id", _("A page cannot stand below itself, or below a page that is below it."))
    return above


async def _stands(ctx: Ctx, page_id: uuid.UUID) -> Record | None:
    """Return where a page stands; None for the top, and for one that is none."""
    return None if page_id == TOP else await ctx.db.maybe(q.page_stands, page_id=page_id)


async def _row(ctx: Ctx, page_id: uuid.UUID) -> Sequence[Record]:
    """Hold a page and those beside it, and return them in their order."""
    held = await ctx.db.all(q.siblings_lock, page_id=page_id)
    return sorted(held, key=lambda one: (one["position"], one["page_id"]))


def _at(row: Sequence[Record], page: Record) -> int:
    for at, one in enumerate(row):
        if one["page_id"] == page["page_id"]:
            return at
    raise Conflict("site.tree_changed", _("Somebody moved this page meanwhile. Look at the tree again."))


def _place(page: Record, row: Sequence[Record], parent: Record | None) -> Place:
    """Return where a page stands, among those beside it."""
    rest = page["path"].removeprefix(f"{parent['path']}/" if parent else "/").lstrip("/")
    behind = _id_at(row, _at(row, page) + 1)
    return Place(parent_id=parent["page_id"] if parent else None, before=behind, rest=rest)


def _id_at(row: Sequence[Record], at: int) -> uuid.UUID | None:
    return row[at]["page_id"] if at < len(row) else None


def _wrong(field: str, message: str) -> Invalid:
    return Invalid("site.path_invalid", message, fields={field: message})

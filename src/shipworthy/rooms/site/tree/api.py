"""HTTP for programs: the tree, and where a page stands in it."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json
from shipworthy.kernel.route import route
from shipworthy.rooms.site.addresses import PATH_CHARS_MAX
from shipworthy.rooms.site.bodies import page_json, url_of
from shipworthy.rooms.site.sites.chosen import site_of, site_with
from shipworthy.rooms.site.tree.order import Place, Way, order_page, place_page
from shipworthy.rooms.site.tree.rows import read_tree
from shipworthy.rooms.site.versions import etag, version_of


class TreeQuery(msgspec.Struct):
    under: uuid.UUID | None = None
    cursor: Annotated[str, Meta(max_length=200)] | None = None


class OrderBody(Body):
    way: Way


class PlaceBody(Body):
    """Below which page (null: at the top), before which one (null: last), and what of the address follows that of
    the page above (empty: as it is)."""

    parent_id: uuid.UUID | None = None
    before: uuid.UUID | None = None
    rest: Annotated[str, Meta(max_length=PATH_CHARS_MAX)] = ""


async def api_tree(ctx: Ctx, query: TreeQuery) -> Any:
    site = await site_of(ctx)
    if site is None:
        return {"pages": [], "next_cursor": None}
    tree = await read_tree(ctx, site["site_id"], under=query.under, cursor=query.cursor)
    names = ("page_id", "parent_id", "path", "title", "status")
    pages = [
        {**{name: row.page[name] for name in names}, "depth": row.depth, "has_more": row.has_more}
        for row in tree.rows
    ]
    return {"pages": pages, "next_cursor": tree.next_cursor}


async def api_order_page(ctx: Ctx, page_id: uuid.UUID, body: OrderBody) -> Json:
    return await _page(ctx, (await order_page(ctx, page_id, body.way)).page)


async def api_place_page(ctx: Ctx, page_id: uuid.UUID, body: PlaceBody) -> Json:
    seen = version_of(ctx.extra["headers"].get("if-match"))
    place = Place(parent_id=body.parent_id, before=body.before, rest=body.rest)
    return await _page(ctx, (await place_page(ctx, page_id, place, seen=seen)).page)


async def _page(ctx: Ctx, page: Any) -> Json:
    url = url_of(ctx.runtime.settings, await site_with(ctx, page["site_id"]), page["path"])
    return Json(page_json(page, url) | {"parent_id": page["parent_id"]}, headers=(etag(page["version"]),))


DRAFT = {"page_id": "draft_page_id"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES = (
    route("GET", "/api/pages/tree", api_tree, title="Read the pages as a tree", permission="page.read",
          query=TreeQuery, queries_max=7),
    route("POST", "/api/pages/{page_id}/order", api_order_page, title="Move a page one step in the tree",
          permission="page.publish", body=OrderBody, idempotency="key", effect="change", audit="page.moved",
          params=DRAFT, example={"way": "up"}, queries_max=30),
    route("POST", "/api/pages/{page_id}/place", api_place_page, title="Put a page elsewhere in the tree",
          permission="page.publish", body=PlaceBody, idempotency="key", effect="change", audit="page.moved",
          params=DRAFT, example={"rest": "sample-of-a-place"}, queries_max=30),
)  # fmt: skip

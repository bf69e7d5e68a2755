"""HTTP for programs, and the room's table of routes. The screens' handlers stand in screens.py."""

from __future__ import annotations

import uuid
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.reply import Json
from shipworthy.kernel.route import route
from shipworthy.rooms.site import screens
from shipworthy.rooms.site.assets import web as assets
from shipworthy.rooms.site.bodies import PageBody, PageListQuery, page_json, pages_json, url_of
from shipworthy.rooms.site.editor.pictures import ROUTES as PICTURES_ROUTES
from shipworthy.rooms.site.history.web import ROUTES as HISTORY_ROUTES
from shipworthy.rooms.site.listing import NOTHING, list_pages
from shipworthy.rooms.site.look import web as look
from shipworthy.rooms.site.publish import publish_page, unpublish_page
from shipworthy.rooms.site.schedule.web import ROUTES as SCHEDULE_ROUTES
from shipworthy.rooms.site.sites.chosen import site_of, site_with
from shipworthy.rooms.site.versions import VersionNeeded, etag, version_of
from shipworthy.rooms.site.write import create_page, edit_page, get_page


async def api_create_page(ctx: Ctx, body: PageBody) -> Json:
    page_id = await create_page(ctx, body.text())
    return await _page(ctx, page_id, status=201, location=f"/api/pages/{page_id}")


async def api_list_pages(ctx: Ctx, query: PageListQuery) -> Any:
    site = await site_of(ctx)
    return pages_json(await list_pages(ctx, site["site_id"], cursor=query.cursor) if site else NOTHING)


async def api_get_page(ctx: Ctx, page_id: uuid.UUID) -> Json:
    return await _page(ctx, page_id)


async def api_edit_page(ctx: Ctx, page_id: uuid.UUID, body: PageBody) -> Json:
    if_match = _if_match(ctx)
    if if_match is None:
        raise VersionNeeded()
    await edit_page(ctx, page_id, body.text(), seen=version_of(if_match))
    return await _page(ctx, page_id)


async def api_publish_page(ctx: Ctx, page_id: uuid.UUID) -> Json:
    await publish_page(ctx, page_id, seen=version_of(_if_match(ctx)))
    return await _page(ctx, page_id)


async def api_unpublish_page(ctx: Ctx, page_id: uuid.UUID) -> Json:
    await unpublish_page(ctx, page_id, seen=version_of(_if_match(ctx)))
    return await _page(ctx, page_id)


async def _page(ctx: Ctx, page_id: uuid.UUID, *, status: int = 200, location: str = "") -> Json:
    """Return the page as it stands now, with the version that a change of it must name."""
    page = await get_page(ctx, page_id)
    url = url_of(ctx.runtime.settings, await site_with(ctx, page["site_id"]), page["path"])
    headers = (etag(page["version"]), *((("location", location),) if location else ()))
    return Json(page_json(page, url), status=status, headers=headers)


def _if_match(ctx: Ctx) -> str | None:
    value: str | None = ctx.extra["headers"].get("if-match")
    return value


PAGE_EXAMPLE = {
    "title": "Spring offer",
    "description": "Until the end of May, a check of your heating costs nothing.",
    "body": "Call us before the end of **May**.\n\n## What we check\n\n- Pressure\n- Pump",
    "in_menu": False,
}
_ANY, _DRAFT, _PUBLISHED = screens.ANY, screens.DRAFT, screens.PUBLISHED

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1);
# the first page of a tenant also starts its site (7).
ROUTES = (
    route("POST", "/api/pages", api_create_page, title="Create a page", permission="page.write", body=PageBody, screened=False,
          status=201, idempotency="key", effect="create", audit="page.created", example=PAGE_EXAMPLE,
          queries_max=21),
    route("GET", "/api/pages", api_list_pages, title="List pages", permission="page.read", query=PageListQuery,
          queries_max=4),
    route("GET", "/api/pages/{page_id}", api_get_page, title="Read a page", permission="page.read", params=_ANY,
          queries_max=4),
    route("PUT", "/api/pages/{page_id}", api_edit_page, title="Replace a page's text", permission="page.write",
          body=PageBody, screened=False, effect="change", audit="page.edited", params=_ANY, example=PAGE_EXAMPLE, queries_max=23),
    route("POST", "/api/pages/{page_id}/publish", api_publish_page, title="Publish a page",
          permission="page.publish", idempotency="key", effect="change", audit="page.published", params=_DRAFT,
          example={}, queries_max=18),
    route("POST", "/api/pages/{page_id}/unpublish", api_unpublish_page, title="Unpublish a page",
          permission="page.publish", idempotency="key", effect="change", audit="page.unpublished",
          params=_PUBLISHED, example={}, queries_max=14),
    *screens.ROUTES,
    *HISTORY_ROUTES,
    *PICTURES_ROUTES,
    *SCHEDULE_ROUTES,
    *assets.ROUTES,
    *look.ROUTES,
)  # fmt: skip

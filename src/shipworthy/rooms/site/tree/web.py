"""HTTP for the bin, for programs and for people."""

from __future__ import annotations

import uuid
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.reply import Json, Page, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import route
from shipworthy.rooms.site.bodies import page_json, url_of
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.screens import SeenVersion
from shipworthy.rooms.site.shown import moment
from shipworthy.rooms.site.sites.chosen import site_of, site_with
from shipworthy.rooms.site.tree.bin import delete_page, list_bin, restore_page
from shipworthy.rooms.site.versions import etag, version_of


async def api_delete_page(ctx: Ctx, page_id: uuid.UUID) -> None:
    await delete_page(ctx, page_id, seen=version_of(ctx.extra["headers"].get("if-match")))


async def api_list_bin(ctx: Ctx) -> Any:
    names = ("page_id", "path", "title", "deleted_at")
    site = await site_of(ctx)
    rows = await list_bin(ctx, site["site_id"]) if site else ()
    return {
        "pages": [
            {**{n: row[n] for n in names}, "was_published": row["bin_version"] is not None} for row in rows
        ]
    }


async def api_restore_page(ctx: Ctx, page_id: uuid.UUID) -> Json:
    page = await restore_page(ctx, page_id)
    url = url_of(ctx.runtime.settings, await site_with(ctx, page["site_id"]), page["path"])
    return Json(page_json(page, url), headers=(etag(page["version"]),))


async def bin_page(ctx: Ctx) -> Page:
    site = await site_of(ctx)
    rows = await list_bin(ctx, site["site_id"]) if site else ()
    pages = [
        {
            **row,
            "deleted": moment(row["deleted_at"], now=ctx.now(), time_zone=site["time_zone"]) if site else "",
            "status": "published" if row["bin_version"] is not None else "draft",
        }
        for row in rows
    ]
    return Page("site/bin.html", {"pages": pages, "may_write": may_write(ctx)}, title="Bin", section="pages")


async def submit_delete(ctx: Ctx, page_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    page = await delete_page(ctx, page_id, seen=seen.version)
    return Redirect(
        "/pages/bin", flash=_("“{title}” is in the bin. Restore it to bring it back.", title=page["title"])
    )


async def submit_restore(ctx: Ctx, page_id: uuid.UUID) -> Redirect:
    page = await restore_page(ctx, page_id)
    shown = _("Visitors see it again") if page["status"] == "published" else _("It is a draft")
    return Redirect(
        f"/pages/{page_id}", flash=_("Restored. {shown}, at {path}.", shown=shown, path=page["path"])
    )


_LEAVING, _BINNED = {"page_id": "draft_page_id"}, {"page_id": "binned_page_id"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES = (
    route("DELETE", "/api/pages/{page_id}", api_delete_page, title="Put a page into the bin", status=204,
          permission="page.publish", effect="change", audit="page.deleted", params=_LEAVING, queries_max=12),
    route("GET", "/api/pages/bin", api_list_bin, title="List what is in the bin", permission="page.read",
          queries_max=4),
    route("POST", "/api/pages/{page_id}/restore", api_restore_page, title="Restore a page from the bin",
          permission="page.publish", idempotency="key", effect="change", audit="page.restored", params=_BINNED,
          example={}, queries_max=18),
    route("GET", "/pages/bin", bin_page, title="Bin", media="html", permission="page.read", queries_max=4),
    route("POST", "/pages/{page_id}/delete", submit_delete, title="Put a page into the bin", media="html",
          permission="page.publish", body=SeenVersion, idempotency="key", effect="change", audit="page.deleted",
          params=_LEAVING, example={}, queries_max=14),
    route("POST", "/pages/{page_id}/restore", submit_restore, title="Restore a page from the bin", media="html",
          permission="page.publish", idempotency="key", effect="change", audit="page.restored", params=_BINNED,
          example={}, queries_max=16),
)  # fmt: skip

"""HTTP of a page's past, for people and for programs."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.http.reply import Json, Page, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import route
from shipworthy.rooms.site.history.differences import differences
from shipworthy.rooms.site.history.past import (
    VERSIONS_PER_LIST,
    get_version,
    list_versions,
    restore_version,
    version_before,
)
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.screens import ANY, SeenVersion
from shipworthy.rooms.site.shown import moment
from shipworthy.rooms.site.sites.chosen import site_with
from shipworthy.rooms.site.versions import VersionNeeded, etag, version_of
from shipworthy.rooms.site.write import get_page


class VersionsQuery(msgspec.Struct):
    """From which number on downwards."""

    below: int | None = None


class AgainstQuery(msgspec.Struct):
    """Against which version one is held: the one before it, or the newest."""

    against: str = ""


async def versions_page(ctx: Ctx, page_id: uuid.UUID, query: VersionsQuery) -> Page:
    page = await get_page(ctx, page_id)
    site = await site_with(ctx, page["site_id"])
    found = await list_versions(ctx, page_id, below=query.below)
    now, zone = ctx.now(), site["time_zone"]
    versions = [
        {**row, "when": moment(row["created_at"], now=now, time_zone=zone), "badges": _badges(row, page)}
        for row in found[:VERSIONS_PER_LIST]
    ]
    older = f"/pages/{page_id}/versions?below={versions[-1]['version']}" if len(found) > len(versions) else ""
    newer = f"/pages/{page_id}/versions" if query.below else ""
    data = {"shown": page, "versions": versions, "older": older, "newer": newer}
    return Page("site/versions.html", data, title=_("Versions"), section="pages")


async def version_page(ctx: Ctx, page_id: uuid.UUID, number: str, query: AgainstQuery) -> Page:
    page = await get_page(ctx, page_id)
    site = await site_with(ctx, page["site_id"])
    version = await get_version(ctx, page_id, number)
    with_newest = query.against == "newest"
    before: Record | None = version
    after = page
    if not with_newest:
        before, after = await version_before(ctx, page_id, version["version"]), version
    data = {
        "shown": page,
        "version": version,
        "when": moment(version["created_at"], now=ctx.now(), time_zone=site["time_zone"]),
        "badges": _badges(version, page),
        "is_newest": version["version"] == page["version"],
        "with_newest": with_newest,
        "before": before["version"] if before else None,
        "changes": await asyncio.to_thread(differences, before, after),
        "may_write": may_write(ctx),
    }
    return Page(
        "site/version.html", data, title=_("Version {number}", number=version["version"]), section="pages"
    )


async def submit_restore(ctx: Ctx, page_id: uuid.UUID, number: str, seen: SeenVersion) -> Redirect:
    await restore_version(ctx, page_id, number, seen=seen.version)
    return Redirect(
        f"/pages/{page_id}",
        flash=_("Version {number} is the newest draft now. Publish it when you like.", number=number),
    )


async def api_list_versions(ctx: Ctx, page_id: uuid.UUID, query: VersionsQuery) -> Any:
    page = await get_page(ctx, page_id)
    found = await list_versions(ctx, page_id, below=query.below)
    names = ("version", "title", "author_name", "is_autosave", "created_at")
    return {
        "versions": [
            {
                **{name: row[name] for name in names},
                "is_published": row["version"] == page["published_version"],
            }
            for row in found[:VERSIONS_PER_LIST]
        ],
        "next_below": found[VERSIONS_PER_LIST - 1]["version"] if len(found) > VERSIONS_PER_LIST else None,
    }


async def api_restore_version(ctx: Ctx, page_id: uuid.UUID, number: str) -> Json:
    if_match = ctx.extra["headers"].get("if-match")
    if if_match is None:
        raise VersionNeeded()
    version = await restore_version(ctx, page_id, number, seen=version_of(if_match))
    return Json({"page_id": page_id, "version": version}, headers=(etag(version),))


def _badges(version: Record, page: Record) -> list[dict[str, str]]:
    badges = []
    if version["version"] == page["published_version"]:
        badges.append({"status": "published", "label": _("Visitors see this")})
    if version["version"] == page["version"]:
        badges.append({"status": "current", "label": _("Newest")})
    return badges


_VERSION = {**ANY, "number": "page_version"}

ROUTES = (
    route("GET", "/pages/{page_id}/versions", versions_page, title="Versions of a page", media="html",
          permission="page.read", query=VersionsQuery, params=ANY, queries_max=5),
    route("GET", "/pages/{page_id}/versions/{number}", version_page, title="One version of a page", media="html",
          permission="page.read", query=AgainstQuery, params=_VERSION, queries_max=6),
    route("POST", "/pages/{page_id}/versions/{number}/restore", submit_restore, title="Restore a version", media="html",
          permission="page.write", body=SeenVersion, idempotency="key", effect="change", audit="page.restored",
          params=_VERSION, example={}, queries_max=15),
    route("GET", "/api/pages/{page_id}/versions", api_list_versions, title="List the versions of a page",
          permission="page.read", query=VersionsQuery, params=ANY, queries_max=4),
    route("POST", "/api/pages/{page_id}/versions/{number}/restore", api_restore_version, title="Restore a version of a page",
          permission="page.write", idempotency="key", effect="change", audit="page.restored", params=_VERSION,
          headers={"if-match": "*"}, example={}, queries_max=15),
)  # fmt: skip

"""HTTP for programs that keep pictures. A file travels as base64 in JSON, or as itself in a form."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json
from shipworthy.kernel.route import route
from shipworthy.rooms.site.assets import screens
from shipworthy.rooms.site.assets.library import (
    ALT_CHARS_MAX,
    NAME_CHARS_MAX,
    add_asset,
    delete_asset,
    edit_asset,
    get_asset,
    list_assets,
    uses_of,
)
from shipworthy.rooms.site.assets.names import address, widths_of
from shipworthy.rooms.site.assets.private import picture_link
from shipworthy.rooms.site.assets.sample import SAMPLE_BASE64


class AssetBody(Body):
    """A picture to keep. `file` is its bytes, `file_name` what it is called when `name` is empty; a private one is shown
    on no page and opens with a signed address."""

    file: bytes
    file_name: Annotated[str, Meta(max_length=NAME_CHARS_MAX)] = ""
    name: Annotated[str, Meta(max_length=NAME_CHARS_MAX)] = ""
    alt: Annotated[str, Meta(max_length=ALT_CHARS_MAX)] = ""
    is_private: bool = False


class AssetWords(Body):
    """What a picture is called, and what it shows for those who do not see it."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
    alt: Annotated[str, Meta(max_length=ALT_CHARS_MAX)] = ""


class LinkQuery(msgspec.Struct):
    """Which form of a picture: the widest that is no wider, and the ending of its format."""

    width: Annotated[int, Meta(ge=1, le=10_000)] = 1_920
    format: Annotated[str, Meta(max_length=4)] = "jpg"


class AssetListQuery(msgspec.Struct):
    cursor: Annotated[str, Meta(max_length=200)] | None = None


async def api_add_asset(ctx: Ctx, body: AssetBody) -> Json:
    asset, _ = await add_asset(
        ctx, body.file, name=body.name or body.file_name, alt=body.alt, is_private=body.is_private
    )
    where = (("location", f"/api/assets/{asset['asset_id']}"),)
    return Json(
        asset_json(asset), status=201, headers=where
    )  # again, too: as a key's second answer is the first


async def api_list_assets(ctx: Ctx, query: AssetListQuery) -> Any:
    shown = await list_assets(ctx, cursor=query.cursor)
    return {"assets": [asset_json(row) for row in shown.rows], "next_cursor": shown.next_cursor}


async def api_get_asset(ctx: Ctx, asset_id: uuid.UUID) -> Any:
    asset, uses = await get_asset(ctx, asset_id), await uses_of(ctx, asset_id)
    pages = [{name: page[name] for name in ("page_id", "path", "title", "status")} for page in uses]
    return {**asset_json(asset), "used_by": pages}


async def api_asset_link(ctx: Ctx, asset_id: uuid.UUID, query: LinkQuery) -> Any:
    """Where to fetch a picture from: a private one with a proof, until it expires."""
    path, expires_at = picture_link(
        ctx, await get_asset(ctx, asset_id), width=query.width, format=query.format
    )
    return {"path": path, "expires_at": expires_at}


async def api_edit_asset(ctx: Ctx, asset_id: uuid.UUID, body: AssetWords) -> Any:
    await edit_asset(ctx, asset_id, name=body.name, alt=body.alt)
    return asset_json(await get_asset(ctx, asset_id))


async def api_delete_asset(ctx: Ctx, asset_id: uuid.UUID) -> None:
    await delete_asset(ctx, asset_id)


def asset_json(asset: Record) -> dict[str, Any]:
    """Return a picture; `path` is where its largest JPEG is on the site's own host, which needs a proof for a private one."""
    names = (
        "asset_id",
        "name",
        "alt",
        "media_type",
        "width",
        "height",
        "bytes",
        "variants_bytes",
        "created_at",
    )
    return {
        **{name: asset[name] for name in names},
        "is_ready": asset["ready_at"] is not None,
        "is_private": asset["is_private"],
        "path": address(asset, widths_of(asset["width"])[-1], "jpg"),
    }


_EXAMPLE = {"file": SAMPLE_BASE64, "file_name": "sample.png", "alt": "A blue square"}

# queries_max counts the session's look-up and touch (2) and the audit row (1). The same file sent twice is one picture,
# with or without a key, and answered the same.
ROUTES = (
    route("POST", "/api/assets", api_add_asset, title="Keep a picture", permission="page.write", body=AssetBody,
          status=201, effect="change", audit="asset.added", example=_EXAMPLE, transaction=False,
          body_bytes_max=screens.BODY_BYTES_MAX, meter="storage_bytes", queries_max=14),
    route("GET", "/api/assets", api_list_assets, title="List pictures", permission="page.read",
          query=AssetListQuery, queries_max=3),
    route("GET", "/api/assets/{asset_id}", api_get_asset, title="Read a picture's record", permission="page.read",
          params=screens.ANY, queries_max=4),
    route("GET", "/api/assets/{asset_id}/link", api_asset_link, title="Sign a picture's address",
          permission="page.read", params=screens.ANY, query=LinkQuery, queries_max=3),
    route("PUT", "/api/assets/{asset_id}", api_edit_asset, title="Describe a picture", permission="page.write",
          body=AssetWords, effect="change", audit="asset.edited", params=screens.ANY, example=screens.WORDS_EXAMPLE,
          queries_max=5),
    route("DELETE", "/api/assets/{asset_id}", api_delete_asset, title="Throw a picture away", status=204,
          permission="page.write", effect="change", audit="asset.deleted", params=screens.UNUSED, queries_max=8),
    *screens.ROUTES,
)  # fmt: skip

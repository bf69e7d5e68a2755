"""HTTP for programs that bring a website. The screens' handlers stand in screens.py."""

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
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.exchange import screens
from shipworthy.rooms.site.exchange.book import (
    FILE_BYTES_MAX,
    NAME_CHARS_MAX,
    delete_import,
    get_import,
    list_imports,
    list_items,
    send_import,
    take_import,
    undo_import,
)
from shipworthy.rooms.site.exchange.saving import export_link, last_export, start_export
from shipworthy.rooms.site.exchange.words import notes_text, reason_text, refusal_text


class ImportBody(Body):
    """A website's file: an export of WordPress (XML, or a zip with its uploads), or a zip of Markdown files."""

    file: bytes
    file_name: Annotated[str, Meta(max_length=4 * NAME_CHARS_MAX)] = ""


class ListQuery(msgspec.Struct):
    cursor: Annotated[str, Meta(max_length=200)] | None = None


async def api_send_import(ctx: Ctx, body: ImportBody) -> Json:
    import_id = await send_import(ctx, body.file, name=body.file_name)
    async with ctx.begin() as tx:
        ctx.tx = tx
        return await _shown(ctx, import_id, status=201)


async def api_list_imports(ctx: Ctx, query: ListQuery) -> Any:
    part = await list_imports(ctx, cursor=query.cursor)
    return {"imports": [_import_json(row) for row in part.rows], "next_cursor": part.next_cursor}


async def api_get_import(ctx: Ctx, import_id: uuid.UUID) -> Json:
    return await _shown(ctx, import_id)


async def api_list_items(ctx: Ctx, import_id: uuid.UUID, query: screens.ItemsQuery) -> Any:
    await get_import(ctx, import_id)
    part = await list_items(ctx, import_id, outcome=query.outcome, cursor=query.cursor)
    return {"items": [_item_json(row) for row in part.rows], "next_cursor": part.next_cursor}


async def api_take_import(ctx: Ctx, import_id: uuid.UUID) -> Json:
    await take_import(ctx, import_id)
    return await _shown(ctx, import_id)


async def api_undo_import(ctx: Ctx, import_id: uuid.UUID) -> Json:
    await undo_import(ctx, import_id)
    return await _shown(ctx, import_id)


async def api_delete_import(ctx: Ctx, import_id: uuid.UUID) -> None:
    await delete_import(ctx, import_id)


async def api_start_export(ctx: Ctx) -> Json:
    return Json(_export_json(ctx, await start_export(ctx)))


async def api_get_export(ctx: Ctx) -> Json:
    return Json(_export_json(ctx, await last_export(ctx)))


def _export_json(ctx: Ctx, row: Record | None) -> dict[str, Any]:
    """Return how far an archive is; once it is made, `path` fetches it from this host until it expires."""
    if row is None:
        return {"status": "none"}
    told = {name: row[name] for name in ("status", "done", "bytes", "asked_at", "made_at")}
    if row["status"] != "made":
        return told
    link = export_link(ctx, row)
    return {**told, "path": link.path, "expires_at": link.expires_at}


async def _shown(ctx: Ctx, import_id: uuid.UUID, *, status: int = 200) -> Json:
    row = await get_import(ctx, import_id)
    counts = await ctx.db.all(q.import_counts, import_id=import_id)
    names = ("kind", "label", "outcome", "status", "items")
    body = {
        **_import_json(row),
        "refusal": refusal_text(row["refusal"]) if row["refusal"] else "",
        "counts": [{name: count[name] for name in names} for count in counts],
    }
    return Json(
        body, status=status, headers=(("location", f"/api/imports/{import_id}"),) if status == 201 else ()
    )


def _import_json(row: Record) -> dict[str, Any]:
    names = (
        "import_id", "kind", "file_name", "file_bytes", "origin", "status", "done", "total", "author_name", "created_at",
        "changed_at",
    )  # fmt: skip
    return {name: row[name] for name in names}


def _item_json(row: Record) -> dict[str, Any]:
    names = (
        "item", "kind", "label", "source", "title", "path", "from_path", "status", "publish_at", "outcome", "made_id",
    )  # fmt: skip
    notes = notes_text(row["notes"])
    return {**{name: row[name] for name in names}, "reason": reason_text(row["reason"]), "notes": notes}


_BODY_BYTES_MAX = FILE_BYTES_MAX * 4 // 3 + 64 * 1024

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1). The same
# file sent twice is one import, with or without a key; a tenant's first also starts its site (8).
ROUTES = (
    route("POST", "/api/imports", api_send_import, title="Send a website's file", permission="page.publish",
          body=ImportBody, screened=False, status=201, effect="change", audit="import.sent", example=screens.FILE_EXAMPLE,
          transaction=False, body_bytes_max=_BODY_BYTES_MAX, meter="storage_bytes",
          queries_max=22),
    route("GET", "/api/imports", api_list_imports, title="List imports", permission="page.read", query=ListQuery,
          queries_max=3),
    route("GET", "/api/imports/{import_id}", api_get_import, title="Read an import", permission="page.read",
          params=screens.ANY, queries_max=4),
    route("GET", "/api/imports/{import_id}/items", api_list_items, title="List what an import holds",
          permission="page.read", params=screens.ANY, query=screens.ItemsQuery, queries_max=4),
    route("POST", "/api/imports/{import_id}/take", api_take_import, title="Take an import in",
          permission="page.publish", idempotency="key", effect="change", audit="import.taken", params=screens.READ,
          example={}, queries_max=12),
    route("POST", "/api/imports/{import_id}/undo", api_undo_import, title="Take an import out again",
          permission="page.publish", idempotency="key", effect="change", audit="import.undone", params=screens.TAKEN,
          example={}, queries_max=12),
    route("DELETE", "/api/imports/{import_id}", api_delete_import, title="Forget an import", status=204,
          permission="page.publish", effect="change", audit="import.deleted", params=screens.OVER, queries_max=8),
    route("POST", "/api/site/export", api_start_export, title="Have the whole website saved",
          permission="page.publish", idempotency="key", effect="change", audit="site.export_asked", example={},
          queries_max=20),
    route("GET", "/api/site/export", api_get_export, title="Read how far the saved website is",
          permission="page.publish", queries_max=4),
    *screens.ROUTES,
)  # fmt: skip

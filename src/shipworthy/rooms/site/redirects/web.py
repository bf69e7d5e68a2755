"""HTTP for programs: redirects as JSON, and lists of them as files. The screens' handlers stand in screens.py."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import File, Json
from shipworthy.kernel.route import route
from shipworthy.rooms.site.redirects import screens
from shipworthy.rooms.site.redirects.book import (
    all_redirects,
    create_redirect,
    delete_redirect,
    get_redirect,
    import_redirects,
    is_gone,
    list_redirects,
)
from shipworthy.rooms.site.redirects.csv_list import LIST_CHARS_MAX, leads_text, read_list, write_list
from shipworthy.rooms.site.redirects.verdicts import URL_CHARS_MAX, Verdict, Wanted
from shipworthy.rooms.site.sites.chosen import site_of, site_with


class RedirectBody(Body):
    """A redirect: `to` is a path of the website or a whole address; or the page's id; nothing for 410."""

    from_path: Annotated[str, Meta(min_length=1, max_length=URL_CHARS_MAX)]
    to: Annotated[str, Meta(max_length=URL_CHARS_MAX)] = ""
    to_page_id: uuid.UUID | None = None
    status: int = 301

    def wanted(self) -> Wanted:
        return Wanted(from_path=self.from_path, to=self.to, to_page_id=self.to_page_id, status=self.status)


class ListBody(Body):
    """A list of redirects, as the text of a file."""

    csv: Annotated[str, Meta(max_length=LIST_CHARS_MAX)]


class RedirectListQuery(msgspec.Struct):
    q: Annotated[str, Meta(max_length=200)] = ""
    cursor: Annotated[str, Meta(max_length=2_000)] | None = None


async def api_create_redirect(ctx: Ctx, body: RedirectBody) -> Json:
    redirect_id = await create_redirect(ctx, body.wanted())
    headers = (("location", f"/api/redirects/{redirect_id}"),)
    return Json(await _shown(ctx, redirect_id), status=201, headers=headers)


async def api_get_redirect(ctx: Ctx, redirect_id: uuid.UUID) -> Any:
    return await _shown(ctx, redirect_id)


async def api_delete_redirect(ctx: Ctx, redirect_id: uuid.UUID) -> None:
    await delete_redirect(ctx, redirect_id)


async def api_list_redirects(ctx: Ctx, query: RedirectListQuery) -> Any:
    site = await site_of(ctx)
    part = await list_redirects(ctx, search=query.q, cursor=query.cursor)
    host = site["host"] if site else ""
    return {
        "redirects": [redirect_json(ctx, row, host=host) for row in part.rows],
        "next_cursor": part.next_cursor,
    }


async def api_check_redirects(ctx: Ctx, body: ListBody) -> Any:
    return verdicts_json(await import_redirects(ctx, read_list(body.csv), is_dry=True))


async def api_import_redirects(ctx: Ctx, body: ListBody) -> Any:
    return verdicts_json(await import_redirects(ctx, read_list(body.csv), is_dry=False))


async def api_export_redirects(ctx: Ctx) -> File:
    site = await site_of(ctx)
    rows = [row async for row in all_redirects(ctx)]
    body = write_list(rows, host=site["host"] if site else "", settings=ctx.runtime.settings)
    headers = (("content-disposition", 'attachment; filename="redirects.csv"'),)
    return File(body, "text/csv; charset=utf-8", headers=headers)


async def _shown(ctx: Ctx, redirect_id: uuid.UUID) -> dict[str, Any]:
    row = await get_redirect(ctx, redirect_id)
    site = await site_with(ctx, row["site_id"])
    return redirect_json(ctx, row, host=site["host"])


def redirect_json(ctx: Ctx, row: Mapping[str, Any], *, host: str) -> dict[str, Any]:
    names = (
        "redirect_id", "from_path", "to_page_id", "to_url", "status", "origin", "hits", "last_hit_at", "created_at",
    )  # fmt: skip
    to = leads_text(row, host=host, settings=ctx.runtime.settings)
    return {**{name: row[name] for name in names}, "to": to, "is_gone": is_gone(row)}


def verdicts_json(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    return {
        "good": sum(verdict.is_good for verdict in verdicts),
        "refused": sum(not verdict.is_good for verdict in verdicts),
        "rows": [
            {
                "line": verdict.wanted.line,
                "from": verdict.from_path or verdict.wanted.from_path,
                "to": verdict.wanted.to,
                "status": verdict.wanted.status,
                "outcome": verdict.outcome or verdict.problem,
                "message": verdict.message,
            }
            for verdict in verdicts
        ],
    }


_EXAMPLE = {"from_path": "/sample-of-old", "to": "https://sample.example/new", "status": 301}
_LIST_EXAMPLE = {"csv": "from,to,status\n/sample-list,https://sample.example/,302\n"}
_LIST_BYTES_MAX = 2 * LIST_CHARS_MAX
_ONE = {"redirect_id": "redirect_id"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1);
# a tenant's first redirect also starts its site (8). A redirect that is there already is answered as if it was new.
ROUTES = (
    route("POST", "/api/redirects", api_create_redirect, title="Let an address lead elsewhere",
          permission="page.publish", body=RedirectBody, screened=False, status=201, idempotency="key", effect="change",
          audit="redirect.created", example=_EXAMPLE, queries_max=24),
    route("GET", "/api/redirects", api_list_redirects, title="List redirects", permission="page.read",
          query=RedirectListQuery, queries_max=5),
    route("GET", "/api/redirects/export", api_export_redirects, title="Redirects as a file", media="file",
          permission="page.read", queries_max=10),
    route("POST", "/api/redirects/check", api_check_redirects, title="What an import of redirects would do",
          permission="page.publish", body=ListBody, screened=False, example=_LIST_EXAMPLE, body_bytes_max=_LIST_BYTES_MAX,
          queries_max=14),
    route("POST", "/api/redirects/import", api_import_redirects, title="Import a list of redirects",
          permission="page.publish", body=ListBody, screened=False, idempotency="key", effect="change", audit="redirect.imported",
          example=_LIST_EXAMPLE, body_bytes_max=_LIST_BYTES_MAX, queries_max=22),
    route("GET", "/api/redirects/{redirect_id}", api_get_redirect, title="Read a redirect", permission="page.read",
          params=_ONE, queries_max=4),
    route("DELETE", "/api/redirects/{redirect_id}", api_delete_redirect, title="Delete a redirect", status=204,
          permission="page.publish", effect="change", audit="redirect.deleted", params=_ONE, queries_max=8),
    *screens.ROUTES,
)  # fmt: skip

"""HTTP for people who bring a website: a file sent, what it would do, how far it is, and the way back."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.route import route
from shipworthy.rooms.site.assets.screens import size
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.exchange.book import (
    FILE_BYTES_MAX,
    NAME_CHARS_MAX,
    OUTCOMES,
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
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.shown import moment
from shipworthy.rooms.site.sites.chosen import site_of

_MOVING = ("reading", "taking", "undoing")
_STATUSES = {  # the badge's tone, and its word
    "reading": ("open", mark("Being looked through")),
    "read": ("changed", mark("To be decided")),
    "refused": ("failed", mark("Refused")),
    "taking": ("open", mark("Being taken in")),
    "taken": ("active", mark("Taken in")),
    "undoing": ("open", mark("Being taken out")),
    "undone": ("void", mark("Taken out")),
}
_OUTCOMES = {
    "new": ("open", mark("Comes in")),
    "known": ("draft", mark("Here already")),
    "skipped": ("changed", mark("Left out")),
    "done": ("active", mark("Taken in")),
    "undone": ("void", mark("Taken out")),
    "kept": ("draft", mark("Stays")),
}
_KINDS = {
    "": mark("File"),
    "wordpress": mark("Export of WordPress"),
    "markdown": mark("Folder of Markdown"),
    "site": mark("Saved website"),
}
_LABELS = {
    "post": mark("Post"), "page": mark("Page"), "attachment": mark("Attachment"), "picture": mark("Picture"),
    "address": mark("Old address"), "nav_menu_item": mark("Menu entry"), "category": mark("Category"), "tag": mark("Tag"),
    "term": mark("Term"),
    "file": mark("File"), "settings": mark("Settings"), "menus": mark("Menus"),
    "domain": mark("Domain"),
}  # fmt: skip


class SendForm(Body):
    """A website's file. A form sends it as itself, with its name."""

    file: bytes = b""
    file_name: Annotated[str, Meta(max_length=4 * NAME_CHARS_MAX)] = ""


class ItemsQuery(msgspec.Struct):
    outcome: Annotated[str, Meta(max_length=20)] = ""
    cursor: Annotated[str, Meta(max_length=200)] | None = None


class ListQuery(msgspec.Struct):
    cursor: Annotated[str, Meta(max_length=200)] | None = None


async def imports_page(ctx: Ctx, query: ListQuery) -> Page:
    return await _list(ctx, cursor=query.cursor)


async def submit_import(ctx: Ctx, form: SendForm) -> Redirect:
    try:
        import_id = await send_import(ctx, form.file, name=form.file_name)
    except Invalid as refused:
        async with ctx.begin() as tx:
            ctx.tx = tx
            raise refused.shown_on(await _list(ctx, errors=refused.fields)) from None
    return Redirect(f"/imports/{import_id}")


async def import_page(ctx: Ctx, import_id: uuid.UUID, query: ItemsQuery) -> Page:
    row = await get_import(ctx, import_id)
    outcome = query.outcome if query.outcome in OUTCOMES else ""
    counts = await ctx.db.all(q.import_counts, import_id=import_id)
    part = await list_items(ctx, import_id, outcome=outcome, cursor=query.cursor)
    site = await site_of(ctx)
    by_outcome = Counter[str]()
    for count in counts:
        by_outcome[count["outcome"]] += count["items"]
    data = {
        **_progress(row),
        "kind": _(_KINDS[row["kind"]]),
        "refusal": refusal_text(row["refusal"]) if row["refusal"] else "",
        "stats": _stats(counts),
        "tabs": _tabs(import_id, by_outcome),
        "outcome": outcome or "all",
        "items": [_shown(item) for item in part.rows],
        "next": _address(import_id, outcome, part.next_cursor) if part.next_cursor else "",
        "start": _address(import_id, outcome, None) if query.cursor else "",
        "can_take": row["status"] == "read" and by_outcome["new"] > 0,
        "can_undo": row["status"] == "taken" and by_outcome["done"] > 0,
        "can_delete": row["status"] in ("read", "refused", "undone"),
        "new": by_outcome["new"],
        "may_write": may_write(ctx),
        "when": moment(row["created_at"], now=ctx.now(), time_zone=site["time_zone"]) if site else "",
        "author": row["author_name"],
    }
    return Page("site/import.html", data, title=row["file_name"], section="pages")


async def import_progress(ctx: Ctx, import_id: uuid.UUID) -> Page:
    """How far an import is; when it has stopped, the whole page is asked for again."""
    row = await get_import(ctx, import_id)
    headers = (("hx-refresh", "true"),) if row["status"] not in _MOVING else ()
    return Page("site/import_progress.html", _progress(row), headers=headers)


async def submit_take(ctx: Ctx, import_id: uuid.UUID) -> Redirect:
    await take_import(ctx, import_id)
    return Redirect(f"/imports/{import_id}")


async def submit_undo(ctx: Ctx, import_id: uuid.UUID) -> Redirect:
    await undo_import(ctx, import_id)
    return Redirect(f"/imports/{import_id}")


async def submit_delete(ctx: Ctx, import_id: uuid.UUID) -> Redirect:
    await delete_import(ctx, import_id)
    return Redirect("/imports", flash=_("The import is forgotten."))


async def _list(ctx: Ctx, *, cursor: str | None = None, errors: dict[str, str] | None = None) -> Page:
    part = await list_imports(ctx, cursor=cursor)
    site = await site_of(ctx)
    data = {
        "imports": [_listed(ctx, row, site["time_zone"] if site else "UTC") for row in part.rows],
        "next": f"/imports?{urlencode({'cursor': part.next_cursor})}" if part.next_cursor else "",
        "start": "/imports" if cursor else "",
        "errors": errors or {},
        "megabytes_max": FILE_BYTES_MAX // 1024**2,
        "may_write": may_write(ctx),
        **await _export(ctx),
    }
    return Page("site/imports.html", data, title=_("In and out"), section="pages")


async def submit_export(ctx: Ctx) -> Redirect:
    await start_export(ctx)
    return Redirect("/imports")


async def export_progress(ctx: Ctx) -> Page:
    """How far the archive is; asks again by itself while it is made."""
    return Page("site/export.html", await _export(ctx))


async def _export(ctx: Ctx) -> dict[str, Any]:
    row = await last_export(ctx)
    is_made = row is not None and row["status"] == "made"
    return {
        "export_state": row["status"] if row else "none",
        "export_done": row["done"] if row else 0,
        "export_size": size(row["bytes"]) if row and is_made else "",
        "export_day": row["made_at"].date().isoformat() if row and is_made else "",
        "export_path": export_link(ctx, row).path if row and is_made and may_write(ctx) else "",
    }


def _listed(ctx: Ctx, row: Record, time_zone: str) -> dict[str, Any]:
    tone, word = _STATUSES[row["status"]]
    return {
        "href": f"/imports/{row['import_id']}",
        "name": row["file_name"],
        "kind": _(_KINDS[row["kind"]]),
        "tone": tone,
        "word": _(word),
        "when": moment(row["created_at"], now=ctx.now(), time_zone=time_zone),
        "items": row["total"],
    }


def _progress(row: Record) -> dict[str, Any]:
    tone, word = _STATUSES[row["status"]]
    return {
        "import_id": row["import_id"],
        "status": row["status"],
        "tone": tone,
        "word": _(word),
        "is_moving": row["status"] in _MOVING,
        "done": row["done"],
        "total": row["total"],
    }


def _stats(counts: list[Record]) -> list[dict[str, Any]]:
    """Return how many things of each kind come, came, or stay out."""
    names = {"page": _("Pages"), "picture": _("Pictures"), "redirect": _("Old addresses")}
    here = Counter[str]()
    for count in counts:
        if count["outcome"] not in ("skipped",):
            here[count["kind"]] += count["items"]
    left = sum(count["items"] for count in counts if count["outcome"] == "skipped")
    shown = sum(
        count["items"] for count in counts if count["kind"] == "page" and count["status"] == "published"
    )
    stats = [{"label": label, "value": here[kind], "note": ""} for kind, label in names.items()]
    stats[0]["note"] = _("{count} of them published", count=shown) if here["page"] else ""
    return [
        *stats,
        {"label": _("Left out"), "value": left, "note": _("each with its reason") if left else ""},
    ]


def _tabs(import_id: uuid.UUID, by_outcome: Counter[str]) -> list[dict[str, str]]:
    total = sum(by_outcome.values())
    tabs = [{"key": "all", "href": _address(import_id, "", None), "label": f"{_('All')} ({total})"}]
    for outcome in OUTCOMES:
        if by_outcome[outcome]:
            label = f"{_(_OUTCOMES[outcome][1])} ({by_outcome[outcome]})"
            tabs.append({"key": outcome, "href": _address(import_id, outcome, None), "label": label})
    return tabs


def _shown(item: Record) -> dict[str, Any]:
    tone, word = _OUTCOMES[item["outcome"]]
    becomes = {"published": _("Published"), "draft": _("Draft")}.get(item["status"], "")
    if item["publish_at"] is not None:
        becomes = _("Planned for {day}", day=item["publish_at"].date().isoformat())
    is_page = item["kind"] == "page" and item["outcome"] in ("done", "known", "kept")
    return {
        "title": item["title"] or "?",
        "label": _(_LABELS.get(item["label"], str(item["label"]))),
        "path": item["path"],
        "href": f"/pages/{item['made_id']}" if is_page and item["made_id"] else "",
        "becomes": becomes,
        "tone": tone,
        "word": _(word),
        "said": " ".join([reason_text(item["reason"]), *notes_text(item["notes"])]).strip(),
    }


def _address(import_id: uuid.UUID, outcome: str, cursor: str | None) -> str:
    pairs = {name: value for name, value in (("outcome", outcome), ("cursor", cursor)) if value}
    return f"/imports/{import_id}" + (f"?{urlencode(pairs)}" if pairs else "")


ANY, READ, TAKEN, OVER = (
    {"import_id": name} for name in ("import_id", "read_import_id", "taken_import_id", "over_import_id")
)
# A zip of one text: what the smallest import is.
FILE_EXAMPLE = {
    "file": "UEsDBBQAAAAAAAAAIVznx2l7PgAAAD4AAAAJAAAAc2FtcGxlLm1kLS0tCnRpdGxlOiBTYW1wbGUgdGhhdCBjYW1lIGFsb25nCmRyYWZ0OiB0cnVlCi"
    "0tLQpBIHNlbnRlbmNlLgpQSwECFAMUAAAAAAAAACFc58dpez4AAAA+AAAACQAAAAAAAAAAAAAAgAEAAAAAc2FtcGxlLm1kUEsFBgAAAAABAAEANwAAAGUAAAAA"
    "AA==",
    "file_name": "sample.zip",
}
_BODY_BYTES_MAX = FILE_BYTES_MAX * 4 // 3 + 64 * 1024

ROUTES = (
    route("GET", "/imports", imports_page, title="Websites that came from elsewhere", media="html",
          permission="page.read", query=ListQuery, queries_max=7),
    route("POST", "/imports", submit_import, title="Send a website's file", media="html", permission="page.publish",
          body=SendForm, screened=False, effect="change", audit="import.sent", example=FILE_EXAMPLE, transaction=False,
          body_bytes_max=_BODY_BYTES_MAX, queries_max=16),
    route("POST", "/site/export", submit_export, title="Have the whole website saved", media="html",
          permission="page.publish", idempotency="key", effect="change", audit="site.export_asked", example={},
          queries_max=20),
    route("GET", "/site/export/progress", export_progress, title="How far the saved website is", media="html",
          permission="page.read", queries_max=4),
    route("GET", "/imports/{import_id}", import_page, title="What an import would do", media="html",
          permission="page.read", params=ANY, query=ItemsQuery, queries_max=6),
    route("GET", "/imports/{import_id}/progress", import_progress, title="How far an import is", media="html",
          permission="page.read", params=ANY, queries_max=3),
    route("POST", "/imports/{import_id}/take", submit_take, title="Take an import in", media="html",
          permission="page.publish", idempotency="key", effect="change", audit="import.taken", params=READ,
          example={}, queries_max=11),
    route("POST", "/imports/{import_id}/undo", submit_undo, title="Take an import out again", media="html",
          permission="page.publish", idempotency="key", effect="change", audit="import.undone", params=TAKEN,
          example={}, queries_max=11),
    route("POST", "/imports/{import_id}/delete", submit_delete, title="Forget an import", media="html",
          permission="page.publish", idempotency="key", effect="change", audit="import.deleted", params=OVER,
          example={}, queries_max=10),
)  # fmt: skip

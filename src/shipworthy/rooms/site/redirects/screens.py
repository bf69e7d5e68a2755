"""HTTP for people: the list of redirects, one more by form, and whole lists looked at before they are taken in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.route import route
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.redirects.book import (
    create_redirect,
    delete_redirect,
    import_redirects,
    is_gone,
    list_redirects,
)
from shipworthy.rooms.site.redirects.csv_list import LIST_CHARS_MAX, ROWS_MAX, leads_text, read_list
from shipworthy.rooms.site.redirects.verdicts import NEW, REPLACES, URL_CHARS_MAX, Wanted
from shipworthy.rooms.site.shown import moment
from shipworthy.rooms.site.sites.chosen import made_for, site_of

_STATUSES = (
    ("301", mark("Moved for good (301)")),
    ("302", mark("Elsewhere for now (302)")),
    ("307", mark("Elsewhere for now, forms too (307)")),
    ("308", mark("Moved for good, forms too (308)")),
    ("410", mark("Gone (410)")),
)
_ORIGINS = {
    "moved": mark("A page moved"),
    "deleted": mark("A page was deleted"),
    "manual": mark("By hand"),
    "import": mark("Imported"),
}
_PROBLEMS = {
    "redirect_invalid": mark("Cannot be"),
    "redirect_nowhere": mark("No page there"),
    "redirect_loop": mark("Circle"),
    "redirect_chain": mark("Chain"),
    "redirect_shadowed": mark("A page is there"),
    "redirect_twice": mark("Twice"),
}
_OUTCOMES = {NEW: mark("New"), REPLACES: mark("Replaces another")}
_ROWS_SHOWN = 200  # of a checked list: those with a problem first
Typed = Annotated[str, Meta(max_length=2 * URL_CHARS_MAX)]


class RedirectForm(Body):
    """Everything is text, so that a refused form shows what was typed."""

    from_path: Typed = ""
    to: Typed = ""
    status: Typed = "301"
    site: Typed = ""  # the one the form was made for

    def wanted(self) -> Wanted:
        status = int(self.status) if self.status in dict(_STATUSES) else 0
        return Wanted(from_path=self.from_path, to=self.to, status=status)


class ListForm(Body):
    csv: Annotated[str, Meta(max_length=LIST_CHARS_MAX)] = ""
    site: Annotated[str, Meta(max_length=40)] = ""


class ListQuery(msgspec.Struct):
    q: Annotated[str, Meta(max_length=200)] = ""
    cursor: Annotated[str, Meta(max_length=2_000)] | None = None


async def redirects_page(ctx: Ctx, query: ListQuery) -> Page:
    site = await site_of(ctx)
    part = await list_redirects(ctx, search=query.q, cursor=query.cursor)
    data = {
        "redirects": [_shown(ctx, row, site) for row in part.rows] if site else [],
        "search": query.q,
        "is_first": query.cursor is None,
        "may_write": may_write(ctx),
        "start": _address(query.q, None) if query.cursor else "",
        "next": _address(query.q, part.next_cursor) if part.next_cursor else "",
    }
    return Page("site/redirects.html", data, title=_("Redirects"), section="pages")


async def new_redirect_page(ctx: Ctx) -> Page:
    return _form(RedirectForm(site=await _site_id(ctx)))


async def submit_redirect(ctx: Ctx, form: RedirectForm) -> Redirect:
    made_for(ctx, form.site)
    try:
        await create_redirect(ctx, form.wanted())
    except Refusal as refused:
        raise refused.shown_on(_form(form, refused)) from None
    return Redirect("/redirects", flash=_("The address leads there now."))


async def submit_delete_redirect(ctx: Ctx, redirect_id: uuid.UUID) -> Redirect:
    await delete_redirect(ctx, redirect_id)
    return Redirect("/redirects", flash=_("The redirect is deleted."))


async def import_page(ctx: Ctx) -> Page:
    return _import(ListForm(site=await _site_id(ctx)))


async def submit_check(ctx: Ctx, form: ListForm) -> Page:
    """Show what an import would do. Changes nothing."""
    made_for(ctx, form.site)
    try:
        verdicts = await import_redirects(ctx, read_list(form.csv), is_dry=True)
    except Refusal as refused:
        raise refused.shown_on(_import(form, refused=refused)) from None
    ordered = sorted(verdicts, key=lambda verdict: verdict.is_good)
    shown = [
        {
            "line": verdict.wanted.line,
            "from_path": verdict.from_path or verdict.wanted.from_path,
            "to": verdict.wanted.to,
            "status": verdict.wanted.status or "?",
            "label": _(
                _PROBLEMS.get(verdict.problem) or _OUTCOMES.get(verdict.outcome) or mark("There already")
            ),
            "tone": "failed" if verdict.problem else "changed" if verdict.outcome == REPLACES else "active",
            "message": verdict.message,
        }
        for verdict in ordered[:_ROWS_SHOWN]
    ]
    good = sum(verdict.is_good for verdict in verdicts)
    checked = {
        "rows": shown,
        "good": good,
        "refused": len(verdicts) - good,
        "more": len(verdicts) - len(shown),
    }
    return _import(form, checked=checked)


async def submit_import(ctx: Ctx, form: ListForm) -> Redirect:
    made_for(ctx, form.site)
    try:
        verdicts = await import_redirects(ctx, read_list(form.csv), is_dry=False)
    except Refusal as refused:
        raise refused.shown_on(_import(form, refused=refused)) from None
    good = sum(verdict.is_good for verdict in verdicts)
    return Redirect(
        "/redirects", flash=_("{good} of {count} redirects are in place.", good=good, count=len(verdicts))
    )


async def _site_id(ctx: Ctx) -> str:
    site = await site_of(ctx)
    return str(site["site_id"]) if site else ""


def _shown(ctx: Ctx, row: Mapping[str, Any], site: Mapping[str, Any]) -> dict[str, Any]:
    to = leads_text(row, host=site["host"], settings=ctx.runtime.settings)
    gone, is_hidden = is_gone(row), row["target_status"] == "draft"
    last = row["last_hit_at"]
    return {
        "redirect_id": row["redirect_id"],
        "from_path": row["from_path"],
        "to": _("Gone") if gone else to,
        "page_href": f"/pages/{row['to_page_id']}" if row["to_page_id"] and not gone else "",
        "note": _("The page is in the bin")
        if row["target_status"] == "deleted"
        else _("Not published: answers 404")
        if is_hidden
        else "",
        "status": 410 if gone else row["status"],
        "origin": _(_ORIGINS[row["origin"]]),
        "hits": row["hits"],
        "last": moment(last, now=ctx.now(), time_zone=site["time_zone"]) if last else "",
    }


def _form(form: RedirectForm, refused: Refusal | None = None) -> Page:
    data = {
        "form": form,
        "errors": refused.fields if refused else {},
        "refusal": refused.message if refused and not refused.fields else "",
        "statuses": [[value, _(label)] for value, label in _STATUSES],
        "chars_max": URL_CHARS_MAX,
    }
    return Page("site/redirect_form.html", data, title=_("New redirect"), section="pages")


def _import(
    form: ListForm, *, checked: Mapping[str, Any] | None = None, refused: Refusal | None = None
) -> Page:
    data = {
        "form": form,
        "errors": refused.fields if refused else {},
        "checked": checked,
        "rows_max": ROWS_MAX,
        "chars_max": LIST_CHARS_MAX,
    }
    return Page("site/redirect_import.html", data, title=_("Import redirects"), section="pages")


def _address(search: str, cursor: str | None) -> str:
    pairs = {name: value for name, value in (("q", search), ("cursor", cursor)) if value}
    return f"/redirects?{urlencode(pairs)}" if pairs else "/redirects"


_EXAMPLE = {"from_path": "/sample-of-older", "to": "https://sample.example/new", "status": "301"}
_LIST_EXAMPLE = {"csv": "from,to,status\n/sample-lists,https://sample.example/,302\n"}
_LIST_BYTES_MAX = 3 * LIST_CHARS_MAX  # as a form, percent-encoded

ROUTES = (
    route("GET", "/redirects", redirects_page, title="Redirects", media="html", permission="page.read",
          query=ListQuery, queries_max=5),
    route("GET", "/redirects/new", new_redirect_page, title="New redirect", media="html",
          permission="page.publish", queries_max=3),
    route("POST", "/redirects", submit_redirect, title="Let an address lead elsewhere", media="html",
          permission="page.publish", body=RedirectForm, screened=False, idempotency="key", effect="change",
          audit="redirect.created", example=_EXAMPLE, queries_max=22),
    route("POST", "/redirects/{redirect_id}/delete", submit_delete_redirect, title="Delete a redirect", media="html",
          permission="page.publish", idempotency="key", effect="change", audit="redirect.deleted",
          params={"redirect_id": "other_redirect_id"}, example={}, queries_max=10),
    route("GET", "/redirects/import", import_page, title="Import redirects", media="html",
          permission="page.publish", queries_max=3),
    route("POST", "/redirects/check", submit_check, title="What an import of redirects would do", media="html",
          permission="page.publish", body=ListForm, screened=False, example=_LIST_EXAMPLE, body_bytes_max=_LIST_BYTES_MAX,
          queries_max=14),
    route("POST", "/redirects/import", submit_import, title="Import a list of redirects", media="html",
          permission="page.publish", body=ListForm, screened=False, idempotency="key", effect="change", audit="redirect.imported",
          example=_LIST_EXAMPLE, body_bytes_max=_LIST_BYTES_MAX, queries_max=22),
)  # fmt: skip

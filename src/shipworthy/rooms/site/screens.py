"""HTTP for people: the same capabilities as the API, as pages and forms."""

from __future__ import annotations

import uuid
from typing import Annotated, Any
from urllib.parse import urlencode

from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import File, Page, Redirect
from shipworthy.kernel.route import route
from shipworthy.rooms.site.addresses import PATH_CHARS_MAX
from shipworthy.rooms.site.bodies import PageListQuery, url_of
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.listing import list_pages
from shipworthy.rooms.site.markup import BODY_CHARS_MAX
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.publish import publish_page, unpublish_page
from shipworthy.rooms.site.render import HTML, origin, preview_csp, render_preview
from shipworthy.rooms.site.shown import moment, snippet, status_of
from shipworthy.rooms.site.versions import Stale, VersionNeeded
from shipworthy.rooms.site.write import (
    DESCRIPTION_CHARS_MAX,
    TITLE_CHARS_MAX,
    PageText,
    create_page,
    get_page,
    hold_page,
    save_text,
)

_LIMITS = {
    "title": TITLE_CHARS_MAX,
    "path": PATH_CHARS_MAX,
    "description": DESCRIPTION_CHARS_MAX,
    "body": BODY_CHARS_MAX,
}

ANY_VERSION = "*"  # as in If-Match: whatever stands there now
Text = Annotated[str, Meta(max_length=2 * BODY_CHARS_MAX)]  # the capability says what is too long, by field


class PageForm(Body):
    """The editor: everything is text, so that a refused form shows what was typed."""

    title: Text = ""
    path: Text = ""
    description: Text = ""
    body: Text = ""
    in_menu: Text = ""
    version: Text = ""

    def text(self) -> PageText:
        return PageText(
            title=self.title,
            path=self.path,
            description=self.description,
            body=self.body,
            in_menu=bool(self.in_menu),
        )

    def version_seen(self) -> int | None:
        """Return the version the form was made from; None for `*`, any. Errors: VersionNeeded."""
        if self.version == ANY_VERSION:
            return None
        if not (self.version.isascii() and self.version.isdigit() and len(self.version) < 10):
            raise VersionNeeded()
        return int(self.version)


class SeenVersion(Body):
    """The version a button was shown for."""

    version: int | None = None


async def pages_page(ctx: Ctx, query: PageListQuery) -> Page:
    site = await ctx.db.maybe(q.site_get)
    shown = await list_pages(ctx, cursor=query.cursor)
    pages = [
        {
            **row,
            "badge": status_of(row),
            "changed": moment(row["updated_at"], now=ctx.now(), time_zone=site["time_zone"]) if site else "",
            "url": url_of(ctx.runtime.settings, site, row["path"]) if row["status"] == "published" else "",
        }
        for row in shown.rows
    ]
    data = {
        "pages": pages,
        "host": site["host"] if site else "",
        "home_url": url_of(ctx.runtime.settings, site, "/"),
        "may_write": may_write(ctx),
        "previous": _list_address(shown.previous_cursor),
        "next": _list_address(shown.next_cursor),
    }
    return Page("site/pages.html", data, title="Pages", section="pages")


async def new_page_page(ctx: Ctx) -> Page:
    return _editor(ctx, PageForm(in_menu="true"), site=await ctx.db.maybe(q.site_get))


async def page_page(ctx: Ctx, page_id: uuid.UUID) -> Page:
    page = await get_page(ctx, page_id)
    return _editor(ctx, _form_of(page), site=await ctx.db.one(q.site_get), page=page)


async def submit_new_page(ctx: Ctx, form: PageForm) -> Redirect:
    site = await ctx.db.maybe(q.site_get)
    try:
        page_id = await create_page(ctx, form.text())
    except Refusal as refused:
        raise refused.shown_on(_editor(ctx, form, site=site, refused=refused)) from None
    return Redirect(f"/pages/{page_id}", flash="Draft saved. Nobody sees it until you publish it.")


async def submit_page(ctx: Ctx, page_id: uuid.UUID, form: PageForm) -> Redirect:
    before = await _save(ctx, page_id, form)
    kept = before["status"] == "published"
    flash = "Saved. Visitors still see the published version." if kept else "Draft saved."
    return Redirect(f"/pages/{page_id}", flash=flash)


async def submit_page_and_publish(ctx: Ctx, page_id: uuid.UUID, form: PageForm) -> Redirect:
    await _save(ctx, page_id, form)
    await publish_page(ctx, page_id)
    return Redirect(f"/pages/{page_id}", flash="Published. Visitors see this version now.")


async def submit_publish(ctx: Ctx, page_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    await publish_page(ctx, page_id, seen=seen.version)
    return Redirect(f"/pages/{page_id}", flash="Published. Visitors see this version now.")


async def submit_unpublish(ctx: Ctx, page_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    await unpublish_page(ctx, page_id, seen=seen.version)
    return Redirect(f"/pages/{page_id}", flash="Unpublished. The text stays here as a draft.")


async def preview_page(ctx: Ctx, page_id: uuid.UUID) -> File:
    """The newest version in the theme. It stands on the console's host, so it is cut off from it."""
    page, site = await get_page(ctx, page_id), await ctx.db.one(q.site_get)
    menu = [(m["path"], m["title"]) for m in await ctx.db.all(q.published_menu, site_id=page["site_id"])]
    settings = ctx.runtime.settings
    site_origin = origin(settings, site["host"] or "localhost")
    body = render_preview(
        ctx.runtime.pages, {**site, **page}, menu, site_origin=site_origin, locale=settings.app.locale
    )
    headers = (
        ("content-security-policy", preview_csp(site_origin)),
        ("cache-control", "no-store"),
        ("x-robots-tag", "noindex"),
    )
    return File(body, HTML, headers=headers)


async def preview_snippet(ctx: Ctx, form: PageForm) -> Page:
    """How what is typed so far may look in search results. Changes nothing."""
    site = await ctx.db.maybe(q.site_get)
    return Page("site/snippet.html", {"snippet": snippet(form.title, form.path, form.description, site)})


async def _save(ctx: Ctx, page_id: uuid.UUID, form: PageForm) -> Record:
    """Save what was typed and return the page as it was; a refusal shows the editor with the text in it."""
    seen = form.version_seen()
    page, site = await hold_page(ctx, page_id), await ctx.db.one(q.site_get)
    try:
        await save_text(ctx, page, form.text(), seen=seen)
    except Stale as stale:
        form.version = str(stale.version)
        raise stale.shown_on(_editor(ctx, form, site=site, page=page, is_stale=True)) from None
    except Refusal as refused:
        raise refused.shown_on(_editor(ctx, form, site=site, page=page, refused=refused)) from None
    return page


def _editor(
    ctx: Ctx,
    form: PageForm,
    *,
    site: Record | None,
    page: Record | None = None,
    refused: Refusal | None = None,
    is_stale: bool = False,
) -> Page:
    is_published = page is not None and page["status"] == "published"
    data: dict[str, Any] = {
        "form": form,
        "errors": refused.fields if refused else {},
        "refusal": refused.message if refused and not refused.fields else "",
        "is_stale": is_stale,
        "action": f"/pages/{page['page_id']}" if page else "/pages",
        "host": site["host"] if site else "",
        "is_new": page is None,
        "is_published": is_published,
        "has_changes": page is not None and page["version"] != page["published_version"],
        "badge": status_of(page) if page else {"status": "draft", "label": ""},
        "facts": _facts(ctx, page, site) if page and site else [],
        "url": url_of(ctx.runtime.settings, site, page["path"]) if page and is_published else "",
        "may_write": may_write(ctx),
        "limits": _LIMITS,
        "snippet": snippet(form.title, form.path, form.description, site),
    }
    return Page("site/page_form.html", data, title=page["title"] if page else "New page", section="pages")


def _form_of(page: Record) -> PageForm:
    return PageForm(
        title=page["title"],
        path=page["path"],
        description=page["description"],
        body=page["body"],
        in_menu="true" if page["in_menu"] else "",
        version=str(page["version"]),
    )


def _facts(ctx: Ctx, page: Record, site: Record) -> list[list[str]]:
    """Return when what happened to a page, for its side column."""
    days = [("Saved", page["updated_at"])]
    if page["status"] == "published":
        days += [
            ("Content changed", page["content_changed_at"]),
            ("First published", page["published_at"]),
        ]
    now, zone = ctx.now(), site["time_zone"]
    return [[label, moment(when, now=now, time_zone=zone)] for label, when in days]


def _list_address(cursor: str | None) -> str:
    return f"/pages?{urlencode({'cursor': cursor})}" if cursor else ""


FORM_EXAMPLE = {
    "title": "Spring offer",
    "description": "Until the end of May, a check of your heating costs nothing.",
    "body": "Call us before the end of **May**.\n\n## What we check\n\n- Pressure\n- Pump",
    "in_menu": "true",
}
EDIT_EXAMPLE = {**FORM_EXAMPLE, "version": ANY_VERSION}
ANY, DRAFT = {"page_id": "page_id"}, {"page_id": "draft_page_id"}
PUBLISHED = {"page_id": "published_page_id"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1);
# the first page of a tenant also starts its site (7).
ROUTES = (
    route("GET", "/pages", pages_page, title="Pages", media="html", permission="page.read",
          query=PageListQuery, queries_max=4),
    route("GET", "/pages/new", new_page_page, title="New page", media="html", permission="page.write",
          queries_max=3),
    route("POST", "/pages", submit_new_page, title="Create a page", media="html", permission="page.write",
          body=PageForm, idempotency="key", effect="create", audit="page.created", example=FORM_EXAMPLE,
          queries_max=16),
    route("POST", "/pages/snippet", preview_snippet, title="How a page may look in search results", media="html",
          permission="page.read", body=PageForm, example=FORM_EXAMPLE, queries_max=3),
    route("GET", "/pages/{page_id}", page_page, title="Page", media="html", permission="page.read", params=ANY,
          queries_max=4),
    route("POST", "/pages/{page_id}", submit_page, title="Save a page", media="html", permission="page.write",
          body=PageForm, idempotency="key", effect="change", audit="page.edited", params=DRAFT,
          example=EDIT_EXAMPLE, queries_max=11),
    route("POST", "/pages/{page_id}/save-and-publish", submit_page_and_publish, title="Save a page and publish it",
          media="html", permission="page.publish", body=PageForm, idempotency="key", effect="change",
          audit="page.published", params=DRAFT, example=EDIT_EXAMPLE, queries_max=18),
    route("POST", "/pages/{page_id}/publish", submit_publish, title="Publish a page", media="html",
          permission="page.publish", body=SeenVersion, idempotency="key", effect="change", audit="page.published",
          params=DRAFT, example={}, queries_max=11),
    route("POST", "/pages/{page_id}/unpublish", submit_unpublish, title="Unpublish a page", media="html",
          permission="page.publish", body=SeenVersion, idempotency="key", effect="change", audit="page.unpublished",
          params=PUBLISHED, example={}, queries_max=11),
    route("GET", "/pages/{page_id}/preview", preview_page, title="Preview of a page", media="file",
          permission="page.read", params=ANY, queries_max=5),
)  # fmt: skip

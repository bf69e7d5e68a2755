"""HTTP for people: the same capabilities as the API, as pages and forms."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import route
from shipworthy.rooms.site.addresses import PATH_CHARS_MAX
from shipworthy.rooms.site.blocks.stored import Stored, blocks_of, fresh_id
from shipworthy.rooms.site.bodies import PageListQuery, url_of
from shipworthy.rooms.site.editor.form import ANY_VERSION, PageForm
from shipworthy.rooms.site.editor.operations import PICK, UNDO
from shipworthy.rooms.site.editor.saving import Conflicting, Saved, autosave_form, save_form
from shipworthy.rooms.site.editor.view import block_views, labels_of, mark_names, type_views
from shipworthy.rooms.site.history.past import restore_version
from shipworthy.rooms.site.lint.publishable import remarks_on
from shipworthy.rooms.site.lint.rules import Remark, by_level
from shipworthy.rooms.site.listing import NOTHING, list_pages
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.preview.show import preview_address, preview_origin
from shipworthy.rooms.site.publish import publish_page, unpublish_page
from shipworthy.rooms.site.schedule.local_time import said
from shipworthy.rooms.site.shown import moment, snippet, status_of
from shipworthy.rooms.site.sites.chosen import made_for, site_of, site_with
from shipworthy.rooms.site.versions import VersionNeeded, etag, version_of
from shipworthy.rooms.site.write import (
    DESCRIPTION_CHARS_MAX,
    TITLE_CHARS_MAX,
    create_page,
    get_page,
    hold_page,
)

_LIMITS = {
    "title": TITLE_CHARS_MAX,
    "path": PATH_CHARS_MAX,
    "description": DESCRIPTION_CHARS_MAX,
}


class SeenVersion(Body):
    """The version a button was shown for."""

    version: int | None = None


async def pages_page(ctx: Ctx, query: PageListQuery) -> Page:
    site = await site_of(ctx)
    shown = await list_pages(ctx, site["site_id"], cursor=query.cursor) if site else NOTHING
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
    return _editor(ctx, PageForm(in_menu="true"), [_first_text(ctx)], site=await site_of(ctx))


async def page_page(ctx: Ctx, page_id: uuid.UUID) -> Page:
    page = await get_page(ctx, page_id)
    site = await site_with(ctx, page["site_id"])
    found = await remarks_on(ctx, page, site)
    return _editor(ctx, _form_of(page), blocks_of(page), site=site, page=page, found=found)


async def submit_new_page(ctx: Ctx, form: PageForm) -> Redirect:
    made_for(ctx, form.site)
    site = await site_of(ctx)
    try:
        page_id = await create_page(ctx, form.text())
    except Refusal as refused:
        blocks = _as_sent(ctx, form)
        raise refused.shown_on(_editor(ctx, form, blocks, site=site, refused=refused)) from None
    return Redirect(f"/pages/{page_id}", flash=_("Draft saved. Nobody sees it until you publish it."))


async def submit_page(ctx: Ctx, page_id: uuid.UUID, form: PageForm) -> Redirect:
    verb, _colon, number = form.do.partition(":")
    if verb == UNDO:
        await restore_version(ctx, page_id, number, seen=form.version_seen())
        return Redirect(f"/pages/{page_id}", flash="Undone.")
    saved = await _save(ctx, page_id, form)
    kept = saved.before["status"] == "published"
    flash = _("Saved. Visitors still see the published version.") if kept else _("Draft saved.")
    if saved.is_merged:
        flash = _("Saved. Somebody else changed other parts meanwhile; both are here.")
    if verb == PICK:
        where = urlencode({"block": saved.at, "place": number.partition(":")[2], "version": saved.version})
        return Redirect(f"/pages/{page_id}/pictures?{where}")
    place = f"#block-{saved.at}" if saved.at else ""
    return Redirect(f"/pages/{page_id}{place}", flash="" if form.do and not saved.is_merged else flash)


async def autosave_page(ctx: Ctx, page_id: uuid.UUID, form: PageForm) -> Page:
    """Save what is typed so far, under If-Match; answer with what stands beside the text."""
    if_match = ctx.extra["headers"].get("if-match")
    if if_match is None:
        raise VersionNeeded()
    await autosave_form(ctx, page_id, form, seen=version_of(if_match))
    page = await get_page(ctx, page_id)
    site = await site_with(ctx, page["site_id"])
    data = _beside(ctx, _form_of(page), site=site, page=page, found=await remarks_on(ctx, page, site))
    return Page("site/editor_side.html", data, headers=(etag(page["version"]),))


async def submit_page_and_publish(ctx: Ctx, page_id: uuid.UUID, form: PageForm) -> Redirect:
    await _save(ctx, page_id, form)
    try:
        await publish_page(ctx, page_id)
    except Refusal as refused:  # nothing is saved then: the form keeps what was typed
        page = await get_page(ctx, page_id)
        site = await site_with(ctx, page["site_id"])
        found = await remarks_on(ctx, page, site)
        shown = _editor(ctx, form, _as_sent(ctx, form), site=site, page=page, refused=refused, found=found)
        raise refused.shown_on(shown) from None
    return Redirect(f"/pages/{page_id}", flash=_("Published. Visitors see this version now."))


async def submit_publish(ctx: Ctx, page_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    await publish_page(ctx, page_id, seen=seen.version)
    return Redirect(f"/pages/{page_id}", flash=_("Published. Visitors see this version now."))


async def submit_unpublish(ctx: Ctx, page_id: uuid.UUID, seen: SeenVersion) -> Redirect:
    await unpublish_page(ctx, page_id, seen=seen.version)
    return Redirect(f"/pages/{page_id}", flash=_("Unpublished. The text stays here as a draft."))


async def preview_page(ctx: Ctx, page_id: uuid.UUID) -> Redirect:
    """The newest version, on a host of its own: what people write never stands on the console's."""
    page = await get_page(ctx, page_id)
    return Redirect(preview_address(ctx, page, await site_with(ctx, page["site_id"])))


async def preview_snippet(ctx: Ctx, form: PageForm) -> Page:
    """How what is typed so far may look in search results. Changes nothing."""
    site = await site_of(ctx)
    return Page("site/snippet.html", {"snippet": snippet(form.title, form.path, form.description, site)})


async def _save(ctx: Ctx, page_id: uuid.UUID, form: PageForm) -> Saved:
    """Save what was typed; a refusal shows the editor with the text in it."""
    seen = form.version_seen()
    page = await hold_page(ctx, page_id)
    site = await site_with(ctx, page["site_id"])
    try:
        return await save_form(ctx, page, form)
    except Conflicting as conflict:
        merged = conflict.merged
        form.version = str(conflict.version)
        form.title, form.description = merged.fields["title"], merged.fields["description"]
        form.in_menu = "true" if merged.fields["in_menu"] else ""
        shown = _editor(ctx, form, merged.blocks, site=site, page=page, theirs=merged.theirs)
        raise conflict.shown_on(shown) from None
    except Refusal as refused:
        form.version = ANY_VERSION if seen is None else str(seen)
        shown = _editor(ctx, form, _as_sent(ctx, form), site=site, page=page, refused=refused)
        raise refused.shown_on(shown) from None


def _editor(
    ctx: Ctx,
    form: PageForm,
    blocks: Sequence[Stored],
    *,
    site: Record | None,
    page: Record | None = None,
    refused: Refusal | None = None,
    theirs: Mapping[str, Any] | None = None,
    found: Sequence[Remark] = (),
) -> Page:
    is_published = page is not None and page["status"] == "published"
    errors = refused.fields if refused else {}
    data: dict[str, Any] = {
        **_beside(ctx, form, site=site, page=page, found=found),
        "errors": errors,
        "error_labels": labels_of(errors, blocks),
        "refusal": refused.message if refused and (not errors or refused.kind == "conflict") else "",
        "theirs": theirs,
        "their_fields": {
            name: theirs[name] for name in ("title", "description") if theirs and name in theirs
        },
        "blocks": block_views(blocks, errors=errors, theirs=theirs),
        "types": type_views(),
        "marks": mark_names(),
        "action": f"/pages/{page['page_id']}" if page else "/pages",
        "host": site["host"] if site else "",
        "site_id": str(site["site_id"]) if site and page is None else "",
        "is_new": page is None,
        "is_published": is_published,
        "has_changes": page is not None and page["version"] != page["published_version"],
        "badge": status_of(page) if page else {"status": "draft", "label": ""},
        "url": url_of(ctx.runtime.settings, site, page["path"]) if page and is_published else "",
        "limits": _LIMITS,
        "has_preview": page is not None and site is not None and site["preview_host"] is not None,
    }
    frames = preview_origin(ctx, site) if site and site["preview_host"] else ""
    title = page["title"] if page else _("New page")
    return Page("site/page_form.html", data, title=title, section="pages", frames=frames)


def _beside(
    ctx: Ctx, form: PageForm, *, site: Record | None, page: Record | None, found: Sequence[Remark]
) -> dict[str, Any]:
    """Return what stands beside the text: how it may look in search results, what to mend, what happened to it."""
    return {
        "form": form,
        "may_write": may_write(ctx),
        "remarks": by_level(found),
        "is_checked": page is not None,
        "snippet": snippet(form.title, form.path, form.description, site),
        "facts": _facts(ctx, page, site) if page and site else [],
    }


def _as_sent(ctx: Ctx, form: PageForm) -> list[Stored]:
    """Return the blocks of a form that was refused, so that nothing of it is lost."""
    return form.stored() or [_first_text(ctx, form.body)]


def _first_text(ctx: Ctx, body: str = "") -> Stored:
    return {"id": fresh_id(ctx.new_id), "type": "text", "v": 1, "data": {"body": body}}


def _form_of(page: Record) -> PageForm:
    return PageForm(
        title=page["title"],
        path=page["path"],
        path_seen=page["path"],
        description=page["description"],
        in_menu="true" if page["in_menu"] else "",
        version=str(page["version"]),
    )


def _facts(ctx: Ctx, page: Record, site: Record) -> list[list[str]]:
    """Return when what happened to a page, for its side column."""
    days = [("Saved", page["updated_at"])]
    if page["status"] == "published":
        days += [
            (_("Content changed"), page["content_changed_at"]),
            (_("First published"), page["published_at"]),
        ]
    now, zone = ctx.now(), site["time_zone"]
    planned = [(_("Comes on"), page["publish_at"]), (_("Goes on"), page["unpublish_at"])]
    return [
        *([label, moment(when, now=now, time_zone=zone)] for label, when in days),
        *([label, said(when, time_zone=zone)] for label, when in planned if when is not None),
    ]


def _list_address(cursor: str | None) -> str:
    return f"/pages?{urlencode({'cursor': cursor})}" if cursor else ""


FORM_EXAMPLE = {
    "title": "Spring offer",
    "description": "Until the end of May, a check of your heating costs nothing.",
    "body": "Call us before the end of **May**.\n\n## What we check\n\n- Pressure\n- Pump",
    "in_menu": "true",
}
AUTOSAVE_EXAMPLE = {
    "title": "Spring offer",
    "in_menu": "true",
    "has_blocks": "1",
    "blocks": [{"key": "text:text:1", "body": "Call us."}],
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
          body=PageForm, screened=False, idempotency="key", effect="create", audit="page.created", example=FORM_EXAMPLE,
          queries_max=19),
    route("POST", "/pages/snippet", preview_snippet, title="How a page may look in search results", media="html",
          permission="page.read", body=PageForm, screened=False, example=FORM_EXAMPLE, queries_max=3),
    route("GET", "/pages/{page_id}", page_page, title="Page", media="html", permission="page.read", params=ANY,
          queries_max=5),
    route("POST", "/pages/{page_id}", submit_page, title="Save a page", media="html", permission="page.write",
          body=PageForm, screened=False, idempotency="key", effect="change", audit="page.edited", params=DRAFT,
          example=EDIT_EXAMPLE, queries_max=25),
    route("PUT", "/pages/{page_id}/autosave", autosave_page, title="Save what is typed so far", media="html",
          permission="page.write", body=PageForm, screened=False, effect="change", audit="page.edited", params=DRAFT,
          headers={"if-match": "*"}, example=AUTOSAVE_EXAMPLE, queries_max=24),
    route("POST", "/pages/{page_id}/save-and-publish", submit_page_and_publish, title="Save a page and publish it",
          media="html", permission="page.publish", body=PageForm, screened=False, idempotency="key", effect="change",
          audit="page.published", params=DRAFT, example=EDIT_EXAMPLE, queries_max=33),
    route("POST", "/pages/{page_id}/publish", submit_publish, title="Publish a page", media="html",
          permission="page.publish", body=SeenVersion, idempotency="key", effect="change", audit="page.published",
          params=DRAFT, example={}, queries_max=16),
    route("POST", "/pages/{page_id}/unpublish", submit_unpublish, title="Unpublish a page", media="html",
          permission="page.publish", body=SeenVersion, idempotency="key", effect="change", audit="page.unpublished",
          params=PUBLISHED, example={}, queries_max=12),
    route("GET", "/pages/{page_id}/preview", preview_page, title="Preview of a page", media="file",
          status=303, permission="page.read", params=ANY, queries_max=4),
)  # fmt: skip

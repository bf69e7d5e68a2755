"""HTTP of a page's plan, for people and for programs."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json, Page, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import route
from shipworthy.rooms.site.schedule.local_time import from_wall_clock, on_wall_clock, said
from shipworthy.rooms.site.schedule.plan import cancel_plan, plan_page
from shipworthy.rooms.site.screens import ANY, DRAFT
from shipworthy.rooms.site.sites.chosen import site_with
from shipworthy.rooms.site.versions import etag, version_of
from shipworthy.rooms.site.write import get_page

_Moment = Annotated[datetime, Meta(tz=True)]
_Text = Annotated[str, Meta(max_length=40)]


class PlanBody(Body):
    """When visitors are to see the newest version, and until when; times with their offset."""

    publish_at: _Moment | None = None
    unpublish_at: _Moment | None = None


class PlanForm(Body):
    """The same on the tenant's own clock, and the version the form was made for."""

    publish_at: _Text = ""
    unpublish_at: _Text = ""
    version: int | None = None


async def plan_screen(ctx: Ctx, page_id: uuid.UUID) -> Page:
    page = await get_page(ctx, page_id)
    site = await site_with(ctx, page["site_id"])
    zone = site["time_zone"]
    form = PlanForm(
        publish_at=on_wall_clock(page["publish_at"], time_zone=zone),
        unpublish_at=on_wall_clock(page["unpublish_at"], time_zone=zone),
        version=page["version"],
    )
    return _screen(page, site, form)


async def submit_plan(ctx: Ctx, page_id: uuid.UUID, form: PlanForm) -> Redirect:
    page = await get_page(ctx, page_id)
    site = await site_with(ctx, page["site_id"])
    zone = site["time_zone"]
    try:
        publish_at = from_wall_clock(form.publish_at, time_zone=zone, field="publish_at")
        unpublish_at = from_wall_clock(form.unpublish_at, time_zone=zone, field="unpublish_at")
        await plan_page(ctx, page_id, publish_at=publish_at, unpublish_at=unpublish_at, seen=form.version)
    except Refusal as refused:
        raise refused.shown_on(_screen(page, site, form, refused)) from None
    first = publish_at or unpublish_at
    when = said(first, time_zone=zone) if first else ""
    planned = (
        _("Planned. The page comes on {when}.", when=when)
        if publish_at
        else _("Planned. The page goes on {when}.", when=when)
    )
    return Redirect(f"/pages/{page_id}", flash=planned)


async def submit_cancel(ctx: Ctx, page_id: uuid.UUID) -> Redirect:
    await cancel_plan(ctx, page_id)
    return Redirect(f"/pages/{page_id}", flash=_("Cancelled. The page neither comes nor goes by itself."))


async def api_plan(ctx: Ctx, page_id: uuid.UUID, body: PlanBody) -> Json:
    seen = version_of(ctx.extra["headers"].get("if-match"))
    await plan_page(ctx, page_id, publish_at=body.publish_at, unpublish_at=body.unpublish_at, seen=seen)
    return await _planned(ctx, page_id)


async def api_cancel(ctx: Ctx, page_id: uuid.UUID) -> Json:
    await cancel_plan(ctx, page_id)
    return await _planned(ctx, page_id)


async def _planned(ctx: Ctx, page_id: uuid.UUID) -> Json:
    page = await get_page(ctx, page_id)
    names = ("page_id", "publish_at", "publish_version", "unpublish_at")
    return Json({name: page[name] for name in names}, headers=(etag(page["version"]),))


def _screen(page: Record, site: Record, form: PlanForm, refused: Refusal | None = None) -> Page:
    data: dict[str, Any] = {
        "shown": page,
        "form": form,
        "time_zone": site["time_zone"],
        "is_published": page["status"] == "published",
        "is_planned": page["publish_at"] is not None or page["unpublish_at"] is not None,
        "errors": refused.fields if refused else {},
        "refusal": refused.message if refused else "",
    }
    return Page("site/plan.html", data, title=_("Schedule"), section="pages")


_EXAMPLE = {"publish_at": "2035-01-31T09:00:00+01:00"}

ROUTES = (
    route("GET", "/pages/{page_id}/plan", plan_screen, title="When a page comes and goes", media="html",
          permission="page.publish", params=ANY, queries_max=4),
    route("POST", "/pages/{page_id}/plan", submit_plan, title="Plan when a page comes and goes", media="html",
          permission="page.publish", body=PlanForm, idempotency="key", effect="change", audit="page.planned", params=DRAFT,
          example={"publish_at": "2035-01-31T09:00"}, queries_max=15),
    route("POST", "/pages/{page_id}/plan/cancel", submit_cancel, title="Cancel a page's plan", media="html",
          permission="page.publish", idempotency="key", effect="change", audit="page.plan_cancelled", params=ANY,
          queries_max=9),
    route("PUT", "/api/pages/{page_id}/plan", api_plan, title="Plan when a page comes and goes", permission="page.publish",
          body=PlanBody, effect="change", audit="page.planned", params=DRAFT, example=_EXAMPLE, queries_max=12),
    route("DELETE", "/api/pages/{page_id}/plan", api_cancel, title="Cancel a page's plan", permission="page.publish",
          effect="change", audit="page.plan_cancelled", params=ANY, queries_max=8),
)  # fmt: skip

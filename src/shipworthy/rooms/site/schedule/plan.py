"""When a page comes and when it goes: planned by a person, done by a job that trusts no clock but the app's.

A plan names the version that was seen: what is written afterwards waits for somebody to publish it. Each change of
a plan has a number, and a job carries the number it was queued for: one of an earlier plan finds another and does
nothing. A job looks again at least every quarter of an hour, so that a clock that was set is noticed, and one that
comes early queues the next. A worker that was dead finds its job when it is back, late: a page whose end has passed
by then does not come at all.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.kernel.queue.job import enqueue
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.lint.publishable import require_publishable
from shipworthy.rooms.site.publish import hide_page, show_version
from shipworthy.rooms.site.versions import require_version
from shipworthy.rooms.site.write import hold_page

SCHEDULE_JOB = "site.schedule"
LOOK_AGAIN_S = 900
_YEARS_MAX = 10


async def plan_page(
    ctx: Ctx,
    page_id: uuid.UUID,
    *,
    publish_at: datetime | None,
    unpublish_at: datetime | None,
    seen: int | None,
) -> None:
    """Let the newest version come at one time and the page go at another; None for either: not by itself.

    Errors:  Missing; Stale when somebody saved after version `seen`; Invalid `site.plan_invalid`; Conflict
             `site.publish_blocked` when something on the page is broken.
    """
    page = await hold_page(ctx, page_id)
    require_version(seen, now=page["version"])
    _require_order(page, publish_at, unpublish_at, now=ctx.now())
    if publish_at is not None:
        await require_publishable(ctx, page)
    version = page["version"] if publish_at else None
    planned = await ctx.db.one(
        q.page_plan,
        page_id=page_id,
        publish_at=publish_at,
        publish_version=version,
        unpublish_at=unpublish_at,
    )
    await _queue_next(ctx, page_id, planned["schedule"], 0, publish_at, unpublish_at)
    times = {"publish_at": publish_at, "unpublish_at": unpublish_at}
    detail = {name: at.isoformat() for name, at in times.items() if at is not None}
    await record(ctx, "page.planned", of="page", id=page_id, detail={**detail, "version": page["version"]})


async def cancel_plan(ctx: Ctx, page_id: uuid.UUID) -> None:
    """Let the page neither come nor go by itself. Errors: Missing."""
    await hold_page(ctx, page_id)
    await ctx.db.one(q.page_plan, page_id=page_id, publish_at=None, publish_version=None, unpublish_at=None)
    await record(ctx, "page.plan_cancelled", of="page", id=page_id)


async def carry_out(ctx: Ctx, source: str) -> None:
    """Do what is due of the plan a job was queued for, and queue the next look. The job's handler."""
    name, number, looks = source.split(":")
    page_id = uuid.UUID(name)
    if await ctx.db.maybe(q.page_lock, page_id=page_id) is None:
        return
    page = await ctx.db.maybe(q.page_get, page_id=page_id)
    if page is None or page["schedule"] != int(number):
        return
    now, publish_at, unpublish_at = ctx.now(), page["publish_at"], page["unpublish_at"]
    if unpublish_at is not None and unpublish_at <= now:
        publish_at = unpublish_at = None
        if page["status"] == "published":
            await hide_page(ctx, page)
    elif publish_at is not None and publish_at <= now:
        publish_at = None
        said = await ctx.db.one(q.version_get, page_id=page_id, version=page["publish_version"])
        await show_version(ctx, {**page, **said})
    if (publish_at, unpublish_at) != (page["publish_at"], page["unpublish_at"]):
        await ctx.db.run(q.page_plan_done, page_id=page_id, unpublish_at=unpublish_at)
    await _queue_next(ctx, page_id, int(number), int(looks) + 1, publish_at, unpublish_at)


async def _queue_next(
    ctx: Ctx,
    page_id: uuid.UUID,
    number: int,
    looks: int,
    publish_at: datetime | None,
    unpublish_at: datetime | None,
) -> None:
    due = min((at for at in (publish_at, unpublish_at) if at is not None), default=None)
    if due is None:
        return
    wait_s = math.ceil((due - ctx.now()).total_seconds())
    after_s = max(1, min(wait_s, LOOK_AGAIN_S))
    await enqueue(ctx, SCHEDULE_JOB, f"{page_id}:{number}:{looks}", after_s=after_s)


def _require_order(
    page: Mapping[str, Any], publish_at: datetime | None, unpublish_at: datetime | None, *, now: datetime
) -> None:
    wrong: dict[str, str] = {}
    if publish_at is None and unpublish_at is None:
        wrong["publish_at"] = _("Choose when the page is to come, to go, or both.")
    for name, at in (("publish_at", publish_at), ("unpublish_at", unpublish_at)):
        if at is not None and at <= now:
            wrong[name] = _("This lies in the past.")
        elif at is not None and at.year > now.year + _YEARS_MAX:
            wrong[name] = _("This is more than {count} years away.", count=_YEARS_MAX)
    if publish_at is not None and unpublish_at is not None and unpublish_at <= publish_at:
        wrong["unpublish_at"] = _("The page would go before it comes.")
    if publish_at is None and unpublish_at is not None and page["status"] != "published":
        wrong["unpublish_at"] = _("No visitor sees this page: say when it is to come, too.")
    if wrong:
        raise Invalid(
            "site.plan_invalid",
            _("Some times need another value: {fields}.", fields=", ".join(wrong)),
            fields=wrong,
        )

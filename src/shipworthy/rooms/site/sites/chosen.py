"""Which of a tenant's sites a request is about: that of its page, or the one that was chosen.

A person chooses in the console, and the choice is a cookie of theirs; a form names the site it was made for, so that
what was begun on one site never lands on another that was chosen in another tab. A program says `x-site: <site_id>`.
Whoever names and chose none works on the first.
"""

from __future__ import annotations

import uuid

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Missing
from shipworthy.kernel.http import cookies
from shipworthy.kernel.language import mark
from shipworthy.rooms.site.catalogue import q

SITE_COOKIE, SITE_HEADER = "site", "x-site"
_FORM_SITE = "site.of_form"


async def site_of(ctx: Ctx) -> Record | None:
    """Return the site a request is about; None while the tenant has none.

    Errors:  Missing where a program or a form names one that is not the tenant's: nothing is to land elsewhere.
    Cost:    one query.
    """
    named = ctx.extra.get(_FORM_SITE) or ctx.extra.get("headers", {}).get(SITE_HEADER)
    asked = _id(named or _chosen(ctx))
    site = await ctx.db.maybe(q.site_chosen, site_id=asked)
    if named and (site is None or site["site_id"] != asked):
        raise Missing(mark("site"))
    return site


async def site_with(ctx: Ctx, site_id: uuid.UUID) -> Record:
    """Return one of the tenant's sites, such as that of a page."""
    return await ctx.db.one(q.site_chosen, site_id=site_id)


def made_for(ctx: Ctx, site: str) -> None:
    """Let a form be about the site it was made for, whatever was chosen since."""
    ctx.extra[_FORM_SITE] = site


def _chosen(ctx: Ctx) -> str | None:
    cookie = ctx.extra.get("headers", {}).get("cookie", "")
    return cookies.read(cookie, cookies.name(ctx.runtime.settings, SITE_COOKIE))


def _id(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None

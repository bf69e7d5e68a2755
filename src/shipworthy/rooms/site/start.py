"""A tenant's site: there from the first page on, named after the organisation."""

from __future__ import annotations

import uuid

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.language import _
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.render import ACCENTS

PREVIEW = "preview"  # the label before the site's first host
_FALLBACK_HOST = "localhost"


async def started_site(ctx: Ctx) -> Record:
    """Return the tenant's site; start it when there is none. Errors: Conflict `site.host_taken`."""
    site = await ctx.db.maybe(q.site_get)
    if site is not None:
        return site
    tenant = await ctx.db.one(q.tenant_named, tenant_id=ctx.tenant_id)
    host = f"{tenant['slug']}.{_parent_host(ctx.runtime.settings.app.hosts)}"
    await start_site(ctx, title=tenant["name"], host=host)
    return await ctx.db.one(q.site_get)


async def start_site(
    ctx: Ctx, *, title: str, host: str, tagline: str = "", theme: str = "harbour", accent: str | None = None
) -> uuid.UUID:
    """Start the tenant's site under a host of its own; return its id. Errors: Conflict `site.host_taken`."""
    # The id follows from the tenant, so that two first pages at once start one site.
    site_id = uuid.uuid5(ctx.tenant_id, "site")
    colour = accent or sorted(ACCENTS)[site_id.int % len(ACCENTS)]
    await ctx.db.run(
        q.site_create,
        site_id=site_id,
        title=title,
        tagline=tagline,
        theme=theme,
        accent=colour,
        now=ctx.now(),
    )
    taken = await ctx.db.maybe(q.domain_create, host=host, tenant_id=ctx.tenant_id, site_id=site_id)
    if taken is None and (await ctx.db.one(q.site_get))["host"] != host:
        raise Conflict(
            "site.host_taken", _("The address {host} is taken. Ask the operator for another one.", host=host)
        )
    await ctx.db.maybe(q.domain_preview, host=f"{PREVIEW}.{host}", tenant_id=ctx.tenant_id, site_id=site_id)
    await record(ctx, "site.created", of="site", id=site_id, detail={"host": host})
    return site_id


def _parent_host(console_hosts: tuple[str, ...]) -> str:
    """Return the console's host name, under which sites live until they bring their own."""
    names = (host for host in console_hosts if not host.replace(".", "").isdigit())
    return next(names, _FALLBACK_HOST)

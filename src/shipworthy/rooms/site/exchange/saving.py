"""A whole website as one archive: pages with their versions, where addresses lead, pictures, and how the site looks.

The same site is the same archive, byte for byte. Made by a job, some pages at a time, so a large site needs the memory of a
small one; fetched by a signed address that expires.
"""

from __future__ import annotations

import asyncio
import tempfile
import uuid
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Missing
from shipworthy.kernel.files.links import SignedLink
from shipworthy.kernel.files.store import object_key
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.quotas.stored import drop_stored, keep_stored
from shipworthy.rooms.site.assets.names import master_object
from shipworthy.rooms.site.blocks.stored import blocks_of
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.exchange.archive_lines import (
    FORMAT,
    MENUS,
    PAGES,
    PICTURES,
    REDIRECTS,
    SITE,
    VERSION,
    MenuLine,
    PageLine,
    PictureLine,
    RedirectLine,
    SiteLine,
    VersionLine,
)
from shipworthy.rooms.site.sites.chosen import site_of, site_with
from shipworthy.rooms.site.start import started_site

EXPORT_JOB, EXPORT_DROP_JOB = "site.export", "site.export_drop"
LINK_TTL_S = 3_600
_KIND = "export"
_DAY = (2026, 1, 1, 0, 0, 0)  # every file in an archive has this day, so that the same site is the same bytes
_PAGE_BYTES_MAX = 3 * 1024 * 1024  # of one page's line; older versions stay behind where they would be more


async def start_export(ctx: Ctx) -> Record:
    """Have an archive of the site made, in the place of the one before; return how far it is."""
    site = await started_site(ctx)
    export_id = ctx.new_id()
    before = await ctx.db.one(q.export_start, site_id=site["site_id"], export_id=export_id, now=ctx.now())
    if before["old_id"] is not None:
        await enqueue(ctx, EXPORT_DROP_JOB, before["old_id"], after_s=2 * LINK_TTL_S)
    await enqueue(ctx, EXPORT_JOB, f"{site['site_id']}:{export_id}")
    await record(ctx, "site.export_asked", of="site", id=site["site_id"])
    return await ctx.db.one(q.export_get, site_id=site["site_id"])


async def last_export(ctx: Ctx) -> Record | None:
    """Return the site's last archive, or None while none was asked for."""
    site = await site_of(ctx)
    return await ctx.db.maybe(q.export_get, site_id=site["site_id"]) if site else None


def export_link(ctx: Ctx, row: Record) -> SignedLink:
    """Return the address from which an archive can be fetched for an hour or two."""
    name = f"website-{row['made_at']:%Y-%m-%d}.zip"
    key = export_object(ctx.tenant_id, row["export_id"])
    return ctx.runtime.file_links.sign(key, name=name, now=ctx.now(), ttl_s=LINK_TTL_S)


async def make_export(ctx: Ctx, source: str) -> None:
    """Job `site.export`: put the archive into the file store. An older one that was asked for is not made any more."""
    site_id, export_id = (uuid.UUID(name) for name in source.split(":"))
    row = await ctx.db.maybe(q.export_get, site_id=site_id)
    if row is None or row["export_id"] != export_id or row["status"] != "making":
        return
    with tempfile.TemporaryFile() as file:
        done = await _write(ctx, site_id, export_id, file)
        size_bytes = file.tell()
        file.seek(0)
        await ctx.runtime.files.put(export_object(ctx.tenant_id, export_id), file)
    async with ctx.begin() as tx:  # the job's own transaction may have been idle for too long meanwhile
        made = await tx.maybe(
            q.export_made, site_id=site_id, export_id=export_id, done=done, bytes=size_bytes, now=ctx.now()
        )
        if made is not None:
            await keep_stored(tx, f"{_KIND}/{export_id}", size_bytes, now=ctx.now())


async def drop_export(ctx: Ctx, source: str) -> None:
    """Job `site.export_drop`: delete the file of an archive that has another in its place."""
    await ctx.runtime.files.delete(export_object(ctx.tenant_id, uuid.UUID(source)))
    await drop_stored(ctx.db, f"{_KIND}/{uuid.UUID(source)}", now=ctx.now())


def export_object(tenant_id: uuid.UUID, export_id: uuid.UUID) -> str:
    return object_key(tenant_id, _KIND, str(export_id))


async def _write(ctx: Ctx, site_id: uuid.UUID, export_id: uuid.UUID, file: Any) -> int:
    """Write the archive; return how many pages and pictures it holds."""
    site = await site_with(ctx, site_id)
    done = 0

    async def tell() -> None:
        async with ctx.begin() as tx:
            await tx.run(q.export_progress, site_id=site_id, export_id=export_id, done=done)

    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        about = SiteLine(
            format=FORMAT,
            version=VERSION,
            title=site["site_title"],
            tagline=site["tagline"],
            theme=site["theme"],
            accent=site["accent"],
            crawlers=site["crawlers"],
            locale=site["locale"] or "",
            domains=await _domains(ctx, site_id),
        )
        archive.writestr(_entry(SITE), msgspec.json.format(msgspec.json.encode(about)) + b"\n")
        with archive.open(_entry(PAGES), "w", force_zip64=True) as out:
            async for page in _pages(ctx, site_id):
                await asyncio.to_thread(out.write, msgspec.json.encode(page) + b"\n")
                done += 1
                if done % 100 == 0:
                    await tell()
        with archive.open(_entry(REDIRECTS), "w", force_zip64=True) as out:
            async for redirect in _redirects(ctx, site_id):
                out.write(msgspec.json.encode(redirect) + b"\n")
        menus = [msgspec.json.encode(line) + b"\n" for line in await saved_menus(ctx, site_id)]
        archive.writestr(_entry(MENUS), b"".join(menus))
        pictures = [line async for line in _pictures(ctx)]
        with archive.open(_entry(PICTURES), "w", force_zip64=True) as out:
            for line in pictures:
                out.write(msgspec.json.encode(line) + b"\n")
        for line in pictures:
            try:
                stored = master_object(ctx.tenant_id, line.key, line.slug, is_private=line.is_private)
                body = await ctx.runtime.files.get(stored)
            except Missing:  # thrown away since we looked
                continue
            entry = _entry(line.file)
            entry.compress_type = zipfile.ZIP_STORED
            await asyncio.to_thread(archive.writestr, entry, body)
            done += 1
            if done % 20 == 0:
                await tell()
                await ctx.db.maybe(q.export_get, site_id=site_id)  # no transaction of ours is idle for long
    return done


async def _pages(ctx: Ctx, site_id: uuid.UUID) -> AsyncIterator[PageLine]:
    after = ""
    while rows := await ctx.db.all(q.export_pages, site_id=site_id, after=after):
        for row in rows:
            yield await _page(ctx, row)
        after = rows[-1]["path"]


async def _page(ctx: Ctx, row: Record) -> PageLine:
    seen = [number for number in (row["published_version"], row["publish_version"]) if number is not None]
    found = await ctx.db.all(q.export_versions, page_id=row["page_id"], seen=seen)
    versions, size_bytes = [], 0
    for said in found:
        line = VersionLine(
            blocks=blocks_of(said),
            **{
                name: said[name]
                for name in (
                    "version",
                    "title",
                    "description",
                    "in_menu",
                    "author_name",
                    "is_autosave",
                    "created_at",
                )
            },
        )
        size_bytes += len(msgspec.json.encode(line))
        if size_bytes <= _PAGE_BYTES_MAX or said["version"] in (*seen, row["version"]):
            versions.append(line)
    names = [name for name in PageLine.__struct_fields__ if name != "versions"]
    return PageLine(versions=versions[::-1], **{name: row[name] for name in names})


async def saved_menus(ctx: Ctx, site_id: uuid.UUID) -> list[MenuLine]:
    """Return what was put into a site's menus by hand, menu by menu."""
    return [
        MenuLine(
            menu=item["menu"],
            page_id=item["page_id"],
            url=item["url"] or "",
            label=item["label"],
            is_below=item["level"] > 0,
        )
        for item in await ctx.db.all(q.menu_list, site_id=site_id)
        if item["status"] != "deleted"
    ]


async def _domains(ctx: Ctx, site_id: uuid.UUID) -> list[str]:
    """Return the owner's domains that lead to the site; what the app itself gave stays with the app."""
    claims = await ctx.db.all(q.claim_list)
    return sorted(
        row["host"] for row in claims if row["site_id"] == site_id and row["verified_at"] is not None
    )


async def _redirects(ctx: Ctx, site_id: uuid.UUID) -> AsyncIterator[RedirectLine]:
    after = ""
    while rows := await ctx.db.all(q.redirect_export, site_id=site_id, after=after):
        for row in rows:
            if row["target_status"] != "deleted":  # what is in the bin does not come along
                yield RedirectLine(**{name: row[name] for name in RedirectLine.__struct_fields__})
        after = rows[-1]["from_path"]


async def _pictures(ctx: Ctx) -> AsyncIterator[PictureLine]:
    after = ""
    while rows := await ctx.db.all(q.export_assets, after=after):
        for row in rows:
            names = [name for name in PictureLine.__struct_fields__ if name != "sent_sha256"]
            yield PictureLine(sent_sha256=row["sent_sha256"].hex(), **{name: row[name] for name in names})
        after = rows[-1]["key"]


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DAY)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry

"""Taking in what was saved here: pages, pictures and addresses under their own ids, so that every link, form and picture
stays as it was."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Invalid, Refusal
from shipworthy.kernel.language import LOCALES, _
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.quotas.stored import keep_stored, require_storage
from shipworthy.rooms.site.assets.kept import accept_kept
from shipworthy.rooms.site.assets.library import VARIANTS_JOB
from shipworthy.rooms.site.assets.names import asset_object, master_object
from shipworthy.rooms.site.blocks.stored import opened
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.exchange.archive_lines import (
    MenuLine,
    PageLine,
    PictureLine,
    SiteLine,
    VersionLine,
)
from shipworthy.rooms.site.exchange.items import Note
from shipworthy.rooms.site.exchange.saving import saved_menus
from shipworthy.rooms.site.markup import refuse_tangled
from shipworthy.rooms.site.menus.entries import NAMES
from shipworthy.rooms.site.menus.hand import Item, put_menu
from shipworthy.rooms.site.publish import show_untold
from shipworthy.rooms.site.render import ACCENTS
from shipworthy.rooms.site.robots import PRESETS
from shipworthy.rooms.site.schedule.plan import plan_page
from shipworthy.rooms.site.sites.chosen import site_with
from shipworthy.rooms.site.themes import THEMES
from shipworthy.rooms.site.write import PageText, checked, write_version

Ids = Mapping[str, str]  # a picture's id there -> its id here, where they differ


async def restore_settings(ctx: Ctx, site_id: uuid.UUID, line: SiteLine) -> dict[str, Any]:
    """Let the site be called and look as the saved one; return how it was. Errors: Invalid."""
    known = (("theme", THEMES), ("accent", ACCENTS), ("crawlers", PRESETS))
    wrong = [name for name, choices in known if getattr(line, name) not in choices]
    if wrong:
        raise Invalid("site.look_invalid", _("Nobody here knows its {what}.", what=", ".join(wrong)))
    if line.locale and line.locale not in LOCALES:
        raise Invalid("site.look_invalid", _("Nobody here knows its {what}.", what="locale"))
    site = await site_with(ctx, site_id)
    before = {name: site[name] for name in ("tagline", "theme", "accent", "crawlers", "locale")} | {
        "title": site["site_title"]
    }
    names = ("title", "tagline", "theme", "accent", "crawlers")
    look = {name: getattr(line, name) for name in names}
    await ctx.db.run(q.site_restored, site_id=site_id, locale=line.locale or None, **look)
    return before


async def restore_menus(ctx: Ctx, site_id: uuid.UUID, lines: Sequence[MenuLine]) -> list[MenuLine]:
    """Put the menus together as the saved ones were; return how they were. Errors: Invalid."""
    before = await saved_menus(ctx, site_id)
    known = await ctx.db.all(
        q.pages_among, site_id=site_id, paths=[], ids=[line.page_id for line in lines if line.page_id]
    )
    here = {page["page_id"] for page in known if page["site_id"] == site_id}
    for menu in NAMES:
        items: list[Item] = []
        for line in lines:
            if line.menu == menu and (line.page_id is None or line.page_id in here):
                is_below = line.is_below and bool(items)  # the one above it may not have come along
                items.append(Item(page_id=line.page_id, url=line.url, label=line.label, is_below=is_below))
        await put_menu(ctx, site_id, menu, items)
    return before


async def restore_picture(ctx: Ctx, line: PictureLine, body: bytes) -> tuple[uuid.UUID, bool]:
    """Keep a picture under its own id; return the id, and whether it is new here. Errors: Invalid."""
    sha256 = bytes.fromhex(line.sent_sha256)
    there = await ctx.db.maybe(q.asset_sent, sent_sha256=sha256, is_private=line.is_private)
    if there is not None:
        return uuid.UUID(str(there["asset_id"])), False
    master = await asyncio.to_thread(accept_kept, body)
    await require_storage(ctx, len(master.body))
    stored = master_object(ctx.tenant_id, line.key, line.slug, is_private=line.is_private)
    await ctx.runtime.files.put(stored, master.body)
    made = await ctx.db.maybe(
        q.asset_restore,
        asset_id=line.asset_id,
        name=line.name,
        alt=line.alt,
        key=line.key,
        slug=line.slug,
        sent_sha256=sha256,
        media_type=master.media_type,
        width=master.width,
        height=master.height,
        bytes=len(master.body),
        is_private=line.is_private,
        now=line.created_at,
    )
    if made is None:
        raise Conflict("site.asset_used", _("Another picture here has its id."))
    await keep_stored(ctx.db, asset_object(line.key), len(master.body), now=ctx.now())
    await enqueue(ctx, VARIANTS_JOB, line.asset_id)
    return line.asset_id, True


def texts_of(ctx: Ctx, line: PageLine, pictures: Ids) -> list[tuple[VersionLine, PageText]]:
    """Return each version as it is to be written. Errors: Invalid for what no page may say."""
    texts = []
    for version in line.versions:
        text = checked(
            PageText(
                title=version.title,
                description=version.description,
                blocks=_with_own_pictures(version.blocks, pictures),
                in_menu=version.in_menu,
                is_autosave=version.is_autosave,
            ),
            new_id=ctx.new_id,
        )
        refuse_tangled([words for block in text.blocks or () for words in opened(block).markdown()])
        texts.append((version, text))
    return texts


async def restore_page(
    ctx: Ctx, page_id: uuid.UUID, line: PageLine, texts: list[tuple[VersionLine, PageText]]
) -> list[Note]:
    """Write a page's versions and show the one that was shown; the page is there and stands at its address. Return what
    people should know."""
    for version, text in texts:
        author = version.author_name
        await write_version(ctx, page_id, version.version, text, author_name=author, at=version.created_at)
        if version.version == line.published_version:
            await _show(ctx, page_id, version.version)
    await ctx.db.run(
        q.page_restored,
        page_id=page_id,
        version=line.version,
        position=line.position,
        created_at=line.created_at,
        updated_at=line.updated_at,
        published_at=line.published_at,
        content_changed_at=line.content_changed_at,
    )
    return await _plan(ctx, page_id, line)


async def _show(ctx: Ctx, page_id: uuid.UUID, version: int) -> None:
    said = await ctx.db.one(q.version_get, page_id=page_id, version=version)
    page: Record = {"page_id": page_id, "content_sha256": None, "content_changed_at": None, **said}
    await show_untold(ctx, page)


async def _plan(ctx: Ctx, page_id: uuid.UUID, line: PageLine) -> list[Note]:
    """Let it come and go on its days, where these are still to come."""
    now = ctx.now()
    comes = (
        line.publish_at
        if line.publish_at and line.publish_at > now and line.publish_version == line.version
        else None
    )
    goes = line.unpublish_at if line.unpublish_at and line.unpublish_at > now else None
    if (line.publish_at, line.unpublish_at) != (comes, goes):
        passed = next(at for at in (line.publish_at, line.unpublish_at) if at not in (None, comes, goes))
        note: list[Note] = [["plan_left", passed.date().isoformat() if passed else ""]]
    else:
        note = []
    if comes is None and goes is None:
        return note
    try:
        await plan_page(ctx, page_id, publish_at=comes, unpublish_at=goes, seen=line.version)
    except Refusal as refused:
        return [*note, ["not_planned", refused.message]]
    return note


def _with_own_pictures(blocks: list[Any], pictures: Ids) -> list[Any]:
    text = msgspec.json.encode(blocks).decode()
    for there, here in pictures.items():
        text = text.replace(there, here)
    own: list[Any] = msgspec.json.decode(text)
    return own

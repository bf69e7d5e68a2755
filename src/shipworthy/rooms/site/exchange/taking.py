"""The jobs that take an import in: some things a transaction, one job after another, so that a worker that dies has lost a few
seconds and nothing is there twice. Each job has a number; one of an earlier number does nothing.

Pages are held before their site, as everywhere: a job shows its pages first and tells of them once, at its end.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import msgspec

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.queue.job import enqueue
from shipworthy.rooms.site.addresses import numbered_path
from shipworthy.rooms.site.assets.image import BYTES_MAX
from shipworthy.rooms.site.assets.library import add_asset_here, assets_by_id
from shipworthy.rooms.site.assets.names import address, widths_of
from shipworthy.rooms.site.blocks.stored import opened
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import show_change
from shipworthy.rooms.site.exchange.archive import Archive
from shipworthy.rooms.site.exchange.archive_lines import PageLine, SiteLine
from shipworthy.rooms.site.exchange.book import DROP_JOB, import_object, queue_turn
from shipworthy.rooms.site.exchange.convert import converted
from shipworthy.rooms.site.exchange.items import Note, Unreadable
from shipworthy.rooms.site.exchange.places import Places, Shown, keys_in
from shipworthy.rooms.site.exchange.restoring import (
    restore_menus,
    restore_page,
    restore_picture,
    restore_settings,
    texts_of,
)
from shipworthy.rooms.site.exchange.site_archive import menus_of, page_of, picture_of
from shipworthy.rooms.site.markup import refuse_tangled
from shipworthy.rooms.site.publish import show_untold
from shipworthy.rooms.site.schedule.plan import plan_page
from shipworthy.rooms.site.tree.move import give_way, settle, taken
from shipworthy.rooms.site.write import PageText, checked, write_version

JOB_S = 4.0  # of work in one transaction; its locks are held as long

Item = Mapping[str, Any]


@dataclass(slots=True)
class Turn:
    """One job's work on one import."""

    ctx: Ctx
    row: Record
    shown: list[str] = field(default_factory=list)  # addresses that visitors see from now on
    is_seen: bool = False  # whether visitors see anything else than before
    file: BinaryIO | None = None
    archive: Archive | None = None

    async def close(self) -> None:
        if self.file is not None:
            await asyncio.to_thread(self.file.close)

    async def tell(self) -> None:
        """Let visitors see it, and pages win over what led elsewhere from their addresses."""
        if not self.shown and not self.is_seen:
            return
        await show_change(self.ctx, self.row["site_id"])
        for path in self.shown:
            await give_way(self.ctx, self.row["site_id"], path)

    async def finish(self, item: Item, outcome: str, **told: Any) -> None:
        """Write down what became of a thing."""
        facts = {
            "reason": "",
            "notes": item["notes"],
            "before": None,
            "made_id": None,
            "made_version": None,
            "path": item["path"],
        } | told
        await self.ctx.db.run(
            q.import_item_done, import_id=self.row["import_id"], item=item["item"], outcome=outcome, **facts
        )

    async def picture_bytes(self, name: str) -> bytes:
        """Return a file of the archive. Errors: Unreadable; Missing."""
        if self.archive is None:
            stored = import_object(self.ctx.tenant_id, self.row["import_id"])
            self.file = await asyncio.to_thread(self.ctx.runtime.files.open, stored)
            self.archive = await asyncio.to_thread(Archive, self.file)
        return await asyncio.to_thread(self.archive.read, name, bytes_max=BYTES_MAX)


async def take_some(ctx: Ctx, source: str) -> None:
    """Job `site.import_take`: take in what a few seconds allow, and queue the next job, or say that all is taken."""
    name, step = source.split(":")
    row = await ctx.db.maybe(q.import_lock, import_id=uuid.UUID(name))
    if row is None or row["status"] != "taking" or row["step"] != int(step):
        return
    turn, until, done = Turn(ctx, row), time.monotonic() + JOB_S, row["done"]
    try:
        waiting = await ctx.db.all(q.import_next, import_id=row["import_id"])
        for item in waiting:
            await _take(turn, item)
            done += 1
            if time.monotonic() > until:
                break
    finally:
        await turn.close()
    await turn.tell()
    if waiting:
        await queue_turn(ctx, row["import_id"], "taking", done=done, total=max(done, row["total"]))
        return
    await queue_turn(ctx, row["import_id"], "taken", done=done, total=done)
    await enqueue(ctx, DROP_JOB, row["import_id"])
    await record(ctx, "import.finished", of="import", id=row["import_id"], detail={"items": done})


async def _take(turn: Turn, item: Item) -> None:
    """Take one thing in; what is refused is left out with the reason, and the others go on.

    Whatever may refuse a thing does so before anything of it is written.
    """
    try:
        if item["kind"] == "settings":
            await _take_settings(turn, item)
        elif item["kind"] == "page":
            await (_restore_page if item["data"]["format"] == "site" else _take_page)(turn, item)
        elif item["kind"] == "picture":
            await _take_picture(turn, item)
        else:
            await _take_redirect(turn, item)
    except Refusal as refused:
        if refused.kind not in ("invalid", "missing", "conflict"):
            raise  # the file store is away: later
        await turn.finish(
            item, "skipped", reason="refused", notes=[*item["notes"], ["said", refused.message]]
        )
    except Unreadable as broken:
        await turn.finish(item, "skipped", reason="refused", notes=[*item["notes"], broken.note])


async def _take_picture(turn: Turn, item: Item) -> None:
    data = item["data"]
    body = await turn.picture_bytes(data["file"])
    if "asset_id" in data:
        asset_id, is_new = await restore_picture(turn.ctx, picture_of(data), body)
        await turn.finish(item, "done", made_id=asset_id, made_version=int(is_new))
        return
    asset, is_new = await add_asset_here(turn.ctx, body, name=data["name"] or item["title"], alt=data["alt"])
    await turn.finish(item, "done", made_id=asset["asset_id"], made_version=int(is_new))


async def _take_page(turn: Turn, item: Item) -> None:
    ctx, data, page_id = turn.ctx, item["data"], item["made_id"]
    made = await asyncio.to_thread(converted, data, places=await _places(turn, item))
    notes = _merged(item["notes"], made.notes)
    text = checked(
        PageText(
            title=item["title"],
            description=data["description"],
            blocks=made.blocks,
            in_menu=bool(data["in_menu"]),
        ),
        new_id=ctx.new_id,
    )
    refuse_tangled([words for block in text.blocks or () for words in opened(block).markdown()])
    path = await _settled(turn, page_id, item["path"])
    if path != item["path"]:
        notes.append(["address_taken", item["path"]])
    await write_version(ctx, page_id, 1, text, author_name=data["author"] or turn.row["author_name"])
    if item["status"] == "published":
        await show_untold(ctx, await ctx.db.one(q.page_get, page_id=page_id))
        turn.shown.append(path)
        if data["at"]:
            await ctx.db.run(q.page_imported, page_id=page_id, at=datetime.fromisoformat(data["at"]))
    elif item["publish_at"] is not None:
        notes += await _plan(turn, item)
    await turn.finish(item, "done", notes=notes, made_id=page_id, made_version=1, path=path)


async def _take_settings(turn: Turn, item: Item) -> None:
    site_id, data = turn.row["site_id"], item["data"]
    before: dict[str, Any]
    if "menus" in data:
        before = {"menus": msgspec.to_builtins(await restore_menus(turn.ctx, site_id, menus_of(data)))}
    else:
        before = await restore_settings(turn.ctx, site_id, msgspec.convert(data, SiteLine))
    turn.is_seen = True
    await turn.finish(item, "done", before=before)


async def _restore_page(turn: Turn, item: Item) -> None:
    ctx, page_id, line = turn.ctx, item["made_id"], page_of(item["data"])
    texts = texts_of(ctx, line, await _own_pictures(turn, item, line))
    path = await _settled(turn, page_id, item["path"])
    notes = [*item["notes"], *await restore_page(ctx, page_id, line, texts)]
    if line.status == "published":
        turn.shown.append(path)
    await turn.finish(item, "done", notes=notes, made_id=page_id, made_version=line.version, path=path)


async def _own_pictures(turn: Turn, item: Item, line: PageLine) -> dict[str, str]:
    """Return which of a page's pictures have another id here: the same file was here before."""
    there = {
        str(block.get("data", {}).get("asset", "")) for version in line.versions for block in version.blocks
    }
    for version in line.versions:
        for block in version.blocks:
            there |= {str(one.get("asset", "")) for one in block.get("data", {}).get("pictures", [])}
    found = await turn.ctx.db.all(
        q.import_targets,
        import_id=turn.row["import_id"],
        paths=[],
        sources=[f"site#asset:{asset_id}" for asset_id in sorted(there - {""})],
    )
    ids = {
        target["source"].partition(":")[2]: str(target["made_id"]) for target in found if target["made_id"]
    }
    return {old: new for old, new in ids.items() if old != new}


async def _settled(turn: Turn, page_id: uuid.UUID, wanted: str) -> str:
    """Put a page at its address, with a number behind it where somebody took it since. Return the address."""
    ctx, site_id = turn.ctx, turn.row["site_id"]
    for path in (wanted, numbered_path(wanted, page_id)):
        made = await ctx.db.maybe(q.page_create, page_id=page_id, site_id=site_id, path=path, now=ctx.now())
        if made is not None:
            await settle(ctx, page_id, site_id, path)
            return path
    raise taken(wanted)


async def _plan(turn: Turn, item: Item) -> list[Note]:
    """Let a page come on its day; return why not, where it cannot."""
    if item["publish_at"] <= turn.ctx.now():
        return [["date_passed", item["publish_at"].date().isoformat()]]
    try:
        await plan_page(turn.ctx, item["made_id"], publish_at=item["publish_at"], unpublish_at=None, seen=1)
    except Refusal as refused:
        return [["not_planned", refused.message]]
    return []


async def _take_redirect(turn: Turn, item: Item) -> None:
    ctx, row = turn.ctx, turn.row
    said, target = item["data"] or {}, None
    if item["to_source"]:
        targets = await ctx.db.all(
            q.import_targets, import_id=row["import_id"], paths=[], sources=[item["to_source"]]
        )
        target = next((found["made_id"] for found in targets if found["kind"] == "page"), None)
        if target is None or await ctx.db.maybe(q.page_get, page_id=target) is None:
            await turn.finish(item, "skipped", reason="no_target")
            return
    elif said.get("to_url"):
        own = {host["host"] for host in await ctx.db.all(q.own_hosts)}
        if (
            urlsplit(said["to_url"]).hostname in own
        ):  # an address of our own is led to as a page or not at all
            await turn.finish(item, "skipped", reason="no_target")
            return
    if not turn.is_seen:  # from here on no page is shown there unseen
        turn.is_seen = True
        await show_change(ctx, row["site_id"])
    stands = await ctx.db.maybe(q.page_at, site_id=row["site_id"], path=item["path"])
    there = await ctx.db.maybe(q.redirect_at, site_id=row["site_id"], from_path=item["path"])
    if stands is not None or there is not None:
        await turn.finish(item, "skipped", reason="address_page" if stands else "known")
        return
    redirect_id = ctx.new_id()
    await ctx.db.run(
        q.redirect_put,
        redirect_id=redirect_id,
        site_id=row["site_id"],
        from_path=item["path"],
        to_page_id=target,
        to_url=said.get("to_url"),
        status=said.get("status", 301),
        origin=said.get("origin", "import"),
        now=ctx.now(),
    )
    await turn.finish(item, "done", made_id=redirect_id, made_version=1)


async def _places(turn: Turn, item: Item) -> Places:
    """Return what the addresses in a page's text mean: one query, and one for its pictures."""
    ctx, row, data = turn.ctx, turn.row, item["data"]
    here = data.get("here", row["origin"])
    prefix = item["source"].partition("#")[0]
    paths, ids, pictures = keys_in(str(data.get("content", "")), here=here)
    found = await ctx.db.all(
        q.import_targets,
        import_id=row["import_id"],
        paths=sorted(paths | pictures),
        sources=[f"{prefix}#{name}" for name in sorted(ids)],
    )
    assets = await assets_by_id(
        ctx.db, [row["made_id"] for row in found if row["kind"] == "picture" and row["made_id"]]
    )
    places = Places(origin=row["origin"], here=here, paths={}, ids={}, pictures={}, picture_ids={})
    for target in found:
        name = target["source"].partition("#")[2]
        if target["kind"] == "page":
            places.paths = {**places.paths, target["from_path"]: target["path"]}
            places.ids = {**places.ids, name: target["path"]}
        elif (asset := assets.get(target["made_id"])) is not None:
            largest = address(asset, widths_of(asset["width"])[-1], "jpg")
            shown = Shown(asset["asset_id"], asset["alt"], largest)
            places.pictures = {**places.pictures, target["from_path"]: shown}
            places.picture_ids = {**places.picture_ids, name: shown}
    return places


def _merged(first: list[Note], second: list[Note]) -> list[Note]:
    return [*first, *(note for note in second if note not in first)][:60]

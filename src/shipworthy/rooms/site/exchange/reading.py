"""The job that looks through a file: what each thing in it would become, and why what is left out is left out.

Nothing of the site changes. Everything is written down in one transaction, some hundred things at a time; how far it is
is said in others, so that whoever waits sees it move.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Invalid, Missing
from shipworthy.rooms.site.addresses import numbered_path, path_for_title, wanted_path
from shipworthy.rooms.site.assets.library import assets_by_id
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.exchange.book import import_object
from shipworthy.rooms.site.exchange.convert import foreseen
from shipworthy.rooms.site.exchange.items import ITEM_BYTES_MAX, ITEMS_MAX, Item, Unreadable
from shipworthy.rooms.site.exchange.places import Places, old_path
from shipworthy.rooms.site.exchange.readers import Opened, open_import
from shipworthy.rooms.site.exchange.site_archive import ids_in

_AT_ONCE = 200
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(slots=True)
class _Seen:
    """What earlier things of the same file took."""

    sources: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    count: int = 0


async def read_import(ctx: Ctx, source: str) -> None:
    """Job `site.import_read`: write down what an import holds, and what would become of it."""
    row = await ctx.db.maybe(q.import_get, import_id=uuid.UUID(source))
    if row is None or row["status"] != "reading":
        return

    async def tell(done: int) -> None:
        async with ctx.begin() as tx:
            await tx.run(q.import_progress, import_id=row["import_id"], done=done)

    await look_through(ctx, row, tell=tell)


async def look_through(ctx: Ctx, row: Record, *, tell: Callable[[int], Any] | None = None) -> None:
    """Write down what a file holds, in the transaction that runs."""
    import_id, seen = row["import_id"], _Seen()
    known = {"import_id": import_id, "now": ctx.now()}
    opened: Opened | None = None
    try:
        file = await asyncio.to_thread(ctx.runtime.files.open, import_object(ctx.tenant_id, import_id))
        with file:
            opened = await asyncio.to_thread(open_import, file)
            while batch := await asyncio.to_thread(_next_batch, opened, ctx.now()):
                if seen.count + len(batch) > ITEMS_MAX:
                    raise Unreadable("items_many", ITEMS_MAX)
                await _note(ctx, row, opened, batch, seen)
                if tell is not None:
                    await tell(seen.count)
    except (Unreadable, Missing) as refused:
        note = refused.note if isinstance(refused, Unreadable) else ["file_gone"]
        await ctx.db.run(q.import_clear, import_id=import_id)
        kind = opened.kind if opened else ""
        await ctx.db.run(
            q.import_known, **known, kind=kind, origin="", status="refused", refusal=note, total=0
        )
        return
    await ctx.db.run(q.import_orphans, import_id=import_id)
    await ctx.db.run(
        q.import_known,
        **known,
        kind=opened.kind,
        origin=opened.origin,
        status="read",
        refusal=None,
        total=seen.count,
    )


def _next_batch(opened: Opened, now: Any) -> list[Item]:
    """Return the next things, each with what can be said of it before anything else is known."""
    batch = list(islice(opened.items, _AT_ONCE))
    for item in batch:
        item.title = _ODD.sub("", item.title)[:200]
        item.data = _plain(item.data)
        item.notes = _plain(item.notes)
        if item.kind == "page" and not item.reason:
            _foresee(item, opened, now)
    return batch


def _foresee(item: Item, opened: Opened, now: Any) -> None:
    if item.data["format"] == "site":
        pass  # restoring.py knows its days
    elif item.publish_at is not None and item.publish_at <= now:
        if item.status == "draft":
            item.note("date_passed", item.publish_at.date().isoformat())
        item.publish_at = None
    elif item.publish_at is not None:
        item.status = "draft"
    if len(msgspec.json.encode(item.data)) > ITEM_BYTES_MAX:
        item.reason = "page_large"
        return
    places = Places(origin=opened.origin, here=item.data.get("here", opened.origin))
    notes, fits = foreseen(item.data, places=places)
    item.notes = [*notes, *item.notes]
    if not fits:
        item.reason = "page_large"


async def _note(ctx: Ctx, row: Record, opened: Opened, batch: Sequence[Item], seen: _Seen) -> None:
    names = [f"{opened.prefix}#{item.source_id}" for item in batch]
    rows = await ctx.db.all(q.import_sources, sources=names)
    known: dict[str, Record] = {found["source"]: found for found in rows}
    wishes = [_wished(item) if item.kind in ("page", "redirect") else "" for item in batch]
    paths = sorted({wish for wish in wishes if wish})
    page_ids, asset_ids = ids_in(batch)
    there = await ctx.db.all(q.pages_among, site_id=row["site_id"], paths=paths, ids=page_ids)
    taken = {found["path"] for found in there if found["site_id"] == row["site_id"]}
    own = {str(found["page_id"]): found["path"] for found in there} | dict.fromkeys(
        map(str, await assets_by_id(ctx.db, asset_ids)), ""
    )
    for item, name in zip(batch, names, strict=True):
        own_id = item.data.get("page_id") or item.data.get("asset_id") or ""
        if own_id in own and item.kind in ("page", "picture"):  # a website that was saved here comes back
            known[name] = {"made_id": uuid.UUID(own_id), "path": own[own_id]}
    written = []
    for item, name, wish in zip(batch, names, wishes, strict=True):
        written.append(_row(ctx, row, opened, item, name, wish, known.get(name), taken, seen))
        seen.count += 1
    await ctx.db.many(q.import_add, written)


def _wished(item: Item) -> str:
    """Return the address a thing would have if nothing else had it."""
    try:
        if item.path:
            return wanted_path(old_path(item.path) or item.path)
    except Invalid:
        if item.kind == "page":
            item.note("address_changed", item.path[:100])
        else:
            item.reason = item.reason or "address_impossible"
            return ""
    return path_for_title(item.title) if item.kind == "page" else ""


def _row(
    ctx: Ctx,
    row: Record,
    opened: Opened,
    item: Item,
    name: str,
    path: str,
    known: Record | None,
    taken: set[str],
    seen: _Seen,
) -> dict[str, Any]:
    made_id: uuid.UUID | None = None
    outcome, reason = "new", item.reason
    from_path = item.path if item.kind == "picture" else old_path(_stood(item))
    if not reason and name in seen.sources:
        reason = "twice"
    if reason or item.kind == "other":
        outcome, path = "skipped", path if item.kind == "redirect" else ""
    elif known is not None:
        outcome, reason, made_id, path = "known", "known", known["made_id"], known["path"]
    elif item.kind == "page":
        made_id = uuid.UUID(item.data["page_id"]) if "page_id" in item.data else ctx.new_id()
        if path in taken or path in seen.paths:
            item.note("address_taken", path)
            path = numbered_path(path, made_id)
        seen.paths.add(path)
    elif item.kind == "redirect" and (path in taken or path in seen.paths):
        outcome, reason = "skipped", "address_page"
    elif item.kind == "redirect" and f"address {path}" in seen.sources:
        outcome, reason = "skipped", "twice"
    seen.sources |= {name, f"address {path}"} if item.kind == "redirect" else {name}
    return {
        "import_id": row["import_id"],
        "item": seen.count,
        "turn": item.turn,
        "kind": item.kind,
        "source": name,
        "to_source": f"{opened.prefix}#{item.to}" if item.to else "",
        "label": item.label,
        "title": item.title,
        "path": path if item.kind in ("page", "redirect") else "",
        "from_path": from_path[:600],
        "status": item.status if outcome != "skipped" else "",
        "publish_at": item.publish_at,
        "outcome": outcome,
        "reason": reason,
        "notes": item.notes[:40],
        "data": item.data if outcome == "new" else None,
        "made_id": made_id,
    }


def _stood(item: Item) -> str:
    """Return the path by which other pages of the file name a page: where its file lies, in a folder."""
    return urlsplit(item.data["here"]).path if "here" in item.data else item.path


def _plain(value: Any) -> Any:
    """Return texts without what neither a page nor the database holds, however deep they lie."""
    if isinstance(value, str):
        return _ODD.sub("", value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value

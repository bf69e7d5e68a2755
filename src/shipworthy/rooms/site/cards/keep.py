"""Cards in the file store: drawn by a job when a page is published; one that is missing is drawn when asked for."""

from __future__ import annotations

import asyncio
import re
import uuid
from datetime import datetime

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Busy, Missing, Upstream
from shipworthy.kernel.files.store import FileStore, object_key
from shipworthy.kernel.quotas.stored import keep_stored
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.site.assets.serve import Picture
from shipworthy.rooms.site.cards.draw import draw_card
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.head import CARDS, card_name

CARD_JOB = "site.card"
_KIND = "card"
_ADDRESS = re.compile(CARDS.encode() + rb"/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([0-9a-f]{16})\.png")


async def make_card(ctx: Ctx, source: str) -> None:
    """Job `site.card`: keep the card of the page `source` names as page:version. Its name says what is on it, so
    twice is once."""
    page = await ctx.db.maybe(q.card_page, page_id=uuid.UUID(source.partition(":")[0]))
    if page is not None:
        body = await _drawn(ctx.runtime.files, ctx.tenant_id, page)
        await _note(ctx.db, page, body, now=ctx.now())


async def load_card(runtime: Runtime, tenant_id: uuid.UUID, raw_path: bytes) -> Picture | None:
    """Return the card an address names. Only what a page says now is drawn, so nobody can have us draw at will.

    Errors:  Busy while the file store or the database is away.
    """
    asked = _ADDRESS.fullmatch(raw_path)
    if asked is None:
        return None
    page_id, name = uuid.UUID(asked.group(1).decode()), asked.group(2).decode()
    try:
        try:
            body = await runtime.files.get(_object(tenant_id, page_id, name))
        except Missing:
            async with runtime.database.begin(Scope(runtime.realm_id, tenant_id)) as tx:
                page = await tx.maybe(q.card_page, page_id=page_id)
            if page is None or card_name(page) != name:
                return None
            body = await _drawn(runtime.files, tenant_id, page)
            async with runtime.database.begin(Scope(runtime.realm_id, tenant_id)) as tx:
                await _note(tx, page, body, now=runtime.now())
    except Upstream as away:
        raise Busy(away.code, away.message, retry_after_s=5) from away
    return Picture(body, "image/png", is_final=True)


async def _drawn(files: FileStore, tenant_id: uuid.UUID, page: Record) -> bytes:
    words = {name: page[name] for name in ("title", "site_title", "accent")}
    body = await asyncio.to_thread(draw_card, **words)
    await files.put(_object(tenant_id, page["page_id"], card_name(page)), body)
    return body


async def _note(tx: Tx, page: Record, body: bytes, *, now: datetime) -> None:
    await keep_stored(tx, f"{_KIND}/{page['page_id']}-{card_name(page)}.png", len(body), now=now)


def _object(tenant_id: uuid.UUID, page_id: uuid.UUID, name: str) -> str:
    return object_key(tenant_id, _KIND, f"{page_id}-{name}.png")

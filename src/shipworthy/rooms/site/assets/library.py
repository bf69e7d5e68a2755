"""The pictures of a tenant: taken in, described, found, and thrown away when no page shows them."""

from __future__ import annotations

import asyncio
import hashlib
import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shipworthy.kernel.audit.record import record, unchanged
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import ForeignKeyViolation, Record, Tx
from shipworthy.kernel.errors import Busy, Conflict, Invalid, Missing
from shipworthy.kernel.language import _
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.quotas.budget import Standing
from shipworthy.kernel.quotas.stored import drop_stored, keep_stored, require_storage
from shipworthy.rooms.site.assets.image import SIDE_MAX, Master, accept
from shipworthy.rooms.site.assets.names import asset_object, key_of, keys_in, master_object, slug_of
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.cursors import closed, moment_of, opened

NAME_CHARS_MAX = 200
ALT_CHARS_MAX = 300
ASSETS_PER_LIST = 24
VARIANTS_JOB = "site.variants"
DISCARD_JOB = "site.discard"
_AT_ONCE = 2  # pictures one process decodes at a time: each may need 160 MB and a core
_SIDE_SCARCE = 1280  # of a picture's longer side, above the soft limit
_WAITING_MAX = 12  # and so many uploads wait for their turn
_DECODERS = "site.decoders"
_START = (datetime(9999, 1, 1, tzinfo=UTC), uuid.UUID(int=2**128 - 1))


class _Decoders:
    """Whose turn it is to decode, in one process."""

    def __init__(self) -> None:
        self.turn = asyncio.Semaphore(_AT_ONCE)
        self.wanted = 0


@dataclass(frozen=True, slots=True)
class _Sent:
    """A picture that is checked and stored, and not noted yet."""

    asset_id: uuid.UUID
    key: str
    slug: str
    sha256: bytes
    words: Mapping[str, str]
    master: Master
    is_private: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One part of the list; no cursor where there is nothing more."""

    rows: Sequence[Record]
    next_cursor: str | None


async def add_asset(
    ctx: Ctx, data: bytes, *, name: str, alt: str, is_private: bool = False
) -> tuple[Record, bool]:
    """Take a picture in; return it, and whether it is new: the same file again is the picture that is there.

    Opens its transaction itself, after the picture is checked and stored: no connection waits for a decoder.
    A private one is shown on no page: whoever has a signed address sees it until that expires.
    Errors:  Invalid `site.image_invalid`, `site.asset_invalid`; Exhausted `quota.exhausted`; Busy
             `site.uploads_busy`; Upstream.
    """
    async with ctx.begin() as tx:
        ctx.tx = tx
        there = await tx.maybe(q.asset_sent, sent_sha256=hashlib.sha256(data).digest(), is_private=is_private)
        if there is not None:
            unchanged(ctx)
            return await get_asset(ctx, there["asset_id"]), False
        side_max = _side_max(await require_storage(ctx, field="file"))
    sent = await _stored(ctx, data, name=name, alt=alt, is_private=is_private, side_max=side_max)
    async with ctx.begin() as tx:
        ctx.tx = tx
        return await _noted(ctx, sent)


async def add_asset_here(ctx: Ctx, data: bytes, *, name: str, alt: str) -> tuple[Record, bool]:
    """Take a picture in within the transaction that runs: for jobs, and for filling a tenant that is not there yet for
    others. Return it, and whether it is new. Errors: those of `add_asset`."""
    there = await ctx.db.maybe(q.asset_sent, sent_sha256=hashlib.sha256(data).digest(), is_private=False)
    if there is not None:
        return await get_asset(ctx, there["asset_id"]), False
    side_max = _side_max(await require_storage(ctx, field="file"))
    sent = await _stored(ctx, data, name=name, alt=alt, is_private=False, side_max=side_max)
    return await _noted(ctx, sent)


async def get_asset(ctx: Ctx, asset_id: uuid.UUID) -> Record:
    """Return a picture. Errors: Missing."""
    asset = await ctx.db.maybe(q.asset_get, asset_id=asset_id)
    if asset is None:
        raise Missing("picture")
    return asset


async def list_assets(ctx: Ctx, *, cursor: str | None) -> Slice:
    """Return a part of the tenant's pictures, the newest first. Errors: Invalid `site.cursor_invalid`."""
    created_at, asset_id = opened(cursor, _place) if cursor else _START
    # Asked for is one row more than shown: it says whether there is more.
    found = await ctx.db.all(q.asset_list, created_at=created_at, asset_id=asset_id)
    rows = found[:ASSETS_PER_LIST]
    return Slice(rows=rows, next_cursor=_cursor(rows[-1]) if len(found) > ASSETS_PER_LIST else None)


async def edit_asset(ctx: Ctx, asset_id: uuid.UUID, *, name: str, alt: str) -> None:
    """Call a picture something else, or say in other words what it shows. Its address stays.

    Errors:  Missing; Invalid `site.asset_invalid`.
    """
    if await ctx.db.maybe(q.asset_edit, asset_id=asset_id, **_checked(name, alt)) is None:
        raise Missing("picture")
    await record(ctx, "asset.edited", of="asset", id=asset_id)


async def uses_of(ctx: Ctx, asset_id: uuid.UUID) -> Sequence[Record]:
    """Return the pages that show a picture."""
    return await ctx.db.all(q.asset_uses, asset_id=asset_id)


async def delete_asset(ctx: Ctx, asset_id: uuid.UUID) -> None:
    """Throw a picture away, and have its files deleted. Errors: Missing; Conflict `site.asset_used`."""
    uses = await uses_of(ctx, asset_id)
    if uses:
        raise _used(", ".join(page["path"] for page in uses[:5]))
    try:
        gone = await ctx.db.maybe(q.asset_delete, asset_id=asset_id)
    except ForeignKeyViolation:  # a page was saved with it since we looked
        raise _used("a page that was saved just now") from None
    if gone is None:
        raise Missing("picture")
    await drop_stored(ctx.db, asset_object(gone["key"]), now=ctx.now())
    await enqueue(ctx, DISCARD_JOB, _files_of(gone["key"], gone["slug"], gone["width"], gone["is_private"]))
    await record(ctx, "asset.deleted", of="asset", id=asset_id)


async def assets_by_id(tx: Tx, asset_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Record]:
    """Return the tenant's pictures among `asset_ids`, ready for `picture()`; a page asks once for all of its own."""
    wanted = list(dict.fromkeys(asset_ids))
    rows = await tx.all(q.asset_some, asset_ids=wanted) if wanted else []
    return {row["asset_id"]: row for row in rows}


async def note_uses(ctx: Ctx, page_id: uuid.UUID, html: str) -> None:
    """Remember that a page's newest version shows the pictures in `html`: none of them can be deleted now."""
    if keys := keys_in(html):
        await ctx.db.run(q.asset_use_add, page_id=page_id, keys=keys)


async def keep_uses(ctx: Ctx, page_id: uuid.UUID, html: str) -> None:
    """Forget what earlier versions showed: the newest is what visitors see, too."""
    await ctx.db.run(q.asset_use_only, page_id=page_id, keys=keys_in(html))


def _side_max(storage: Standing) -> int:
    """Where room runs out, pictures are kept smaller: better than to refuse the next one."""
    return _SIDE_SCARCE if storage.is_soft else SIDE_MAX


async def _stored(ctx: Ctx, data: bytes, *, name: str, alt: str, is_private: bool, side_max: int) -> _Sent:
    """The file first and the row after it, because the row says that the file is there."""
    words = _checked(name or "Picture", alt)
    master = await _accepted(ctx, data, side_max=side_max)
    sha256, asset_id = hashlib.sha256(data).digest(), ctx.new_id()
    sent = _Sent(
        asset_id, key_of(asset_id, sha256), slug_of(words["name"]), sha256, words, master, is_private
    )
    stored = master_object(ctx.tenant_id, sent.key, sent.slug, is_private=is_private)
    await ctx.runtime.files.put(stored, master.body)
    return sent


async def _noted(ctx: Ctx, sent: _Sent) -> tuple[Record, bool]:
    master, asset_id = sent.master, sent.asset_id
    await require_storage(ctx, len(master.body), field="file")
    is_new = await ctx.db.maybe(
        q.asset_create,
        asset_id=asset_id,
        **sent.words,
        key=sent.key,
        slug=sent.slug,
        sent_sha256=sent.sha256,
        media_type=master.media_type,
        width=master.width,
        height=master.height,
        bytes=len(master.body),
        is_private=sent.is_private,
        now=ctx.now(),
    )
    if is_new is None:  # somebody sent the same file meanwhile
        unchanged(ctx)
        await enqueue(ctx, DISCARD_JOB, _files_of(sent.key, sent.slug, master.width, sent.is_private))
        first = await ctx.db.maybe(q.asset_sent, sent_sha256=sent.sha256, is_private=sent.is_private)
        if first is None:  # and threw it away
            raise _busy()
        return await get_asset(ctx, first["asset_id"]), False
    await keep_stored(ctx.db, asset_object(sent.key), len(master.body), now=ctx.now())
    await enqueue(ctx, VARIANTS_JOB, asset_id)
    await record(ctx, "asset.added", of="asset", id=asset_id, detail={"name": sent.words["name"]})
    return await get_asset(ctx, asset_id), True


async def _accepted(ctx: Ctx, data: bytes, *, side_max: int) -> Master:
    decoders: _Decoders = ctx.runtime.state.setdefault(_DECODERS, _Decoders())
    if decoders.wanted >= _AT_ONCE + _WAITING_MAX:
        raise _busy()
    decoders.wanted += 1
    try:
        async with decoders.turn:
            return await asyncio.to_thread(accept, data, side_max=side_max)
    finally:
        decoders.wanted -= 1


def _checked(name: str, alt: str) -> Mapping[str, str]:
    wrong: dict[str, str] = {}
    words = {}
    for field, value, chars_max in (("name", name, NAME_CHARS_MAX), ("alt", alt, ALT_CHARS_MAX)):
        line = words[field] = " ".join(unicodedata.normalize("NFC", value).split())
        if len(line) > chars_max:
            wrong[field] = _("Use at most {count} characters; this is {has}.", count=chars_max, has=len(line))
        elif any(unicodedata.category(char) in ("Cc", "Cs") for char in line):
            wrong[field] = _("This holds a control character. Paste it again as plain text.")
    if not words["name"]:
        wrong["name"] = _("Give the picture a name.")
    if wrong:
        raise Invalid(
            "site.asset_invalid",
            _("Some fields need another value: {fields}.", fields=", ".join(wrong)),
            fields=wrong,
        )
    return words


def _files_of(key: str, slug: str, width: int, is_private: bool) -> str:
    """Return which files a job is to delete."""
    return f"{key}/{slug}/{width}" + ("/private" if is_private else "")


def _busy() -> Busy:
    return Busy(
        "site.uploads_busy",
        _("Many pictures are being taken in right now. Try again in a few seconds."),
        retry_after_s=5,
    )


def _used(where: str) -> Conflict:
    return Conflict(
        "site.asset_used",
        _("This picture is shown on {pages}. Take it out there first, and publish.", pages=where),
    )


def _cursor(row: Record) -> str:
    return closed(f"{row['created_at'].isoformat()}/{row['asset_id']}")


def _place(text: str) -> tuple[datetime, uuid.UUID]:
    moment, asset_id = text.split("/")
    return moment_of(moment), uuid.UUID(asset_id)

"""Imports as people keep them: a file sent, looked at, taken in, taken out again, forgotten."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shipworthy.kernel.audit.record import record, unchanged
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.files.store import object_key
from shipworthy.kernel.language import _
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.quotas.stored import drop_stored, keep_stored, require_storage
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.cursors import closed, moment_of, opened
from shipworthy.rooms.site.start import started_site

FILE_BYTES_MAX = 64 * 1024 * 1024
NAME_CHARS_MAX = 200
PER_LIST, ITEMS_PER_LIST = 25, 50
READ_JOB, TAKE_JOB, UNDO_JOB, DROP_JOB = (
    "site.import_read",
    "site.import_take",
    "site.import_undo",
    "site.import_drop",
)
OUTCOMES = ("new", "known", "skipped", "done", "undone", "kept")
_KIND = "import"
_START = (datetime(9999, 1, 1, tzinfo=UTC), uuid.UUID(int=2**128 - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a list; the cursor is None where it ends."""

    rows: Sequence[Record]
    next_cursor: str | None


async def send_import(ctx: Ctx, data: bytes, *, name: str) -> uuid.UUID:
    """Keep a file and have a job look through it; return the import's id. The same file again is the same import, until
    that was taken out.

    Opens its transactions itself: no connection waits for the file store.
    Errors:  Invalid `site.import_invalid`; Conflict `site.host_taken`; Exhausted `quota.exhausted`; Upstream `files.unavailable`.
    """
    name, sha256 = _checked(data, name), hashlib.sha256(data).digest()
    async with ctx.begin() as tx:
        ctx.tx = tx
        if (there := await tx.maybe(q.import_same, file_sha256=sha256)) is not None:
            unchanged(ctx)
            return uuid.UUID(str(there["import_id"]))
        await require_storage(ctx, len(data), field="file")
    import_id = ctx.new_id()
    await ctx.runtime.files.put(import_object(ctx.tenant_id, import_id), data)
    async with ctx.begin() as tx:
        ctx.tx = tx
        return await note_import(ctx, import_id, name=name, sha256=sha256, size_bytes=len(data))


async def note_import(
    ctx: Ctx, import_id: uuid.UUID, *, name: str, sha256: bytes, size_bytes: int
) -> uuid.UUID:
    """Write down that a file is in the file store, in the transaction that runs, and queue its reading."""
    site = await started_site(ctx)
    created = await ctx.db.maybe(
        q.import_create,
        import_id=import_id,
        site_id=site["site_id"],
        file_name=name,
        file_sha256=sha256,
        file_bytes=size_bytes,
        author_name=(ctx.principal.name or ctx.principal.email) if ctx.principal else "",
        now=ctx.now(),
    )
    if created is None:  # somebody sent the same file meanwhile
        unchanged(ctx)
        await enqueue(ctx, DROP_JOB, import_id)
        return uuid.UUID(str((await ctx.db.one(q.import_same, file_sha256=sha256))["import_id"]))
    await keep_stored(ctx.db, _ledger_name(import_id), size_bytes, now=ctx.now())
    await enqueue(ctx, READ_JOB, import_id)
    await record(ctx, "import.sent", of="import", id=import_id, detail={"bytes": size_bytes})
    return import_id


async def get_import(ctx: Ctx, import_id: uuid.UUID) -> Record:
    """Return an import. Errors: Missing."""
    row = await ctx.db.maybe(q.import_get, import_id=import_id)
    if row is None:
        raise Missing("import")
    return row


async def list_imports(ctx: Ctx, *, cursor: str | None) -> Part:
    """Return a part of the tenant's imports, the newest first. Errors: Invalid `site.cursor_invalid`."""
    created_at, import_id = opened(cursor, _place) if cursor else _START
    found = await ctx.db.all(q.import_list, created_at=created_at, import_id=import_id)
    rows = found[:PER_LIST]
    more = len(found) > PER_LIST
    return Part(
        rows=rows,
        next_cursor=closed(f"{rows[-1]['created_at'].isoformat()}/{rows[-1]['import_id']}") if more else None,
    )


async def list_items(ctx: Ctx, import_id: uuid.UUID, *, outcome: str, cursor: str | None) -> Part:
    """Return a part of what an import holds, in the order of its file. Errors: Invalid `site.cursor_invalid`."""
    after = opened(cursor, int) if cursor else -1
    known = outcome if outcome in OUTCOMES else ""
    found = await ctx.db.all(q.import_items, import_id=import_id, after=min(after, 2**31 - 1), outcome=known)
    rows = found[:ITEMS_PER_LIST]
    return Part(rows=rows, next_cursor=closed(str(rows[-1]["item"])) if len(found) > ITEMS_PER_LIST else None)


async def take_import(ctx: Ctx, import_id: uuid.UUID) -> None:
    """Have jobs take in what an import holds; one that stopped half-way goes on. Errors: Missing; Conflict."""
    row = await _held(ctx, import_id)
    if row["status"] == "taken":
        unchanged(ctx)
        return
    if row["status"] not in ("read", "taking"):
        raise _wrong_state(row)
    total = sum(
        count["items"]
        for count in await ctx.db.all(q.import_counts, import_id=import_id)
        if count["outcome"] == "new"
    )
    done = row["done"] if row["status"] == "taking" else 0
    await queue_turn(ctx, import_id, "taking", done=done, total=done + total)
    await record(ctx, "import.taken", of="import", id=import_id, detail={"items": total})


async def undo_import(ctx: Ctx, import_id: uuid.UUID) -> None:
    """Have jobs take out what an import brought; what somebody changed since stays. Errors: Missing; Conflict."""
    row = await _held(ctx, import_id)
    if row["status"] == "undone":
        unchanged(ctx)
        return
    if row["status"] not in ("taking", "taken", "undoing"):
        raise _wrong_state(row)
    total = sum(
        count["items"]
        for count in await ctx.db.all(q.import_counts, import_id=import_id)
        if count["outcome"] == "done"
    )
    await queue_turn(ctx, import_id, "undoing", done=0, total=total)
    await record(ctx, "import.undone", of="import", id=import_id, detail={"items": total})


async def delete_import(ctx: Ctx, import_id: uuid.UUID) -> None:
    """Forget an import of which nothing is on the site, and its file. Errors: Missing; Conflict."""
    row = await _held(ctx, import_id)
    if await ctx.db.maybe(q.import_delete, import_id=import_id) is None:
        raise _wrong_state(row)
    await enqueue(ctx, DROP_JOB, import_id)
    await record(ctx, "import.deleted", of="import", id=import_id)


async def drop_file(ctx: Ctx, source: str) -> None:
    """Job `site.import_drop`: delete the file of an import that is over."""
    await ctx.runtime.files.delete(import_object(ctx.tenant_id, uuid.UUID(source)))
    await drop_stored(ctx.db, _ledger_name(uuid.UUID(source)), now=ctx.now())


async def queue_turn(ctx: Ctx, import_id: uuid.UUID, status: str, *, done: int, total: int) -> None:
    """Queue the next job of an import that is held; any earlier one does nothing from now on."""
    turn = await ctx.db.one(
        q.import_turn, import_id=import_id, status=status, done=done, total=total, now=ctx.now()
    )
    if status in ("taking", "undoing"):
        await enqueue(ctx, TAKE_JOB if status == "taking" else UNDO_JOB, f"{import_id}:{turn['step']}")


def import_object(tenant_id: uuid.UUID, import_id: uuid.UUID) -> str:
    """Return where the file store has an import's file."""
    return object_key(tenant_id, _KIND, str(import_id))


def _ledger_name(import_id: uuid.UUID) -> str:
    return f"{_KIND}/{import_id}"


async def _held(ctx: Ctx, import_id: uuid.UUID) -> Record:
    row = await ctx.db.maybe(q.import_lock, import_id=import_id)
    if row is None:
        raise Missing("import")
    return row


def _checked(data: bytes, name: str) -> str:
    said = ""
    if not data:
        said = _("Choose a file.")
    elif len(data) > FILE_BYTES_MAX:
        said = _("The file is larger than {megabytes} MB. Split it.", megabytes=FILE_BYTES_MAX // 1024**2)
    if said:
        raise Invalid("site.import_invalid", said, fields={"file": said})
    clean = " ".join("".join(char for char in name if char.isprintable()).split())
    return clean[:NAME_CHARS_MAX].strip() or "import"


def _wrong_state(row: Record) -> Conflict:
    said = {
        "reading": _("The file is still being looked through."),
        "refused": _("The file was refused, so there is nothing to take in."),
        "read": _("Nothing of it was taken in yet."),
        "taking": _("It is being taken in right now."),
        "undoing": _("It is being taken out right now."),
        "undone": _("It was taken out again. Send the file once more to take it in."),
    }
    return Conflict("site.import_state", said.get(row["status"], _("It is on the site. Take it out first.")))


def _place(text: str) -> tuple[datetime, uuid.UUID]:
    moment, import_id = text.split("/")
    return moment_of(moment), uuid.UUID(import_id)

"""The inbox: what visitors sent, newest first; given away whole, and gone when it is deleted."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Sequence
from datetime import datetime

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Missing
from shipworthy.rooms.site.catalogue import q

PER_LIST = 25  # the query reads one more, to know whether there is one
_COLUMNS = ("received_at", "page_title", "sender_name", "sender_email", "sender_phone", "message_text")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run (CWE-1236)


async def list_messages(
    ctx: Ctx, site_id: uuid.UUID, *, before: uuid.UUID | None
) -> tuple[Sequence[Record], uuid.UUID | None]:
    """Return a part of the messages and where the next one begins. Cost: one query."""
    rows = await ctx.db.all(q.message_list, site_id=site_id, before=before)
    return rows[:PER_LIST], rows[PER_LIST - 1]["message_id"] if len(rows) > PER_LIST else None


async def get_message(ctx: Ctx, message_id: uuid.UUID) -> Record:
    """Return a message. Errors: Missing."""
    row = await ctx.db.maybe(q.message_get, message_id=message_id)
    if row is None:
        raise Missing("message")
    return row


async def delete_message(ctx: Ctx, message_id: uuid.UUID) -> None:
    """Delete a message for good. Errors: Missing."""
    if await ctx.db.maybe(q.message_delete, message_id=message_id) is None:
        raise Missing("message")
    await record(ctx, "message.deleted", of="message", id=message_id)


async def exported(ctx: Ctx, site_id: uuid.UUID) -> bytes:
    """Return the newest 10,000 messages as CSV, which no spreadsheet takes for formulas."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for row in await ctx.db.all(q.message_export, site_id=site_id):
        writer.writerow([_harmless(row[name]) for name in _COLUMNS])
    return out.getvalue().encode("utf-8-sig")


def _harmless(value: str | datetime) -> str:
    text = value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
    return f"'{text}" if text.startswith(_FORMULA) else text

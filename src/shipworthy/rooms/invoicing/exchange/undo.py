"""An import of invoices, looked at and taken back: what is still a draft goes, what was issued stays and is named."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.kernel.audit.record import record, unchanged
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Missing
from shipworthy.kernel.language import mark
from shipworthy.rooms.invoicing.catalogue import q


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What taking an import back did: how many drafts are gone, and what stays (the first two hundred)."""

    taken_back: int
    left: Sequence[Record]


async def load_import(ctx: Ctx, import_id: uuid.UUID) -> dict[str, Any]:
    """Return an import with what it made and is there still. Errors: Missing. Cost: two queries."""
    found = await ctx.db.maybe(q.invoice_import_get, import_id=import_id)
    if found is None:
        raise Missing(mark("import"))
    rows = await ctx.db.all(q.invoice_import_rows, import_id=import_id)
    return {**found, "invoices": rows}


async def undo_import(ctx: Ctx, import_id: uuid.UUID) -> Undone:
    """Delete the drafts of an import, edited or not. However often it is asked for, what is issued stays.

    Their ids are free again with them: the same file can be imported anew.

    Errors:  Missing.
    """
    row = await ctx.db.maybe(q.invoice_import_undo, import_id=import_id, now=ctx.now())
    if row is None:
        raise Missing(mark("import"))
    left = await ctx.db.all(q.invoice_import_rows, import_id=import_id)
    if row["taken_back"]:
        detail = {"taken_back": row["taken_back"], "left": len(left)}
        await record(ctx, "invoices.import_undone", of="import", id=import_id, detail=detail)
    else:
        unchanged(ctx)
    return Undone(taken_back=row["taken_back"], left=left)

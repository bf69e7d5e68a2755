"""Exports that are asked for on a page: made by a job, a page of rows at a time, kept for a week, then deleted."""

from __future__ import annotations

import tempfile
import uuid
import zipfile
from datetime import date
from pathlib import Path

from shipworthy.kernel.audit.export import MANIFEST, Kind, Wanted, manifest_text, write_export
from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Invalid
from shipworthy.kernel.files.links import SignedLink
from shipworthy.kernel.files.store import object_key
from shipworthy.kernel.language import _
from shipworthy.kernel.queue.job import JobKind, enqueue

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")

EXPORT_JOB, DROP_JOB = "audit.export", "audit.export_drop"
KEPT_S = 7 * 24 * 3600
_LINK_TTL_S = 3_600
_WAITING_MAX = 3
_FILES = "audit-export"


async def ask_export(
    ctx: Ctx, kind: Kind, *, from_day: date | None = None, to_day: date | None = None
) -> uuid.UUID:
    """Have an export made; return its id.

    Errors:  Invalid `audit.days_reversed`, Conflict `audit.exports_waiting` while three are being made.
    """
    if from_day and to_day and from_day > to_day:
        said = _("The first day comes after the last one.")
        raise Invalid("audit.days_reversed", said, fields={"from_day": said})
    if (await ctx.db.one(q.audit_export_waiting))["waiting"] >= _WAITING_MAX:
        raise Conflict(
            "audit.exports_waiting",
            _("{count} exports are being made already. Wait for one of them.", count=_WAITING_MAX),
        )
    export_id = ctx.new_id()
    await ctx.db.run(
        q.audit_export_ask,
        export_id=export_id,
        kind=kind,
        from_day=from_day,
        to_day=to_day,
        asked_by=ctx.principal.user_id if ctx.principal else None,
        now=ctx.now(),
    )
    await enqueue(ctx, EXPORT_JOB, export_id)
    await enqueue(ctx, DROP_JOB, export_id, after_s=KEPT_S)
    days = {"from": from_day.isoformat() if from_day else None, "to": to_day.isoformat() if to_day else None}
    await record(ctx, "audit.export_asked", of="export", id=export_id, detail={"kind": kind, **days})
    return export_id


def export_link(ctx: Ctx, row: Record) -> SignedLink:
    """Return the address from which a finished export can be fetched for an hour or two."""
    key = object_key(ctx.tenant_id, _FILES, str(row["export_id"]))
    name = f"audit-{row['asked_at']:%Y-%m-%d}-{row['kind']}.zip"
    return ctx.runtime.file_links.sign(key, name=name, now=ctx.now(), ttl_s=_LINK_TTL_S)


async def make_export(ctx: Ctx, source: str) -> None:
    """Job `audit.export`: put the ZIP file into the file store. One that is made already is left as it is."""
    export_id = uuid.UUID(source)
    row = await ctx.db.maybe(q.audit_export_get, export_id=export_id)
    if row is None or row["status"] != "making":
        return
    wanted = Wanted(scope=ctx.scope, kind=row["kind"], from_day=row["from_day"], to_day=row["to_day"])

    async def tell(done: int, total: int) -> None:
        async with ctx.begin() as tx:
            await tx.run(q.audit_export_progress, export_id=export_id, rows_done=done, rows_total=total)
        await ctx.db.maybe(q.audit_export_get, export_id=export_id)  # no transaction of ours is idle for long

    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            with archive.open(wanted.file, "w", force_zip64=True) as out:
                manifest = await write_export(
                    wanted,
                    out,  # type: ignore[arg-type]  # what a ZIP file's entry is written by is a BinaryIO in all but name
                    database=ctx.runtime.database,
                    files=ctx.runtime.files,
                    keys=ctx.runtime.audit_keys,
                    realm_id=ctx.scope.realm_id,
                    now=ctx.now(),
                    tell=tell,
                )
            archive.writestr(MANIFEST, manifest_text(manifest))
        size_bytes = file.tell()
        file.seek(0)
        await ctx.runtime.files.put(object_key(ctx.tenant_id, _FILES, source), file)
    async with ctx.begin() as tx:
        await tx.run(
            q.audit_export_made, export_id=export_id, rows=manifest.rows, bytes=size_bytes, now=ctx.now()
        )


async def drop_export(ctx: Ctx, source: str) -> None:
    """Job `audit.export_drop`: delete an export that was kept for a week."""
    await ctx.runtime.files.delete(object_key(ctx.tenant_id, _FILES, source))
    await ctx.db.run(q.audit_export_drop, export_id=uuid.UUID(source))


JOBS = (
    JobKind(
        kind=EXPORT_JOB,
        handler=make_export,
        title="Make a file of the audit trail",
        timeout_s=600.0,
        writes="audit_export",
        source_column="export_id",
        triggered_by="POST /audit/exports",
    ),
    JobKind(
        kind=DROP_JOB,
        handler=drop_export,
        title="Delete a file of the audit trail after a week",
        triggered_by="POST /audit/exports",
    ),
)

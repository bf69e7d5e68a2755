"""The redirects of a site as people keep them: written by hand, imported, listed, taken out."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from shipworthy.kernel.audit.record import record, unchanged
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Invalid, Missing, Refusal
from shipworthy.kernel.language import _
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import show_change
from shipworthy.rooms.site.cursors import closed, opened
from shipworthy.rooms.site.redirects.leads import GONE
from shipworthy.rooms.site.redirects.verdicts import REPLACES, SAME, Known, Verdict, Wanted, judge, places_of
from shipworthy.rooms.site.sites.chosen import site_of
from shipworthy.rooms.site.start import started_site

PER_LIST = 25
_PART = 10_000  # rows of one query of an export


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the list, by address; the cursor is None where it ends."""

    rows: Sequence[Record]
    next_cursor: str | None


async def create_redirect(ctx: Ctx, wanted: Wanted) -> uuid.UUID:
    """Let an address lead elsewhere; return the redirect's id. One that leads there already stays as it is.

    Errors:  Invalid naming the field; Conflict for a circle, a chain, a page that is shown there, and for an
             address that leads to another place.
    """
    site = await started_site(ctx)
    await show_change(ctx, site["site_id"])  # from here on no page is published there unseen
    (verdict,) = judge([wanted], await _known(ctx, site, [wanted]))
    if not verdict.is_good:
        raise _refused(verdict)
    if verdict.outcome == SAME:
        unchanged(ctx)
        there = await ctx.db.one(q.redirect_at, site_id=site["site_id"], from_path=verdict.from_path)
        return uuid.UUID(str(there["redirect_id"]))
    if verdict.outcome == REPLACES:
        message = _("{path} leads elsewhere already. Delete that redirect first.", path=verdict.from_path)
        raise Conflict("site.redirect_taken", message, fields={"from_path": message})
    redirect_id = ctx.new_id()
    await _write(ctx, site, [(redirect_id, verdict)], origin="manual")
    await record(
        ctx,
        "redirect.created",
        of="redirect",
        id=redirect_id,
        detail={"from": verdict.from_path, "to": wanted.to},
    )
    return redirect_id


async def delete_redirect(ctx: Ctx, redirect_id: uuid.UUID) -> None:
    """Let an address lead nowhere. Errors: Missing."""
    row = await ctx.db.maybe(q.redirect_delete, redirect_id=redirect_id)
    if row is None:
        raise Missing("redirect")
    await show_change(ctx, row["site_id"])
    await record(ctx, "redirect.deleted", of="redirect", id=redirect_id, detail={"from": row["from_path"]})


async def import_redirects(ctx: Ctx, wanted: Sequence[Wanted], *, is_dry: bool) -> list[Verdict]:
    """Write those that can be and return what became of each; a dry run writes nothing.

    One that was there is replaced: the list that is imported is the newer one.
    """
    site = await started_site(ctx)
    if not is_dry:
        await show_change(ctx, site["site_id"])
    verdicts = judge(wanted, await _known(ctx, site, wanted))
    if is_dry:
        return verdicts
    written = [(ctx.new_id(), verdict) for verdict in verdicts if verdict.is_good and verdict.outcome != SAME]
    await _write(ctx, site, written, origin="import")
    detail = {"written": len(written), "refused": sum(not verdict.is_good for verdict in verdicts)}
    await record(ctx, "redirect.imported", of="site", id=site["site_id"], detail=detail)
    return verdicts


async def list_redirects(ctx: Ctx, *, search: str = "", cursor: str | None = None) -> Part:
    """Return a part of the site's redirects by address, those that hold the search text. Errors: Invalid."""
    site = await site_of(ctx)
    if site is None:
        return Part(rows=(), next_cursor=None)
    found = await ctx.db.all(
        q.redirect_list,
        site_id=site["site_id"],
        after=opened(cursor or "", str),
        search=search.strip().lower(),
    )
    rows = found[:PER_LIST]
    return Part(rows=rows, next_cursor=closed(rows[-1]["from_path"]) if len(found) > PER_LIST else None)


async def get_redirect(ctx: Ctx, redirect_id: uuid.UUID) -> Record:
    """Return one redirect. Errors: Missing."""
    row = await ctx.db.maybe(q.redirect_get, redirect_id=redirect_id)
    if row is None:
        raise Missing("redirect")
    return row


async def all_redirects(ctx: Ctx) -> AsyncIterator[Record]:
    """Return every redirect of the site, by address."""
    site, after = await site_of(ctx), ""
    while site is not None:
        rows = await ctx.db.all(q.redirect_export, site_id=site["site_id"], after=after)
        for row in rows:
            yield row
        if len(rows) < _PART:
            return
        after = rows[-1]["from_path"]


async def _known(ctx: Ctx, site: Record, wanted: Sequence[Wanted]) -> Known:
    """Read what is there, three queries however many are wanted."""
    hosts = {row["host"]: row["site_id"] for row in await ctx.db.all(q.own_hosts)}
    paths = sorted(places_of(wanted, hosts=hosts))
    ids = sorted({one.to_page_id for one in wanted if one.to_page_id is not None})
    pages = await ctx.db.all(q.pages_among, site_id=site["site_id"], paths=paths, ids=ids)
    redirects = await ctx.db.all(q.redirects_among, site_id=site["site_id"], paths=paths)
    return Known(
        site_id=site["site_id"],
        hosts=hosts,
        pages={(row["site_id"], row["path"]): (row["page_id"], row["status"]) for row in pages},
        redirects={row["from_path"]: (row["to_page_id"], row["to_url"], row["status"]) for row in redirects},
        page_ids=frozenset(row["page_id"] for row in pages),
    )


async def _write(
    ctx: Ctx, site: Record, written: Sequence[tuple[uuid.UUID, Verdict]], *, origin: str
) -> None:
    await ctx.db.many(
        q.redirect_put,
        [
            {
                "redirect_id": redirect_id,
                "site_id": site["site_id"],
                "from_path": verdict.from_path,
                "to_page_id": verdict.to_page_id,
                "to_url": verdict.to_url,
                "status": verdict.wanted.status,
                "origin": origin,
                "now": ctx.now(),
            }
            for redirect_id, verdict in written
        ],
    )


def _refused(verdict: Verdict) -> Refusal:
    fields = {verdict.field: verdict.message}
    if verdict.problem in ("redirect_invalid", "redirect_nowhere"):
        return Invalid("site.redirect_invalid", verdict.message, fields=fields)
    if verdict.problem == "redirect_loop":
        return Conflict("site.redirect_loop", verdict.message, fields=fields)
    if verdict.problem == "redirect_chain":
        return Conflict("site.redirect_chain", verdict.message, fields=fields)
    return Conflict("site.redirect_shadowed", verdict.message, fields=fields)


def is_gone(row: Record) -> bool:
    """Say whether an address answers that what was there is gone."""
    return bool(row["status"] == GONE or row["target_status"] == "deleted")

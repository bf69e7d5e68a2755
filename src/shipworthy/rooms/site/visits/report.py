"""What the screen shows of a span of days: views a day, pages, where readers came from, and how pages felt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.visits.vitals import Vital, p75

LISTED_MAX = 20  # pages and referrers; the queries say the same


@dataclass(frozen=True, kw_only=True)
class Report:
    """A span of days. `days` holds each day of it, counted or not."""

    views: int
    views_before: int  # in as many days before
    days: Sequence[tuple[date, int]]
    pages: Sequence[tuple[str, int, Vital | None]]  # with its LCP
    referrers: Sequence[tuple[str, int]]
    vitals: Mapping[str, Vital | None]


async def report_of(ctx: Ctx, site: Record, *, days: int) -> Report:
    """Return the report of the last `days` days, today among them. Cost: five queries."""
    today = ctx.now().date()
    since = today - timedelta(days=days - 1)
    scope = {"site_id": site["site_id"], "since": since}
    earlier = since - timedelta(days=days)
    by_day = {
        row["day"]: row["views"]
        for row in await ctx.db.all(q.visits_by_day, site_id=site["site_id"], since=earlier)
    }
    pages = await ctx.db.all(q.visits_by_page, **scope)
    referrers = await ctx.db.all(q.visits_referrers, **scope)
    felt = await ctx.db.all(q.visits_vitals, **scope)
    of_pages = await ctx.db.all(q.visits_vitals_of_pages, **scope, paths=[row["path"] for row in pages])
    span = [since + timedelta(days=n) for n in range(days)]
    return Report(
        views=sum(by_day.get(day, 0) for day in span),
        views_before=sum(views for day, views in by_day.items() if day < since),
        days=[(day, by_day.get(day, 0)) for day in span],
        pages=[(row["path"], row["views"], _vital(of_pages, "lcp", row["path"])) for row in pages],
        referrers=[(row["name"], row["views"]) for row in referrers],
        vitals={kind: _vital(felt, kind) for kind in ("lcp", "inp", "cls")},
    )


def _vital(rows: Sequence[Record], kind: str, path: str | None = None) -> Vital | None:
    mine = (row for row in rows if row["kind"] == kind and (path is None or row["path"] == path))
    return p75(kind, {int(row["name"]): row["views"] for row in mine})

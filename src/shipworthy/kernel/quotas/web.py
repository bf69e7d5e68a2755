"""The page of usage: what an organisation was given, what it used, and how long it lasts. For its owners."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.reply import File, Page
from shipworthy.kernel.language import _, _n, day_text, mark, short_day_text
from shipworthy.kernel.quotas.budget import q
from shipworthy.kernel.quotas.chart import HEIGHT, WIDTH, chart_of
from shipworthy.kernel.quotas.meters import METERS, day_of
from shipworthy.kernel.quotas.overview import Budget, budgets_of
from shipworthy.kernel.quotas.words import amount_text
from shipworthy.kernel.room import NavItem
from shipworthy.kernel.route import Route, route

_EXPORTED_DAYS = 35
_TOLD_DAYS = 40
_ABOUT = {
    "pdf_ms": mark("How long the printer worked on your documents."),
    "storage_bytes": mark("Pictures with all their forms, documents, imports and archives."),
    "crawl_bytes": mark("What search engines and other programs fetched of your website."),
    "mails": mark("Invoices and messages that were mailed. Letters about sign-ins are not counted."),
}


async def usage_page(ctx: Ctx) -> Page:
    now = ctx.now()
    budgets = await budgets_of(ctx.db, ctx.runtime.settings.quotas, now=now)
    notices = await ctx.db.all(q.usage_notices, since=now - timedelta(days=_TOLD_DAYS))
    data = {
        "budgets": [_shown(budget, now) for budget in budgets],
        "notices": [_notice(row) for row in notices],
        "width": WIDTH,
        "height": HEIGHT,
    }
    return Page("kernel/usage.html", data, title=_("Usage"), section="usage")


async def usage_csv(ctx: Ctx) -> File:
    """What was used day by day, as a table for a spreadsheet."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(("day", "meter", "amount"))
    for row in await ctx.db.all(q.usage_days, since=day_of(ctx.now()) - timedelta(days=_EXPORTED_DAYS)):
        write.writerow((row["day"].isoformat(), row["meter"], row["amount"]))
    headers = (("content-disposition", 'attachment; filename="usage.csv"'), ("cache-control", "no-store"))
    return File(out.getvalue().encode(), "text/csv; charset=utf-8", headers=headers)


def _shown(budget: Budget, now: datetime) -> dict[str, Any]:
    standing, chart = budget.standing, chart_of(budget, now=now)
    meter, most = standing.meter, standing.given.most
    return {
        "name": meter.name,
        "title": _(meter.title),
        "about": _(_ABOUT[meter.name]),
        "used": amount_text(meter, standing.used),
        "most": amount_text(meter, most) if most is not None else "",
        "percent": min(999, standing.used * 100 // most) if most else None,
        "state": "full" if standing.is_full else "soft" if standing.is_soft else "",
        "left": _left(budget, now),
        "period": _("since {day}", day=day_text(standing.period)) if meter.is_monthly else _("now"),
        "waiting": _waiting(budget),
        "chart": chart,
        "first": short_day_text(chart.first),
        "last": short_day_text(chart.last),
        "described": _described(budget),
    }


def _left(budget: Budget, now: datetime) -> str:
    """Return how long it lasts, in a sentence."""
    standing, expected = budget.standing, budget.forecast
    if standing.given.most is None:
        return _("There is no limit.")
    renews = day_text(standing.renews_at.date()) if standing.renews_at else ""
    if standing.used >= standing.given.most:
        return (
            _("It is used up, and begins anew on {day}.", day=renews)
            if renews
            else _("It is used up. Deleting frees some.")
        )
    if expected is None:
        return _("How long it lasts can be said after two days of use.")
    if expected.reaches_at is None:
        return (
            _("It will last until it begins anew on {day}.", day=renews)
            if renews
            else _("It will last for the next two months at least.")
        )
    days = (expected.reaches_at - now).days
    day = day_text(expected.reaches_at.astimezone(UTC).date())
    if days < 1:
        return _("If it goes on like this, it is used up within a day.")
    return _n(
        "If it goes on like this, it is used up in {count} day, on {day}.",
        "If it goes on like this, it is used up in {count} days, on {day}.",
        days,
        day=day,
    )


def _waiting(budget: Budget) -> str:
    if not budget.waiting:
        return ""
    return _n(
        "{count} thing waits for it, and is done by itself when there is some again.",
        "{count} things wait for it, and are done by themselves when there is some again.",
        budget.waiting,
    )


def _described(budget: Budget) -> str:
    """Return what the picture shows, for who cannot see it."""
    meter, given = budget.standing.meter, budget.standing.given
    used = _("Used so far: {used}.", used=amount_text(meter, budget.standing.used))
    if given.most is None:
        return used
    return used + " " + _("The limit is {most}.", most=amount_text(meter, given.most))


def _notice(row: Any) -> dict[str, str]:
    meter = METERS[row["meter"]]
    facts = {"what": _(meter.title)}
    if row["kind"] == "forecast":
        day = day_text(row["expected_at"].astimezone(UTC).date())
        text = _("{what}: will be used up on {day}, if it goes on like this", **facts, day=day)
    elif row["kind"] == "full":
        text = _("{what}: used up", **facts)
    else:
        text = _("{what}: {percent} % used", **facts, percent=row["kind"])
    of = _("{used} of {most}", used=amount_text(meter, row["used"]), most=amount_text(meter, row["most"]))
    return {"text": text, "note": f"{day_text(row['at'].astimezone(UTC).date())} · {of}"}


PERMISSIONS = {"owner": frozenset({"usage.read"})}
NAV = (NavItem(href="/usage", label="Usage", icon="layout-dashboard", section="usage"),)
# queries_max counts the session's look-up and touch (2).
ROUTES: tuple[Route, ...] = (
    route("GET", "/usage", usage_page, title="Usage", media="html", permission="usage.read", queries_max=5),
    route("GET", "/usage.csv", usage_csv, title="Usage day by day, as CSV", media="file", permission="usage.read",
          queries_max=3),
)  # fmt: skip

"""The screen of visits."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.reply import Page
from shipworthy.kernel.route import route
from shipworthy.rooms.site.bodies import url_of
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.visits.report import Report, report_of
from shipworthy.rooms.site.visits.vitals import ENOUGH, GOOD, POOR, Vital

_SPANS: tuple[Literal["7", "30", "90"], ...] = ("7", "30", "90")
_BARS_MAX = 30  # more do not fit on a phone: 90 days are shown by the week
_NAMES = {
    "lcp": ("Largest content shown", "LCP"),
    "inp": ("Answer to a tap or key", "INP"),
    "cls": ("Moving about while loading", "CLS"),
}
_TONES = {"good": "success", "needs work": "", "poor": "danger"}


class Span(msgspec.Struct):
    days: Literal["7", "30", "90"] = "30"


async def visits_page(ctx: Ctx, span: Span) -> Page:
    site = await ctx.db.maybe(q.site_get)
    data: dict[str, Any] = {
        "is_counting": ctx.runtime.settings.site.visits_counted,
        "spans": [{"key": days, "href": f"/visits?days={days}", "label": f"{days} days"} for days in _SPANS],
        "span": span.days,
        "has_any": False,
        "enough": ENOUGH,
    }
    if site is not None:
        report = await report_of(ctx, site, days=int(span.days))
        data |= _shown(report, lambda path: url_of(ctx.runtime.settings, site, path))
    return Page("site/visits.html", data, title="Visits", section="visits")


def _shown(report: Report, url: Any) -> dict[str, Any]:
    return {
        "has_any": bool(report.views or report.views_before),
        "views": f"{report.views:,}",
        "compared": _compared(report),
        "bars": _bars(report),
        "bars_note": "A week each" if len(report.days) > _BARS_MAX else "A day each",
        "pages": [
            {"path": path, "url": url(path), "views": f"{views:,}", "lcp": _value(lcp) if lcp else "", "tone": _TONES[lcp.verdict] if lcp else ""}
            for path, views, lcp in report.pages
        ],
        "referrers": [{"name": name, "views": f"{views:,}"} for name, views in report.referrers],
        "vitals": [_vital_shown(kind, vital) for kind, vital in report.vitals.items()],
    }  # fmt: skip


def _compared(report: Report) -> str:
    if not report.views_before:
        return "nothing was counted before"
    change = round(100 * (report.views - report.views_before) / report.views_before)
    return f"{change:+d} % against the {len(report.days)} days before"


def _bars(report: Report) -> list[dict[str, Any]]:
    """Return a bar a day, or a week where days do not fit. Each says its date; a few show it below."""
    days = list(report.days)
    if len(days) > _BARS_MAX:
        weeks = [days[n : n + 7] for n in range(len(days) % 7, len(days), 7)]
        days = [(week[0][0], sum(views for _, views in week)) for week in weeks]
    shown = 1 if len(days) <= 7 else 7 if len(days) > 15 else 4
    return [
        {
            "label": f"{day:%-d %b}" if n % shown == shown // 2 else "",
            "value": views,
            "text": f"{day:%-d %b}: {views:,}",
        }
        for n, (day, views) in enumerate(days)
    ]


def _vital_shown(kind: str, vital: Vital | None) -> dict[str, str]:
    name, short = _NAMES[kind]
    good, poor = _number(kind, GOOD[kind]), _number(kind, POOR[kind])
    if vital is None:
        return {
            "label": f"{name} ({short})",
            "value": "?",
            "note": f"fewer than {ENOUGH} visits told",
            "tone": "",
        }
    return {
        "label": f"{name} ({short})",
        "value": _value(vital),
        "note": f"{vital.verdict} (good up to {good}, poor above {poor})",
        "tone": _TONES[vital.verdict],
    }


def _value(vital: Vital) -> str:
    return f"≤ {_number(vital.kind, vital.p75)}"


def _number(kind: str, value: int) -> str:
    if kind == "cls":
        return f"{value / 1000:g}"
    return f"{value / 1000:g} s" if value >= 1000 else f"{value} ms"


ROUTES = (
    route("GET", "/visits", visits_page, title="Visits", media="html", permission="visits.read", query=Span,
          queries_max=8),
)  # fmt: skip

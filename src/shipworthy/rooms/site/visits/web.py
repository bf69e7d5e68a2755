"""The screen of visits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.reply import Page
from shipworthy.kernel.language import _, _n, mark, short_day_text, spoken
from shipworthy.kernel.money.format import format_decimal
from shipworthy.kernel.route import route
from shipworthy.rooms.site.bodies import url_of
from shipworthy.rooms.site.sites.chosen import site_of
from shipworthy.rooms.site.visits.report import Report, report_of
from shipworthy.rooms.site.visits.vitals import ENOUGH, GOOD, POOR, Vital

_SPANS: tuple[Literal["7", "30", "90"], ...] = ("7", "30", "90")
_BARS_MAX = 30  # more do not fit on a phone: 90 days are shown by the week
_NAMES = {
    "lcp": (mark("Largest content shown"), "LCP"),
    "inp": (mark("Answer to a tap or key"), "INP"),
    "cls": (mark("Moving about while loading"), "CLS"),
}
_TONES = {mark("good"): "success", mark("needs work"): "", mark("poor"): "danger"}


class Span(msgspec.Struct):
    days: Literal["7", "30", "90"] = "30"


async def visits_page(ctx: Ctx, span: Span) -> Page:
    site = await site_of(ctx)
    data: dict[str, Any] = {
        "is_counting": ctx.runtime.settings.site.visits_counted,
        "spans": [
            {
                "key": days,
                "href": f"/visits?days={days}",
                "label": _n("{count} day", "{count} days", int(days)),
            }
            for days in _SPANS
        ],
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
        "views": _count(report.views),
        "compared": _compared(report),
        "bars": _bars(report),
        "bars_note": _("A week each") if len(report.days) > _BARS_MAX else _("A day each"),
        "pages": [
            {"path": path, "url": url(path), "views": _count(views), "lcp": _value(lcp) if lcp else "", "tone": _TONES[lcp.verdict] if lcp else ""}
            for path, views, lcp in report.pages
        ],
        "referrers": [{"name": name, "views": _count(views)} for name, views in report.referrers],
        "vitals": [_vital_shown(kind, vital) for kind, vital in report.vitals.items()],
    }  # fmt: skip


def _compared(report: Report) -> str:
    if not report.views_before:
        return _("nothing was counted before")
    change = round(100 * (report.views - report.views_before) / report.views_before)
    return _("{change} % against the {count} days before", change=f"{change:+d}", count=len(report.days))


def _bars(report: Report) -> list[dict[str, Any]]:
    """Return a bar a day, or a week where days do not fit. Each says its date; a few show it below."""
    days = list(report.days)
    if len(days) > _BARS_MAX:
        weeks = [days[n : n + 7] for n in range(len(days) % 7, len(days), 7)]
        days = [(week[0][0], sum(views for _, views in week)) for week in weeks]
    shown = 1 if len(days) <= 7 else 7 if len(days) > 15 else 4
    return [
        {
            "label": short_day_text(day) if n % shown == shown // 2 else "",
            "value": views,
            "text": f"{short_day_text(day)}: {_count(views)}",
        }
        for n, (day, views) in enumerate(days)
    ]


def _vital_shown(kind: str, vital: Vital | None) -> dict[str, str]:
    name, short = _NAMES[kind]
    good, poor = _number(kind, GOOD[kind]), _number(kind, POOR[kind])
    if vital is None:
        return {
            "label": f"{_(name)} ({short})",
            "value": "?",
            "note": _("fewer than {count} visits told", count=ENOUGH),
            "tone": "",
        }
    return {
        "label": f"{_(name)} ({short})",
        "value": _value(vital),
        "note": _(
            "{verdict} (good up to {good}, poor above {poor})", verdict=_(vital.verdict), good=good, poor=poor
        ),
        "tone": _TONES[vital.verdict],
    }


def _value(vital: Vital) -> str:
    return f"≤ {_number(vital.kind, vital.p75)}"


def _number(kind: str, value: int) -> str:
    if kind != "cls" and value < 1000:
        return f"{value} ms"
    number = format_decimal(Decimal(value) / 1000, locale=spoken())
    return number if kind == "cls" else f"{number} s"


def _count(views: int) -> str:
    return format_decimal(Decimal(views), locale=spoken())


ROUTES = (
    route("GET", "/visits", visits_page, title="Visits", media="html", permission="visits.read", query=Span,
          queries_max=8),
)  # fmt: skip

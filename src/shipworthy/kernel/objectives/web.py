"""HTTP for operators: how the objectives stand, with charts, and what is open: look after it, or be quiet for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Conflict, Missing
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.objectives.board import FOLDER, Board, Shown
from shipworthy.kernel.objectives.book import Alert, Book, Silence, book_changed, read_book
from shipworthy.kernel.objectives.declared import objectives_of
from shipworthy.kernel.objectives.series import HEIGHT, WIDTH, height_at, lines, top_ms
from shipworthy.kernel.room import NavItem
from shipworthy.kernel.route import Route, route

PATH = "/operator/objectives"
NAV = (NavItem(href=PATH, label="Objectives", icon="circle-check", section="objectives"),)
_STATE = "kernel.objectives"
_REASON_CHARS_MAX = 200
SPANS_S = {3_600: mark("1 hour"), 8 * 3_600: mark("8 hours"), 24 * 3_600: mark("1 day"), 7 * 24 * 3_600: mark("1 week")}  # fmt: skip
RULES = {
    "page-fast": mark("burns very fast"),
    "page-slow": mark("burns fast"),
    "ticket": mark("burns slowly, for days"),
}
CLASSES = ("p50", "p95", "p99")


class SilenceForm(Body):
    """Be quiet about an objective for so many seconds; 0 ends it."""

    objective: str
    for_s: Annotated[int, Meta(ge=0, le=30 * 24 * 3_600)]
    reason: Annotated[str, Meta(max_length=_REASON_CHARS_MAX)] = ""


async def objectives_page(ctx: Ctx) -> Page:
    board, now_s = board_of(ctx), ctx.now().timestamp()
    shown = await asyncio.to_thread(board.read, now_s=now_s)
    book = await asyncio.to_thread(read_book, board.folder)
    titles = {slo.name: _(slo.title or slo.name) for slo in board.slos}
    data = {
        "is_watched": board.is_watched,
        "watch": "shipworthy slo watch",
        "objectives": [objective_view(one, book, now_s) for one in shown],
        "alerts": [_alert(alert, titles) for alert in book.open],
        "choices": list(titles.items()),
        "spans": [(str(seconds), _(words)) for seconds, words in SPANS_S.items()],
        "width": WIDTH,
        "height": HEIGHT,
    }
    return Page("kernel/objectives.html", data, title=_("Objectives"), section="objectives")


async def acknowledge(ctx: Ctx, alert_id: str) -> Redirect:
    """Note that the operator looks after an alert; the first one stays."""
    board = board_of(ctx)
    async with ctx.begin() as tx:
        await record(ctx, "alert.acknowledged", of="alert", id=alert_id[:32], tx=tx)
        await asyncio.to_thread(_change, board, lambda book: _looks_after(book, alert_id, ctx.user.email))
    return Redirect(PATH, flash=_("You look after it."))


async def silence(ctx: Ctx, form: SilenceForm) -> Redirect:
    """Tell nobody of an objective's alerts for a while; they are opened and shown all the same."""
    board, objective = board_of(ctx), form.objective
    if objective not in {slo.name for slo in board.slos}:
        raise Missing("objective")
    quiet = Silence(until_s=ctx.now().timestamp() + form.for_s, by=ctx.user.email, reason=form.reason.strip())
    async with ctx.begin() as tx:
        detail = {"for_s": form.for_s}
        await record(ctx, "objective.silenced", of="objective", id=objective, detail=detail, tx=tx)
        await asyncio.to_thread(_change, board, lambda book: book.silences.update({objective: quiet}))
    if not form.for_s:
        return Redirect(PATH, flash=_("Its alerts are told of again."))
    return Redirect(
        PATH, flash=_("Nobody is told of its alerts until {moment} UTC.", moment=_moment(quiet.until_s))
    )


def board_of(ctx: Ctx) -> Board:
    """Return the process's one board."""
    state, settings = ctx.runtime.state, ctx.runtime.settings
    if _STATE not in state:
        state[_STATE] = Board(ctx.runtime.folder / FOLDER, objectives_of(ctx.runtime.rooms, settings))
    found: Board = state[_STATE]
    return found


def _change(board: Board, change: Callable[[Book], None]) -> None:
    if not board.is_watched:
        raise Missing("alert")
    with book_changed(board.folder) as book:
        change(book)


def _looks_after(book: Book, alert_id: str, by: str) -> None:
    """Errors: Missing, Conflict `alert.acknowledged`."""
    found = next((alert for alert in book.open if alert.id == alert_id), None)
    if found is None:
        raise Missing("alert")
    if found.acknowledged_by:
        raise Conflict("alert.acknowledged", _("{name} looks after it already.", name=found.acknowledged_by))
    found.acknowledged_by = by


def objective_view(one: Shown, book: Book, now_s: float) -> dict[str, Any]:
    said, top = one.reading, top_ms(one.steps, one.slo)
    quiet = book.silences.get(said.objective)
    is_known = said.budget_requests > 0
    return {
        "name": said.objective,
        "title": _(said.title),
        "promise": _("{share} of requests within {bound}", share=f"{said.quantile:.0%}", bound=_ms(said.threshold_ms)),
        "state": "failed" if said.alerts else "active" if is_known else "draft",
        "word": _("Burns too fast") if said.alerts else _("Kept") if is_known else _("No requests"),
        "percentiles": [(name, _ms(ms)) for name, ms in zip(CLASSES, (said.p50_ms, said.p95_ms, said.p99_ms), strict=True)],
        "requests": f"{said.requests:,}",
        "left": f"{said.budget_left:.0%}" if is_known else "-",
        "is_overspent": is_known and said.budget_left < 0,
        "burn": [(_span(window_s), f"{rate:.1f}") for window_s, rate in sorted(said.burn.items())],
        "burn_1h": f"{said.burn.get(3_600, 0.0):.1f}",
        "lines": list(zip(CLASSES, lines(one.steps, top=top), strict=True)),
        "bound_at": round(height_at(one.slo.threshold_ms, top=top), 1),
        "bound": _ms(one.slo.threshold_ms),
        "top": _ms(round(top)),
        "has_day": any(step.requests for step in one.steps),
        "steps": [
            (_clock(step.at_s), *(_ms(ms) for ms in step.ms)) for step in one.steps if step.requests
        ],
        "bars": [
            {"label": _label(day.at_s, n, len(one.days)), "value": day.spent, "text": f"{_day(day.at_s)}: {day.spent:.1%}"}
            for n, day in enumerate(one.days)
        ],
        "quiet": _quiet(quiet) if quiet is not None and quiet.until_s > now_s else None,
    }  # fmt: skip


def _alert(alert: Alert, titles: dict[str, str]) -> dict[str, Any]:
    return {
        "id": alert.id,
        "title": titles.get(alert.objective, alert.objective),
        "rule": _(RULES[alert.rule]) if alert.rule in RULES else alert.rule,
        "since": _moment(alert.opened_s),
        "by": alert.acknowledged_by,
    }


def _quiet(silence: Silence) -> dict[str, str]:
    return {"until": _moment(silence.until_s), "by": silence.by, "reason": silence.reason}


def _ms(ms: float | None) -> str:
    if ms is None:
        return "-"
    return _("{ms} ms", ms=f"{ms:g}") if ms != float("inf") else _("over 10 s")


def _span(seconds: int) -> str:
    return f"{seconds // 3_600} h" if seconds >= 3_600 else f"{seconds // 60} min"


def _moment(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M}"


def _clock(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%H:%M}"


def _day(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%m-%d}"


def _label(at_s: float, n: int, days: int) -> str:
    """A label every week, counted from today: thirty of them do not fit on a phone."""
    return _day(at_s) if (days - 1 - n) % 7 == 0 else ""


_READS: Any = {"media": "html", "auth": "operator", "transaction": False}
_WRITES: Any = {**_READS, "effect": "change", "body_bytes_max": 4_096}

# queries_max counts the session's look-up and touch (2).
ROUTES: tuple[Route, ...] = (
    route("GET", PATH, objectives_page, **_READS, title="How the objectives stand", queries_max=2),
    route("POST", "/operator/alerts/{alert}/acknowledge", acknowledge, **_WRITES, title="Look after an alert",
          audit="alert.acknowledged", queries_max=3),
    route("POST", "/operator/silences", silence, **_WRITES, body=SilenceForm,
          title="Tell nobody of an objective for a while", audit="objective.silenced", example={"objective": "login", "for_s": 3600},
          queries_max=3),
)  # fmt: skip

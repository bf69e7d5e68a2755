"""The watch: looks at the app's own counters, keeps the minutes, opens and closes alerts, has people told.

Needs neither Prometheus nor a database, so it also alerts when that is away. Whatever it cannot do now it tries
again at the next look.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from shipworthy.contract.manifest import Slo
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.objectives.book import Alert, Book, Notice, book_changed, read_book
from shipworthy.kernel.objectives.history import Counters, History, counters_of, since
from shipworthy.kernel.objectives.reading import Reading, read_objectives
from shipworthy.kernel.telemetry.log import log

PERIOD_S = 15.0  # the shortest window is five minutes

Tell = Callable[[Notice, Alert], Awaitable[None]]


class Watch:
    """The watch over one app. `tell` raises a Refusal for what must be tried again."""

    def __init__(
        self,
        folder: Path,
        slos: Sequence[Slo],
        routes: Mapping[str, Sequence[str]],
        *,
        ways: Sequence[str],
        tell: Tell,
    ) -> None:
        self._folder, self._slos, self._routes, self._ways, self._tell = folder, slos, routes, ways, tell
        self._history = History(folder / "minutes.jsonl")
        self._before: dict[str, Counters] = {}

    async def look(self, metrics: str, *, now_s: float) -> list[Reading]:
        """Look once at what `/-/metrics` says. Errors: ValueError for what is no such text."""
        now = counters_of(metrics, self._slos, self._routes)
        minutes = [
            since(self._before.get(name), seen, at_s=now_s, objective=name) for name, seen in now.items()
        ]
        self._before = now
        self._history.add(minute for minute in minutes if minute is not None)
        self._history.cut(now_s)
        readings = read_objectives(self._history, self._slos, now_s=now_s)
        with book_changed(self._folder) as book:
            _decide(book, readings, self._ways, now_s=now_s)
        await self._tell_all()
        return readings

    async def _tell_all(self) -> None:
        book = read_book(self._folder)
        alerts = {alert.id: alert for alert in book.alerts}
        for notice in book.pending:
            try:
                if notice.alert_id in alerts:
                    await self._tell(notice, alerts[notice.alert_id])
            except Refusal as away:
                log.warning("an alert could not be told", extra={"way": notice.way, "reason": away.code})
                continue
            with book_changed(self._folder) as told:
                told.pending = [other for other in told.pending if other != notice]


def _decide(book: Book, readings: Sequence[Reading], ways: Sequence[str], *, now_s: float) -> None:
    """Open what begins to fire and close what no longer does; note whom to tell."""
    firing = {(reading.objective, rule): reading for reading in readings for rule in reading.alerts}
    for (objective, rule), reading in firing.items():
        if book.open_alert(objective, rule) is None:
            burn = max(reading.burn.values())
            alert = Alert(id=secrets.token_hex(4), objective=objective, rule=rule, burn=burn, opened_s=now_s)
            book.alerts.append(alert)
            _note(book, alert, "opened", ways, now_s)
    for alert in book.open:
        if (alert.objective, alert.rule) not in firing:
            alert.closed_s = now_s
            _note(book, alert, "closed", ways, now_s)


def _note(book: Book, alert: Alert, change: str, ways: Sequence[str], now_s: float) -> None:
    if not book.is_quiet(alert.objective, now_s):
        book.pending += [Notice(alert_id=alert.id, change=change, way=way) for way in ways]

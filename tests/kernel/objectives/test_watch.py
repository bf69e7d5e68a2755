"""The watch over an app's own counters: what it keeps, when it alerts, and whom it tells, once.

Covers: history, reading, book, declared, telling.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shipworthy.contract.manifest import Slo
from shipworthy.kernel.errors import Upstream
from shipworthy.kernel.http.metrics import EDGES_S, Metrics
from shipworthy.kernel.objectives.book import Alert, Notice, Silence, book_changed, read_book
from shipworthy.kernel.objectives.declared import edges_s, objectives_of, routes_by_objective
from shipworthy.kernel.objectives.history import KEPT_S, History
from shipworthy.kernel.objectives.reading import REQUESTS_MIN, percentile_ms, read_objectives
from shipworthy.kernel.objectives.telling import Teller
from shipworthy.kernel.objectives.watch import Watch
from shipworthy.kernel.settings import AlertsSection, AppSection, MailSection, Settings
from shipworthy.local.ports import free_port
from tests.kernel.mail.test_outbox import Kept
from tests.kernel.toy import ROOM
from tests.support.ledger import served

NOTES = Slo(name="notes", quantile=0.95, threshold_ms=200.0, title="Notes")
ROUTE, START_S = "GET /api/notes", 1_800_000_000.0
BY_ROUTE = {"notes": [ROUTE, "POST /api/notes"]}


class App:
    """An app's counters, a clock, and the watch that looks at them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now_s, self.metrics = folder, START_S, Metrics()
        self.told: list[tuple[str, str]] = []
        self.is_deaf = False
        self.watch = self.watcher()

    def watcher(self) -> Watch:
        return Watch(self.folder, (NOTES,), BY_ROUTE, ways=("mail", "webhook"), tell=self.tell)

    async def tell(self, notice: Notice, alert: Alert) -> None:
        if self.is_deaf:
            raise Upstream("mail.unavailable", "away")
        self.told.append((f"{alert.rule} {notice.change}", notice.way))

    def serve(self, *, good: int = 0, slow: int = 0, failed: int = 0) -> None:
        for number, status, duration_s in ((good, 200, 0.08), (slow, 200, 0.3), (failed, 503, 0.01)):
            for _ in range(number):
                self.metrics.request(ROUTE, status, duration_s, 0)
        self.metrics.request("GET /elsewhere", 500, 9.0, 0)

    async def look(self, *, after_s: float = 15.0) -> tuple[str, ...]:
        """Look once, later; return the rules that fire."""
        self.now_s += after_s
        (found,) = await self.watch.look(generate_latest(self.metrics.registry).decode(), now_s=self.now_s)
        return found.alerts


@pytest.fixture
async def app(tmp_path: Path) -> App:
    found = App(tmp_path)
    await found.look()  # from here on it counts
    return found


async def test_slow_and_failed_requests_are_bad_and_leave_the_windows_one_after_the_other(app: App) -> None:
    app.serve(good=100, slow=800, failed=100)
    assert await app.look() == ("page-fast", "page-slow", "ticket")
    (found,) = read_objectives(History(app.folder / "minutes.jsonl"), (NOTES,), now_s=app.now_s)
    assert (found.requests, found.budget_requests, found.burn[300]) == (1_000, 1_000, 18.0)
    assert (found.p50_ms, found.p95_ms) == (350.0, 350.0)
    assert found.budget_left == pytest.approx(1 - 900 / 50)
    assert await app.look(after_s=600) == ("page-slow", "ticket")  # past five minutes
    assert await app.look(after_s=7_200) == ("ticket",)
    assert await app.look(after_s=KEPT_S) == ()
    assert (app.folder / "minutes.jsonl").read_text() == ""


async def test_a_service_within_its_objective_and_a_quiet_one_alarm_nobody(app: App) -> None:
    app.serve(good=960, slow=40)
    assert await app.look() == ()
    app.serve(failed=REQUESTS_MIN - 1)
    quiet = App(app.folder / "quiet")
    quiet.folder.mkdir()
    quiet.watch = quiet.watcher()
    await quiet.look()
    quiet.serve(failed=REQUESTS_MIN - 1)
    assert await quiet.look() == ()
    quiet.serve(failed=1)
    assert "page-fast" in await quiet.look()


async def test_a_process_that_begins_anew_is_counted_from_zero_and_a_watch_goes_on_where_it_was(
    app: App,
) -> None:
    app.serve(good=500)
    await app.look()
    app.metrics = Metrics()  # restarted
    app.serve(good=30)
    await app.look()
    app.watch = app.watcher()  # so is the watch: its first look says nothing, its history does
    await app.look()
    app.serve(good=70)
    await app.look()
    with (app.folder / "minutes.jsonl").open("a") as file:
        file.write('{"at_s": 1, "objec')  # a line that a dying process left
    assert History(app.folder / "minutes.jsonl").count("notes", since_s=0).total == 600


async def test_everybody_is_told_once_and_again_when_it_is_over_and_a_failed_try_is_repeated(
    app: App,
) -> None:
    app.is_deaf = True
    app.serve(slow=500)
    await app.look()
    assert app.told == [] and len(read_book(app.folder).pending) == 6
    app.is_deaf = False
    await app.look()
    await app.look()
    rules = ("page-fast", "page-slow", "ticket")
    assert sorted(app.told) == sorted(
        (f"{rule} opened", way) for rule in rules for way in ("mail", "webhook")
    )
    app.told.clear()
    await app.look(after_s=KEPT_S)
    assert sorted(app.told) == sorted(
        (f"{rule} closed", way) for rule in rules for way in ("mail", "webhook")
    )
    assert read_book(app.folder).open == []


async def test_a_silence_keeps_an_alert_from_being_told_and_not_from_being_seen(app: App) -> None:
    with book_changed(app.folder) as book:
        book.silences["notes"] = Silence(until_s=app.now_s + 60, by="ada", reason="moving")
    app.serve(slow=500)
    await app.look()
    assert app.told == []
    assert len(read_book(app.folder).open) == 3


async def test_a_mail_says_what_to_do_and_a_webhook_is_signed() -> None:
    received: list[tuple[dict[str, str], bytes]] = []

    async def hook(request: Request) -> Response:
        received.append((dict(request.headers), await request.body()))
        return Response(status_code=500 if len(received) == 1 else 204)

    kept = Kept()
    controller = Controller(kept, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        async with served(Starlette(routes=[Route("/hook", hook, methods=["POST"])])) as url:
            settings = Settings(
                app=AppSection(name="Studio", rooms=()),
                mail=MailSection(port=controller.port),
                alerts=AlertsSection(mail=("ann@ops.example",), webhook_url=f"{url}/hook"),
            )
            teller = Teller(
                settings, (NOTES,), secret="s3cret", now=lambda: datetime.fromtimestamp(START_S, UTC)
            )
            assert teller.ways == ("mail", "webhook")
            alert = Alert(id="ab12", objective="notes", rule="page-fast", burn=18.0, opened_s=START_S)
            await teller.tell(Notice(alert_id="ab12", change="opened", way="mail"), alert)
            notice = Notice(alert_id="ab12", change="opened", way="webhook")
            with pytest.raises(Upstream, match="500"):
                await teller.tell(notice, alert)
            await teller.tell(notice, alert)
    finally:
        controller.stop()
    (mail,) = kept.mails
    for words in (
        b"Subject: Studio: Notes breaks its objective",
        b"18.0 times too fast",
        b"slo acknowledge ab12",
    ):
        assert words in mail
    (first, _), (headers, body) = received
    assert first["webhook-id"] == headers["webhook-id"] == "ab12.opened"
    signed = f"ab12.opened.{int(START_S)}.".encode() + body
    digest = base64.b64encode(hmac.new(b"s3cret", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert json.loads(body)["data"]["objective"] == "notes"


def test_an_apps_own_bounds_are_edges_of_its_histogram() -> None:
    room = replace(ROOM, slos=lambda _: (replace(NOTES, threshold_ms=120.0),), lane_slo="notes")
    settings = Settings(app=AppSection(name="A", rooms=("toy",)))
    assert set(edges_s((room,), settings)) == {*EDGES_S, 0.12}
    assert [slo.name for slo in objectives_of((room,), settings)] == ["notes"]
    assert routes_by_objective((room,)) == {"notes": [ROOM.name]}


@given(
    st.dictionaries(st.sampled_from((*EDGES_S, float("inf"))), st.integers(0, 1_000)), st.floats(0.01, 0.99)
)
def test_a_percentile_is_never_better_than_the_truth(taken: dict[float, int], quantile: float) -> None:
    found = percentile_ms(taken, quantile)
    if not sum(taken.values()):
        assert found is None
        return
    assert found is not None
    within = sum(count for edge, count in taken.items() if 1000 * edge <= found)
    assert within >= sum(taken.values()) * quantile

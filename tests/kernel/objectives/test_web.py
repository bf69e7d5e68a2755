"""The operators' pages: how the objectives stand, who looks after an alert, and nobody else who sees them.

Covers: web, board, series.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.contract.manifest import Slo
from shipworthy.kernel.objectives.board import FOLDER, Board
from shipworthy.kernel.objectives.book import Alert, book_changed, read_book
from shipworthy.kernel.objectives.history import History, Minute
from shipworthy.kernel.objectives.series import (
    DAY_S,
    HEIGHT,
    STEPS,
    WIDTH,
    budget_days,
    height_at,
    latency_steps,
    lines,
    top_ms,
)
from shipworthy.kernel.operators import end_operator, make_operator, operators
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.conftest import signed_in
from tests.kernel.toy import ROOM
from tests.support.app import RunningApp, app_running
from tests.support.client import Client

NOTES = Slo(name="notes", quantile=0.95, threshold_ms=200.0, title="Notes")
WATCHED = replace(ROOM, slos=lambda _settings: (NOTES,))
NOW_S = 1_800_000_000.0


@pytest.fixture
async def app(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with app_running(cluster, (WATCHED,), tmp_path) as running:
        yield running


async def operator_of(app: RunningApp) -> Client:
    """The owner of a tenant who is an operator, too."""
    client = await signed_in(app, tenant="Runners")
    assert await as_worker(app, "make") is True
    return client


async def as_worker(app: RunningApp, what: str) -> bool:
    """Make the person who signed in last an operator, or end that, as the worker's role can."""
    [row] = await app.admin("select user_id from session order by created_at desc limit 1")
    ctx, web = app.ctx(), app.runtime.database
    async with app.role("worker") as worker:
        app.runtime.database = worker
        try:
            change = make_operator if what == "make" else end_operator
            assert await change(ctx, row["user_id"]) is True
            assert await change(ctx, row["user_id"]) is False  # doing it twice is doing it once
            return bool(await operators(ctx))
        finally:
            app.runtime.database = web


def alert_of(app: RunningApp, *, now_s: float) -> Path:
    folder = app.installation.state / FOLDER
    folder.mkdir()
    History(folder / "minutes.jsonl").add(
        Minute(at_s=int(now_s) - 600, objective="notes", total=100, bad=40, taken={"0.1": 60, "0.5": 40})
        for _ in range(3)
    )
    with book_changed(folder) as book:
        book.alerts.append(
            Alert(id="5f0c19aa", objective="notes", rule="page-fast", burn=20.0, opened_s=now_s)
        )
    return folder


async def test_an_operator_sees_the_objectives_and_looks_after_an_alert(app: RunningApp) -> None:
    client = await operator_of(app)
    unwatched = await client.get("/operator/objectives")
    assert (unwatched.status, "shipworthy slo watch" in unwatched.text) == (200, True)
    folder = alert_of(app, now_s=app.runtime.now().timestamp())
    app.runtime.state.clear()  # the board was read a moment ago
    page = await client.get("/operator/objectives")
    for words in ("Notes", "95% of requests within 200 ms", "polyline", "Burns too fast", "5f0c19aa"):
        assert words in page.text, words
    taken = await client.post("/operator/alerts/5f0c19aa/acknowledge", form={})
    assert taken.status == 303
    assert read_book(folder).open[0].acknowledged_by == "runners@example.test"
    again = await client.post("/operator/alerts/5f0c19aa/acknowledge", form={})
    assert (again.status, "runners@example.test" in again.text) == (409, True)
    assert (await client.post("/operator/alerts/00000000/acknowledge", form={})).status == 404
    quiet = await client.post(
        "/operator/silences", form={"objective": "notes", "for_s": "3600", "reason": "moving"}
    )
    assert quiet.status == 303
    assert read_book(folder).silences["notes"].reason == "moving"
    assert "moving" in (await client.get("/operator/objectives")).text
    assert (await client.post("/operator/silences", form={"objective": "notes", "for_s": "0"})).status == 303
    assert (await client.post("/operator/silences", form={"objective": "other", "for_s": "60"})).status == 404
    for wrong in ("-1", "nonsense", "99999999999"):
        assert (
            await client.post("/operator/silences", form={"objective": "notes", "for_s": wrong})
        ).status == 422
    rows = await app.admin("select action from realm_audit order by audit_id")
    assert [row["action"] for row in rows] == [
        "operator.added", "alert.acknowledged", "objective.silenced", "objective.silenced",
    ]  # fmt: skip
    assert await app.admin("select from audit") == []


async def test_of_twenty_who_look_after_one_alert_at_once_one_does(app: RunningApp) -> None:
    client = await operator_of(app)
    alert_of(app, now_s=app.runtime.now().timestamp())
    answers = await asyncio.gather(
        *(client.post("/operator/alerts/5f0c19aa/acknowledge", form={}) for _ in range(20))
    )
    assert sorted({answer.status for answer in answers} - {503}) == [303, 409]
    assert sum(answer.status == 303 for answer in answers) == 1
    rows = await app.admin("select from realm_audit where action = 'alert.acknowledged'")
    assert len(rows) == 1


async def test_nobody_else_sees_that_these_pages_are_there(app: RunningApp) -> None:
    owner = await signed_in(app)
    operator = await operator_of(app)
    paths = ("/operator/objectives", "/operator/traces", "/operator/traces/00000000")
    nowhere = (await owner.get("/operator/nothing", headers={"accept": "application/json"})).body
    for path in paths:
        refused = await owner.get(path, headers={"accept": "application/json"})
        assert (refused.status, refused.body) == (404, nowhere)
        assert (await app.client().get(path, headers={"accept": "application/json"})).status == 401
    for path in ("/operator/alerts/5f0c19aa/acknowledge", "/operator/silences"):
        assert (await owner.post(path, form={"objective": "notes", "for_s": "60"})).status == 404
    assert "/operator/objectives" not in unescape((await owner.get("/audit")).text)
    assert "/operator/objectives" in unescape((await operator.get("/audit")).text)
    assert (await operator.get("/operator/traces")).status == 200
    assert await as_worker(app, "end") is False
    assert [(await operator.get(path)).status for path in paths] == [404, 404, 404]


@pytest.mark.parametrize("sql", ["delete from operator", "insert into operator (user_id, added_at) select gen_random_uuid(), now()"])  # fmt: skip
async def test_the_app_that_answers_the_web_can_make_nobody_an_operator(app: RunningApp, sql: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with app.runtime.database.begin(app.ctx().scope) as tx:
            await tx.raw(sql)


def test_a_board_reads_at_most_as_often_as_the_watch_looks(tmp_path: Path) -> None:
    board, file = Board(tmp_path, (NOTES,)), tmp_path / "minutes.jsonl"
    assert board.read(now_s=NOW_S)[0].reading.requests == 0
    History(file).add([Minute(at_s=int(NOW_S), objective="notes", total=3, bad=0, taken={"0.1": 3})])
    assert board.read(now_s=NOW_S + 5)[0].reading.requests == 0
    assert board.read(now_s=NOW_S + 20)[0].reading.requests == 3
    file.write_text(file.read_text() + '{"at_s": 18')  # half a line
    assert board.read(now_s=NOW_S + 40)[0].reading.requests == 3
    assert board.read(now_s=NOW_S)[0].reading.requests == 3  # a clock that went back


minutes = st.lists(
    st.builds(
        Minute,
        at_s=st.integers(int(NOW_S) - 40 * DAY_S, int(NOW_S)),
        objective=st.sampled_from(["notes", "other"]),
        total=st.integers(1, 50),
        bad=st.integers(0, 50),
        taken=st.dictionaries(
            st.sampled_from(["0.05", "0.2", "1.0", "+Inf"]), st.integers(1, 50), min_size=1
        ),
    ),
    max_size=30,
)


@given(minutes)
def test_charts_hold_every_request_once_and_stay_within_their_frame(kept: list[Minute]) -> None:
    history = History(Path("/nonexistent"))
    history.minutes = kept
    steps = latency_steps(history, NOTES, now_s=NOW_S)
    of_the_day = [m for m in kept if m.objective == "notes" and m.at_s >= NOW_S - DAY_S]
    assert len(steps) == STEPS
    assert sum(step.requests for step in steps) == sum(sum(m.taken.values()) for m in of_the_day)
    top = top_ms(steps, NOTES)
    assert top < float("inf")
    for pieces in lines(steps, top=top):
        for x, y in (point.split(",") for piece in pieces for point in piece.split()):
            assert -3 <= float(x) <= WIDTH + 3
            assert 0 <= float(y) <= HEIGHT
    assert 0 <= height_at(NOTES.threshold_ms, top=top) <= HEIGHT
    days = budget_days(history, NOTES, now_s=NOW_S)
    total = sum(m.bad for m in kept if m.objective == "notes" and m.at_s >= NOW_S - 30 * DAY_S)
    assert (sum(day.spent for day in days) > 0) == (total > 0)
    json.dumps([step.ms for step in steps if None not in step.ms and float("inf") not in step.ms])

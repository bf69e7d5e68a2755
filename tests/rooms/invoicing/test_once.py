"""The same request, however often and however interleaved, has one effect and one answer."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import LINE, Person, person
from tests.support.app import RunningApp, app_running
from tests.support.client import Answer
from tests.support.deeper import lean

KEYS = 3
# Which of three requests is sent next; None waits for the oldest that is under way.
SCHEDULES = st.lists(st.one_of(st.integers(0, KEYS - 1), st.none()), min_size=6, max_size=18)


async def test_any_interleaving_of_the_same_requests_has_one_effect_and_equal_answers(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    async with app_running(cluster, (ROOM,), tmp_path) as app:
        loop = asyncio.get_running_loop()

        @settings(**lean(8))
        @given(SCHEDULES)
        def every_interleaving(schedule: list[int | None]) -> None:
            asyncio.run_coroutine_threadsafe(interleaved(app, schedule), loop).result()

        await asyncio.to_thread(every_interleaving)


async def interleaved(app: RunningApp, schedule: list[int | None]) -> None:
    who = await person(app)
    body = {"customer_id": await who.customer(), "currency": "EUR", "lines": [LINE]}
    sent = sorted({key for key in schedule if key is not None})
    if not sent:
        return
    made = await played(who, schedule, ["/api/invoices"] * KEYS, body)
    drafts = {key: made[key].json["invoice_id"] for key in sent}
    assert len(set(drafts.values())) == len(sent)
    listed = (await who.get("/api/invoices")).json["invoices"]
    assert {row["invoice_id"] for row in listed} == set(drafts.values())

    at = [f"/api/invoices/{drafts.get(key, uuid.uuid4())}" for key in range(KEYS)]
    issued = await played(who, schedule, [f"{path}/finalise" for path in at], None)
    assert len({issued[key].json["number"] for key in sent}) == len(sent)
    (series,) = (await who.get("/api/numbers/audit")).json["series"]
    assert (series["numbers"], series["missing"], series["doubles"]) == (len(sent), 0, 0)

    await played(who, schedule, [f"{path}/pay" for path in at], None)
    payments = (await who.get("/api/payments")).json["payments"]
    assert len(payments) == len(sent)
    for key in sent:
        invoice = (await who.get(at[key])).json
        assert (invoice["status"], invoice["paid_minor"]) == ("paid", invoice["gross_minor"])


async def played(who: Person, schedule: list[int | None], paths: list[str], body: Any) -> dict[int, Answer]:
    """Send the requests as the schedule says; of each, return the one answer that all of its copies got."""
    keys = [uuid.uuid4().hex for _ in range(KEYS)]
    under_way: deque[tuple[int, asyncio.Task[Answer]]] = deque()
    answers: dict[int, list[Answer]] = {}

    async def oldest() -> None:
        key, task = under_way.popleft()
        answers.setdefault(key, []).append(await task)

    for step in schedule:
        if step is None:
            if under_way:
                await oldest()
            continue
        copy = who.post(paths[step], body, idempotency_key=keys[step])
        under_way.append((step, asyncio.create_task(copy)))
        await asyncio.sleep(0)
    while under_way:
        await oldest()
    for same in answers.values():
        assert {answer.status for answer in same} <= {200, 201}, same[0].text
        assert len({(answer.status, answer.body) for answer in same}) == 1
        firsts = [answer for answer in same if answer.header("idempotent-replayed") is None]
        assert len(firsts) == 1, "one did it, the others were told"
    return {key: same[0] for key, same in answers.items()}


async def test_without_a_key_nothing_that_moves_money_is_done(app: RunningApp, acme: Person) -> None:
    draft = await acme.draft()
    path = f"/api/invoices/{draft['invoice_id']}"
    for where in ("/api/invoices", f"{path}/finalise", f"{path}/pay", f"{path}/void", "/api/payments"):
        refused = await acme.client.post(where, json_body={})
        assert (refused.status, refused.json["code"]) in (
            (422, "idempotency.key_missing"),
            (422, "body.invalid"),
        )
    assert (await acme.get(path)).json["status"] == "draft"

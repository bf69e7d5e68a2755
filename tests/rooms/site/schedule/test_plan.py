"""Pages that come and go by themselves: at their time, once, whatever became of clock, worker or plan.

Covers: web.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shipworthy.kernel.queue.worker import run_job
from shipworthy.rooms.site.jobs import JOBS
from shipworthy.rooms.site.schedule.plan import LOOK_AGAIN_S
from tests.rooms.site.assets.conftest import send_picture
from tests.rooms.site.conftest import Author, Clock, author, until
from tests.support.app import RunningApp

HOUR_S = 3600.0
_KINDS = {kind.kind: kind for kind in JOBS}


async def plan(person: Author, page: dict[str, Any], **after_s: float) -> Any:
    now = person.app.runtime.now()
    body = {name: (now + timedelta(seconds=seconds)).isoformat() for name, seconds in after_s.items()}
    return await person.send("PUT", f"/api/pages/{page['page_id']}/plan", body)


async def waiting(app: RunningApp) -> list[tuple[str, bytes]]:
    """Take the plans' jobs out of the queue, oldest first."""
    rows = await app.admin("delete from pgqueuer where entrypoint = 'site.schedule' returning id, payload")
    return [
        (json.loads(row["payload"])["source"], row["payload"])
        for row in sorted(rows, key=lambda row: row["id"])
    ]


async def look(app: RunningApp, jobs: list[tuple[str, bytes]] | None = None) -> None:
    """Run the plans' jobs as the worker's role does."""
    taken = await waiting(app) if jobs is None else jobs
    async with app.role("worker") as database:
        runtime = replace(app.runtime, database=database, state={})
        for _, payload in taken:
            await run_job(_KINDS["site.schedule"], runtime, payload, attempt=0)


async def status(person: Author, page: dict[str, Any]) -> tuple[str, int | None]:
    read = (await person.get(f"/api/pages/{page['page_id']}")).json
    return read["status"], read["published_version"]


async def test_a_page_comes_and_goes_at_its_times_for_visitors_too(acme: Author, clock: Clock) -> None:
    page = await acme.write("Offer", path="/offer")
    planned = await plan(acme, page, publish_at=HOUR_S, unpublish_at=2 * HOUR_S)
    assert (planned.status, planned.json["publish_version"]) == (200, 1)
    await look(acme.app)
    assert await status(acme, page) == ("draft", None)
    clock.move(HOUR_S)
    await look(acme.app)
    assert (await acme.visitor.ask("/offer")).status == 200
    await look(acme.app)
    assert await status(acme, page) == ("published", 1)
    clock.move(HOUR_S)
    await look(acme.app)
    # The worker is another process: this one hears of it.
    await until(lambda: acme.visitor.ask("/offer"), lambda answer: answer.status == 404)
    assert await waiting(acme.app) == []


async def test_a_job_looks_again_in_time_and_never_later_than_a_quarter_of_an_hour(acme: Author) -> None:
    page = await acme.write("Offer")
    for seconds, expected_s in ((100 * HOUR_S, LOOK_AGAIN_S), (60, 60)):
        await plan(acme, page, publish_at=seconds)
        (row,) = await acme.app.admin(
            "delete from pgqueuer returning extract(epoch from execute_after - created)::int as after_s"
        )
        assert row["after_s"] == expected_s


async def test_a_clock_put_back_delays_and_one_put_forward_hurries(acme: Author, clock: Clock) -> None:
    page = await acme.write("Offer")
    await plan(acme, page, publish_at=HOUR_S)
    clock.move(-HOUR_S)
    await look(acme.app)  # the queue's clock said that it was time
    assert await status(acme, page) == ("draft", None)
    clock.move(50 * HOUR_S)
    await look(acme.app)
    assert await status(acme, page) == ("published", 1)


async def test_a_worker_that_was_dead_all_the_time_shows_nothing_whose_end_has_passed(
    acme: Author, clock: Clock
) -> None:
    gone, late = await acme.write("Gone"), await acme.write("Late")
    await plan(acme, gone, publish_at=HOUR_S, unpublish_at=2 * HOUR_S)
    await plan(acme, late, publish_at=HOUR_S)
    clock.move(30 * HOUR_S)
    await look(acme.app)
    assert await status(acme, gone) == ("draft", None)
    assert await status(acme, late) == ("published", 1)
    assert await waiting(acme.app) == []


async def test_a_job_of_a_changed_or_cancelled_plan_does_nothing_and_one_run_twice_has_one_effect(
    acme: Author, clock: Clock
) -> None:
    page = await acme.write("Offer")
    await plan(acme, page, publish_at=HOUR_S)
    old = await waiting(acme.app)
    await plan(acme, page, publish_at=3 * HOUR_S)
    clock.move(2 * HOUR_S)
    await look(acme.app, old)
    assert await status(acme, page) == ("draft", None)
    new = await waiting(acme.app)
    clock.move(HOUR_S)
    await look(acme.app, [*new, *new])
    assert await status(acme, page) == ("published", 1)
    (shown,) = await acme.app.admin("select count(*) as n from audit where action = 'page.published'")
    assert shown["n"] == 1
    await plan(acme, page, unpublish_at=HOUR_S)
    cancelled = await acme.send("DELETE", f"/api/pages/{page['page_id']}/plan")
    assert (cancelled.status, cancelled.json["unpublish_at"]) == (200, None)
    clock.move(2 * HOUR_S)
    await look(acme.app)
    assert await status(acme, page) == ("published", 1)


async def test_what_is_written_after_the_plan_waits_and_publishing_by_hand_ends_it(
    acme: Author, clock: Clock
) -> None:
    page = await acme.write("Offer", body="Planned.")
    await plan(acme, page, publish_at=HOUR_S)
    edited = await acme.edit(page, body="Half a sent")
    clock.move(HOUR_S)
    await look(acme.app)
    assert await status(acme, page) == ("published", 1)
    await plan(acme, edited, publish_at=HOUR_S)
    await acme.publish(await acme.edit(edited, body="By hand."))
    clock.move(2 * HOUR_S)
    await look(acme.app)
    assert await status(acme, page) == ("published", 3)


@pytest.mark.parametrize(
    ("after_s", "field"),
    [
        ({}, "publish_at"),
        ({"publish_at": -1.0}, "publish_at"),
        ({"publish_at": 20 * 366 * 24 * HOUR_S}, "publish_at"),
        ({"publish_at": HOUR_S, "unpublish_at": HOUR_S}, "unpublish_at"),
        ({"unpublish_at": HOUR_S}, "unpublish_at"),
    ],
)
async def test_a_plan_that_cannot_be_is_refused_by_field(
    acme: Author, after_s: dict[str, float], field: str
) -> None:
    page = await acme.write("Offer")
    refused = await plan(acme, page, **after_s)
    assert (refused.status, refused.json["code"], list(refused.json["fields"])) == (
        422,
        "site.plan_invalid",
        [field],
    )
    assert await waiting(acme.app) == []


async def test_a_broken_page_is_not_planned_and_a_neighbour_plans_nothing(
    app: RunningApp, acme: Author
) -> None:
    page = await acme.write("Offer", body="[x](/nowhere)")
    assert (await plan(acme, page, publish_at=HOUR_S)).json["code"] == "site.publish_blocked"
    globex = await author(app, "Globex")
    await globex.write("Mine")
    assert (await plan(globex, page, publish_at=HOUR_S)).status == 404
    assert (await globex.send("DELETE", f"/api/pages/{page['page_id']}/plan")).status == 404


async def test_a_plan_is_made_shown_and_cancelled_on_screen_in_the_tenant_s_own_time(acme: Author) -> None:
    await acme.app.admin("update tenant set time_zone = 'Europe/Berlin' where tenant_id = $1", acme.tenant_id)
    page = await acme.write("Offer")
    address = f"/pages/{page['page_id']}"
    refused = await acme.submit(f"{address}/plan", publish_at="2026-03-29T02:30", version="1")
    assert refused.status == 422
    assert "put forward" in refused.text
    planned = await acme.submit(f"{address}/plan", publish_at="2026-07-01T09:00", version="1")
    assert planned.status == 303
    assert "2026-07-01T09:00" in (await acme.get(f"{address}/plan")).text
    assert "1 Jul 2026, 09:00" in (await acme.get(address)).text
    (row,) = await acme.app.admin("select publish_at from page")
    assert row["publish_at"].isoformat() == "2026-07-01T07:00:00+00:00"
    assert (await acme.submit(f"{address}/plan/cancel")).status == 303
    assert "1 Jul 2026" not in (await acme.get(address)).text


async def test_what_a_planned_version_shows_cannot_be_thrown_away_by_a_newer_draft(
    acme: Author, clock: Clock
) -> None:
    picture = (await send_picture(acme)).json["asset_id"]
    blocks = [{"type": "image", "data": {"asset": picture, "alt": "A drawing"}}]
    page = await acme.write("To come", path="/to-come", blocks=blocks)
    assert (await plan(acme, page, publish_at=HOUR_S)).status == 200
    await acme.send(
        "PUT", f"/api/pages/{page['page_id']}", {"title": "To come", "blocks": []}, if_match='"1"'
    )
    clock.move(HOUR_S + 1)
    await look(acme.app)
    assert (await acme.visitor.ask("/to-come")).status == 200
    assert (await acme.send("DELETE", f"/api/assets/{picture}")).status == 409

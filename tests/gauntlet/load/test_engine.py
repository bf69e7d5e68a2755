"""The engine offers every arrival on time, whatever the server does, and its latency hides nothing."""

from __future__ import annotations

import asyncio
import gc
import socket
from dataclasses import replace

import pytest
import uvloop

from shipworthy.contract.manifest import Journey, Slo, Step
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.load.arrivals import Shape
from shipworthy.gauntlet.load.engine import offer
from shipworthy.gauntlet.load.plan import LoadUser, PlanRefused
from shipworthy.gauntlet.load.result import Progress
from tests.gauntlet.load.servers import OK, Handler, Seen, answer, answering, never, plan_of, serving
from tests.gauntlet.load.test_client import closing, lying_short


def users(*names: str) -> tuple[LoadUser, ...]:
    return tuple(
        LoadUser(
            credential=Credential(email=f"{name}@example.org", password="p"), samples={"id": f"of-{name}"}
        )
        for name in names
    )


async def test_every_arrival_is_sent_recorded_and_accounted_for() -> None:
    async with serving(answering(OK)) as server:
        result = await offer(plan_of(server.url, rate_per_s=100.0))
    found = result.journey("visit")
    assert (result.offered, found.requests, len(server.seen)) == (50, 50, 50)
    assert [b.requests for b in found.blocks] == [5] * 10
    assert sum(found.series.requests) == sum(a.sent for a in result.audits) == 50
    assert (found.failures, result.dropped, result.aborted) == ({}, 0, "")
    assert found.latency.max_us >= found.service.max_us > 0
    assert result.cpu_s > 0


async def test_journeys_of_one_load_are_kept_apart() -> None:
    plan = plan_of("http://127.0.0.1:1", rate_per_s=40.0)
    slow = Journey(
        name="edit",
        slo="edits",
        rate_per_s=20.0,
        steps=(Step(method="POST", path="/e", json={}),),
        login=False,
    )
    plan = replace(
        plan,
        journeys=(*plan.journeys, slow),
        slos=(*plan.slos, Slo(name="edits", quantile=0.99, threshold_ms=900.0)),
    )
    async with serving(answering(OK)) as server:
        result = await offer(replace(plan, base_url=server.url))
    assert [(j.journey, j.slo.name, j.requests) for j in result.journeys] == [
        ("visit", "fast", 20),
        ("edit", "edits", 10),
    ]
    assert sorted(seen.path for seen in server.seen) == ["/"] * 20 + ["/e"] * 10


async def test_warm_up_is_offered_and_not_recorded() -> None:
    async with serving(answering(OK)) as server:
        result = await offer(plan_of(server.url, rate_per_s=100.0, warmup_s=0.2))
    assert len(server.seen) == result.offered == 70
    assert result.journey("visit").requests == 50


async def test_a_frozen_server_shows_because_latency_runs_from_the_intended_send_time() -> None:
    """The server holds everything from its 21st request until it has seen the 70th.

    That one is not sent before 690 ms of the load, so whoever was due in the first 390 ms and
    was not among the 20 waits 300 ms at least, however this machine is loaded.
    """
    release, received = asyncio.Event(), 0

    async def freezing(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        received += 1
        if received >= 70:
            release.set()
        if received > 20:
            await release.wait()
        writer.write(OK)

    async with serving(freezing) as server:
        slo = Slo(name="fast", quantile=0.95, threshold_ms=299.0)
        result = await offer(plan_of(server.url, rate_per_s=100.0, block_s=0.1, slos=(slo,)))
    found = result.journey("visit")
    assert found.failures == {}
    assert found.exceedances >= 19
    assert found.latency_ms(0.99) > 299.0


async def test_one_slow_answer_is_charged_to_all_who_waited_behind_it() -> None:
    """On one connection a server is slow once. A closed loop would have seen one slow request."""
    slow_answers = 0

    async def slow_once(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal slow_answers
        if len(server.seen) == 10:
            slow_answers += 1
            await asyncio.sleep(0.5)
        writer.write(OK)

    async with serving(slow_once) as server:
        slo = Slo(name="fast", quantile=0.95, threshold_ms=200.0)
        plan = plan_of(server.url, rate_per_s=100.0, block_s=0.1, slos=(slo,), connections_max=1)
        found = (await offer(plan)).journey("visit")
    assert slow_answers == 1
    assert found.exceedances >= 28  # due within the 300 ms after the slow one
    assert found.failures == {}


async def test_unanswered_requests_are_recorded_at_the_timeout_and_the_load_ends_by_itself() -> None:
    async with serving(never) as server:
        slo = Slo(name="fast", quantile=0.95, threshold_ms=100.0)
        result = await asyncio.wait_for(offer(plan_of(server.url, timeout_s=0.2, slos=(slo,))), 30)
    found = result.journey("visit")
    assert found.failures == {"timeout": 25}
    assert (found.requests, found.exceedances) == (25, 25)
    assert found.latency.max_us == 200_000


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        pytest.param(closing, "closed", id="dies"),
        pytest.param(lying_short, "truncated", id="lies about its length"),
        pytest.param(answering(b"garbage\r\n\r\n"), "malformed", id="is no web server"),
        pytest.param(answering(answer(b"x" * 3000)), "too_large", id="answers too much"),
        pytest.param(
            answering(answer(status="302 Found", headers="Location: /\r\n")), "status_302", id="redirects"
        ),
        pytest.param(answering(answer(status="503 Busy")), "status_503", id="is busy"),
    ],
)
async def test_every_misbehaviour_is_a_counted_exceedance(handler: Handler, code: str) -> None:
    async with serving(handler) as server:
        found = (await offer(plan_of(server.url, response_bytes_max=2000))).journey("visit")
    assert found.failures == {code: 25}
    assert found.exceedances == found.requests == 25
    assert sum(found.series.failures) == 25


async def test_a_server_that_is_not_there_is_a_result_too() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        found = (await offer(plan_of(f"http://127.0.0.1:{unused.getsockname()[1]}"))).journey("visit")
    assert found.failures == {"refused": 25}


async def test_beyond_its_capacity_the_engine_drops_and_says_so() -> None:
    async with serving(never) as server:
        result = await offer(plan_of(server.url, in_flight_max=3, timeout_s=0.6))
    found = result.journey("visit")
    assert (found.requests, found.exceedances) == (25, 25)
    assert result.dropped == sum(a.dropped for a in result.audits) == found.failures["dropped"] == 22
    assert found.failures["timeout"] == 3


async def test_every_user_signs_in_once_and_travels_with_their_own_session_and_samples() -> None:
    async def by_user(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if seen.path == "/login":
            name = seen.body.decode().removeprefix("email=").partition("%40")[0]
            writer.write(answer(status="303 See Other", headers=f"Set-Cookie: session={name}\r\n"))
        else:
            writer.write(OK)

    step = Step(method="GET", path="/things/{sample.id}")
    async with serving(by_user) as server:
        plan = plan_of(server.url, step, signs_in=True, users=users("ada", "bob"))
        result = await offer(plan)
    visits = [(seen.path, seen.headers["cookie"]) for seen in server.seen if seen.path != "/login"]
    assert [seen.path for seen in server.seen].count("/login") == 2
    assert set(visits) == {("/things/of-ada", "session=ada"), ("/things/of-bob", "session=bob")}
    assert result.journey("visit").requests == 25


async def test_a_failed_sign_in_ends_the_load_with_the_reason_and_measures_nothing() -> None:
    async with serving(answering(answer(status="401 Unauthorized"))) as server:
        result = await offer(plan_of(server.url, signs_in=True, users=users("ada")))
    assert "ada@example.org" in result.aborted
    assert "401" in result.aborted
    assert (result.journeys, len(server.seen)) == ((), 1)


async def test_a_journey_without_login_asks_nobody_to_sign_in() -> None:
    async with serving(answering(OK)) as server:
        await offer(plan_of(server.url, users=users("ada")))
    assert {seen.path for seen in server.seen} == {"/"}


async def test_a_plan_that_must_not_run_sends_nothing() -> None:
    async with serving(answering(OK)) as server:
        for refused in (
            plan_of(
                server.url, Step(method="GET", path="/{sample.unknown}"), signs_in=True, users=users("ada")
            ),
            plan_of(server.url, site_url="http://example.com"),
            plan_of(server.url, arrivals_max=1),
        ):
            with pytest.raises(PlanRefused):
                await offer(refused)
        assert server.seen == []


async def test_progress_is_told_every_second_and_adds_up() -> None:
    told: list[Progress] = []
    async with serving(answering(OK)) as server:
        await offer(plan_of(server.url, rate_per_s=30.0, blocks=2, block_s=1.0), on_second=told.append)
    assert [(p.second, p.seconds) for p in told] == [(0, 2), (1, 2)]
    assert told[0].journeys[0].journey == "visit"
    assert 1 <= sum(p.journeys[0].requests for p in told) <= 60


async def test_an_error_of_the_listener_ends_the_load() -> None:
    def broken(_progress: Progress) -> None:
        raise RuntimeError("the screen is gone")

    async with serving(answering(OK)) as server:
        with pytest.raises(RuntimeError, match="the screen is gone"):
            await offer(plan_of(server.url, blocks=60, block_s=1.0), on_second=broken)


async def test_the_garbage_collector_works_again_afterwards() -> None:
    during: list[bool] = []

    async def watching(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        during.append(gc.isenabled())
        writer.write(OK)

    assert gc.isenabled()
    async with serving(watching) as server:
        await offer(plan_of(server.url))
    assert gc.isenabled()
    assert not any(during)


def test_it_runs_on_uvloop_as_it_does_in_its_own_process() -> None:
    async def load() -> int:
        async with serving(answering(OK)) as server:
            return (
                (await offer(plan_of(server.url, shape=Shape(), rate_per_s=200.0))).journey("visit").requests
            )

    assert uvloop.run(load()) > 0

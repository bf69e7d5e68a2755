"""An arrival walks its steps, and every way to fail is recorded once where it belongs."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field, replace
from typing import Any

from shipworthy.contract.manifest import Step
from shipworthy.gauntlet.load.cookies import Jar
from shipworthy.gauntlet.load.journey import Arrival, Route, Traveller
from shipworthy.gauntlet.load.plan import addresses
from shipworthy.gauntlet.load.template import requests_of
from tests.gauntlet.load.servers import OK, Handler, Server, answer, answering, never, plan_of, serving
from tests.gauntlet.load.test_client import pool_to

HOUR_NS = 3_600_000_000_000


@dataclass
class Notes:
    """The sink of one arrival."""

    records: list[dict[str, Any]] = field(default_factory=list)

    def record(self, *request: Any) -> None:
        names = ("journey", "intended_ns", "latency_ns", "service_ns", "failure", "body")
        self.records.append(dict(zip(names, request, strict=True)))

    @property
    def failures(self) -> list[str]:
        return [r["failure"] for r in self.records]


async def travel(
    handler: Handler,
    *steps: Step,
    jars: dict[str, Jar] | None = None,
    intended_ns: int | None = None,
    timeout_ns: int = HOUR_NS,
    arrivals: int = 1,
    expire: bool = False,
) -> tuple[Notes, Server]:
    """Run arrivals through the steps, one after the other, and return what was recorded and received."""
    notes = Notes()
    async with serving(handler) as server, pool_to(server.url) as pool:
        hosts = addresses(plan_of(server.url))
        exchanges: list[Any] = []
        ended = asyncio.Event()
        route = Route(
            place=0,
            travellers=(Traveller(requests=requests_of(steps, addresses=hosts, user=None), jars=jars),),
            pools={"console": pool, "site": pool},
            sink=notes,
            timeout_ns=timeout_ns,
            on_sent=exchanges.append,
            on_end=ended.set,
        )
        for n in range(arrivals):
            ended.clear()
            Arrival(route, n, time.monotonic_ns() if intended_ns is None else intended_ns).go()
            if expire:
                await asyncio.wait_for(server.was_asked.wait(), 30)
                exchanges[-1].expire()
            await asyncio.wait_for(ended.wait(), 30)
    return notes, server


def get(path: str = "/", **changes: Any) -> Step:
    return replace(Step(method="GET", path=path), **changes)


async def test_every_measured_step_is_recorded_and_the_others_are_not() -> None:
    notes, server = await travel(answering(OK), get("/a", measured=False), get("/b"), get("/c"))
    assert [seen.path for seen in server.seen] == ["/a", "/b", "/c"]
    assert notes.failures == ["", ""]


async def test_the_first_step_counts_from_the_intended_start_and_the_next_from_the_end_of_the_first() -> None:
    late_ns = 5_000_000_000
    notes, _ = await travel(answering(OK), get(), get(), intended_ns=time.monotonic_ns() - late_ns)
    first, second = notes.records
    assert first["latency_ns"] >= late_ns > first["service_ns"]
    assert second["service_ns"] <= second["latency_ns"] < first["latency_ns"]
    assert first["intended_ns"] == second["intended_ns"]


async def test_an_unexpected_status_fails_and_ends_the_journey() -> None:
    notes, server = await travel(answering(answer(b"why", status="500 Oops"), OK), get("/a"), get("/b"))
    assert [(r["failure"], r["body"]) for r in notes.records] == [("status_500", b"why")]
    assert len(server.seen) == 1


async def test_a_redirect_is_an_answer_and_never_followed() -> None:
    loop = answer(status="303 See Other", headers="Location: /\r\n")
    expected, server = await travel(answering(loop), get())
    assert (expected.failures, len(server.seen)) == ([""], 1)
    unexpected, server = await travel(answering(loop), get(expect=(200,)))
    assert (unexpected.failures, len(server.seen)) == (["status_303"], 1)


async def test_a_failure_before_the_measured_step_is_charged_to_it() -> None:
    notes, _ = await travel(answering(answer(status="403 Forbidden")), get("/a", measured=False), get("/b"))
    assert notes.failures == ["status_403"]


async def test_a_failure_after_the_last_measured_step_is_charged_to_nobody() -> None:
    notes, _ = await travel(answering(OK, answer(status="500 Oops")), get("/a"), get("/b", measured=False))
    assert notes.failures == [""]


async def test_a_hanging_answer_is_recorded_at_exactly_the_timeout() -> None:
    notes, _ = await travel(never, get(), get(), expire=True)
    assert [(r["failure"], r["latency_ns"]) for r in notes.records] == [("timeout", HOUR_NS)]


async def test_an_answer_after_its_deadline_is_a_timeout_even_if_nobody_swept() -> None:
    notes, _ = await travel(answering(OK), get(), timeout_ns=1)
    assert [(r["failure"], r["latency_ns"]) for r in notes.records] == [("timeout", 1)]


async def test_fields_of_the_previous_answer_reach_the_next_request() -> None:
    created = answer(json.dumps({"invoice": {"id": 42}}).encode(), status="201 Created")
    notes, server = await travel(
        answering(created, OK), Step(method="POST", path="/i"), get("/i/{last.invoice.id}")
    )
    assert [seen.path for seen in server.seen] == ["/i", "/i/42"]
    assert notes.failures == ["", ""]


async def test_a_missing_field_fails_the_step_that_needed_it() -> None:
    for body in (b"{}", b"no json", b""):
        notes, server = await travel(answering(answer(body)), get("/a"), get("/{last.id}"))
        assert notes.failures == ["", "field_missing"]
        assert len(server.seen) == 1


async def test_without_login_cookies_last_for_one_arrival() -> None:
    sets = answer(b"ok", headers="Set-Cookie: csrf=1\r\n")
    _, server = await travel(answering(sets), get("/a"), get("/b"), arrivals=2)
    assert [seen.headers.get("cookie") for seen in server.seen] == [None, "csrf=1", None, "csrf=1"]


async def test_with_login_the_session_is_sent_and_what_the_server_sets_is_kept() -> None:
    jar = Jar()
    jar.store("session=old")
    sets = answer(b"ok", headers="Set-Cookie: session=new\r\n")
    _, server = await travel(answering(sets), get(), jars={"console": jar}, arrivals=2)
    assert [seen.headers["cookie"] for seen in server.seen] == ["session=old", "session=new"]


async def test_cookies_of_one_host_are_not_sent_to_another() -> None:
    jar = Jar()
    jar.store("session=abc")
    _, server = await travel(answering(OK), get("/c"), get("/s", host="site"), jars={"console": jar})
    assert [seen.headers.get("cookie") for seen in server.seen] == ["session=abc", None]


async def test_a_dropped_arrival_is_a_failure_at_the_timeout_and_sends_nothing() -> None:
    notes, ended = Notes(), []
    hosts = addresses(plan_of("http://127.0.0.1:1"))
    route = Route(
        place=3,
        travellers=(Traveller(requests=requests_of((get(), get()), addresses=hosts, user=None), jars=None),),
        pools={},
        sink=notes,
        timeout_ns=77,
        on_sent=lambda _: None,
        on_end=lambda: ended.append(1),
    )
    Arrival(route, 0, 5).drop()
    assert [(r["failure"], r["latency_ns"], r["journey"]) for r in notes.records] == [("dropped", 77, 3)]
    assert ended == [1]

"""One arrival of a journey: its steps in order, each judged by what it answered.

Owns what counts as failed, and where a latency begins: at the intended start for the first
step, at the end of the previous step for the later ones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Protocol

from shipworthy.contract.manifest import Journey
from shipworthy.gauntlet.load.client import TIMEOUT, Exchange, Pool
from shipworthy.gauntlet.load.cookies import Jar
from shipworthy.gauntlet.load.plan import Address, LoadUser
from shipworthy.gauntlet.load.template import FieldMissing, Request

FIELD_MISSING = "field_missing"  # the previous answer lacks what the next request needs
DROPPED = "dropped"  # the generator held too many requests already


class Sink(Protocol):
    """Takes one measured request. `failure` is empty when the answer was as expected."""

    def record(
        self,
        *,
        journey: int,
        intended_ns: int,
        latency_ns: int,
        service_ns: int | None,
        failure: str,
        body: bytes,
    ) -> None: ...


class Traveller:
    """One user with the requests of one journey rendered for them, and their cookies per host."""

    __slots__ = ("_jars", "requests")

    def __init__(
        self,
        journey: Journey,
        *,
        user: LoadUser | None,
        jars: dict[str, Jar] | None,
        addresses: dict[str, Address],
    ) -> None:
        self.requests = tuple(Request(s, address=addresses[s.host], user=user) for s in journey.steps)
        self._jars = jars

    def jars(self) -> dict[str, Jar]:
        """Return the signed-in user's cookies; a journey without login begins with none each time."""
        return self._jars if self._jars is not None else {}


class Route:
    """A journey made ready: its place in the plan, its travellers, and where its requests go."""

    __slots__ = ("expected", "pools", "sink", "timeout_ns", "travellers", "wants_body")

    def __init__(
        self,
        journey: Journey,
        *,
        travellers: tuple[Traveller, ...],
        pools: dict[str, Pool],
        sink: Sink,
        timeout_ns: int,
    ) -> None:
        self.travellers, self.pools, self.sink, self.timeout_ns = travellers, pools, sink, timeout_ns
        self.expected = tuple(frozenset(s.expect) for s in journey.steps)
        # A body is kept only where the following step reads a field of it.
        asks = ["{last." in json.dumps([s.path, s.json, s.form, s.headers]) for s in journey.steps]
        self.wants_body = (*asks[1:], False)


class Arrival:
    """One run through a journey's steps. Calls `on_end` once, whatever happened."""

    __slots__ = (
        "_began_ns",
        "_intended_ns",
        "_jars",
        "_last",
        "_n",
        "_on_end",
        "_on_sent",
        "_place",
        "_route",
        "_step",
        "_traveller",
    )

    def __init__(
        self,
        route: Route,
        *,
        place: int,
        n: int,
        intended_ns: int,
        on_sent: Callable[[Exchange], None],
        on_end: Callable[[], None],
    ) -> None:
        self._route, self._place, self._n = route, place, n
        self._intended_ns = self._began_ns = intended_ns
        self._on_sent, self._on_end = on_sent, on_end
        self._traveller = route.travellers[n % len(route.travellers)]
        self._jars = self._traveller.jars()
        self._last: Any = None
        self._step = 0

    def go(self) -> None:
        """Send the current step's request."""
        request = self._traveller.requests[self._step]
        host = request.step.host
        jar = self._jars.get(host)
        try:
            data = request.render(
                n=self._n,
                last=self._last,
                cookies=jar.header() if jar else "",
                cookie_version=jar.version if jar else 0,
            )
        except FieldMissing:
            self._give_up(FIELD_MISSING, latency_ns=time.monotonic_ns() - self._began_ns)
            return
        exchange = Exchange(
            data,
            self._answered,
            deadline_ns=self._began_ns + self._route.timeout_ns,
            is_safe=request.is_safe,
            is_head=request.is_head,
            wants_body=self._route.wants_body[self._step],
        )
        self._on_sent(exchange)
        self._route.pools[host].submit(exchange)

    def drop(self) -> None:
        """Record an arrival that the generator could not take on; it waited as long as one may."""
        self._give_up(DROPPED, latency_ns=self._route.timeout_ns)

    def _answered(self, exchange: Exchange) -> None:
        step = self._traveller.requests[self._step].step
        failure = exchange.failure
        if not failure and exchange.ended_ns > exchange.deadline_ns:
            failure = TIMEOUT  # it came between its deadline and the sweep that would have said so
        if not failure and exchange.status not in self._route.expected[self._step]:
            failure = f"status_{exchange.status}"
        # A timeout is recorded at its bound, whenever the engine came round to noticing it.
        latency_ns = self._route.timeout_ns if failure == TIMEOUT else exchange.ended_ns - self._began_ns
        if failure and not step.measured:
            self._give_up(failure, latency_ns=latency_ns, body=exchange.body)
            return
        if step.measured:
            self._route.sink.record(
                journey=self._place,
                intended_ns=self._intended_ns,
                latency_ns=latency_ns,
                service_ns=exchange.ended_ns - exchange.sent_ns if exchange.sent_ns else None,
                failure=failure,
                body=exchange.body,
            )
        if exchange.cookies:
            jar = self._jars.setdefault(step.host, Jar())
            for cookie in exchange.cookies:
                jar.store(cookie)
        if failure or self._step + 1 == len(self._route.expected):
            self._on_end()
            return
        self._last = _parsed(exchange.body) if self._route.wants_body[self._step] else None
        self._step += 1
        self._began_ns = exchange.ended_ns
        self.go()

    def _give_up(self, failure: str, *, latency_ns: int, body: bytes = b"") -> None:
        """End early. The measured step that was thereby never reached fails, or the failure would be hidden."""
        if any(r.step.measured for r in self._traveller.requests[self._step :]):
            self._route.sink.record(
                journey=self._place,
                intended_ns=self._intended_ns,
                latency_ns=latency_ns,
                service_ns=None,
                failure=failure,
                body=body,
            )
        self._on_end()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None

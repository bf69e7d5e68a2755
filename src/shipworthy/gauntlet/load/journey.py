"""One arrival of a journey: its steps in order, each judged by what it answered.

Owns what counts as failed, and where a latency begins: at the intended start for the first
step, at the end of the previous step for the later ones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shipworthy.gauntlet.load.client import TIMEOUT, Exchange, Pool
from shipworthy.gauntlet.load.cookies import Jar
from shipworthy.gauntlet.load.template import FieldMissing, Request

FIELD_MISSING = "field_missing"  # the previous answer lacks what the next request needs
DROPPED = "dropped"  # the generator held too many requests already


class Sink(Protocol):
    """Takes one measured request. `failure` is empty when the answer was as expected."""

    def record(
        self,
        journey: int,
        intended_ns: int,
        latency_ns: int,
        service_ns: int | None,
        failure: str,
        body: bytes,
    ) -> None: ...

    def observe(self, *, journey: int, intended_ns: int, code: str, text: str) -> None:
        """Take something that a journey's code noticed about an answer."""


class Course(Protocol):
    """A journey made ready to be travelled: of declared steps (`Route`) or of code (coded.py)."""

    def arrival(self, n: int, intended_ns: int) -> Departure: ...


class Departure(Protocol):
    """One arrival that may begin now, or be recorded as one that could not."""

    def go(self) -> None: ...

    def drop(self) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Traveller:
    """One user's requests of a journey. `jars` are the signed-in user's cookies, None without login."""

    requests: tuple[Request, ...]
    jars: dict[str, Jar] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A journey made ready: its place in the plan, who travels it, and where its requests go."""

    place: int
    travellers: tuple[Traveller, ...]
    pools: Mapping[str, Pool]
    sink: Sink
    timeout_ns: int
    on_sent: Callable[[Exchange], None]
    on_end: Callable[[], None]  # called once per arrival, whatever happened

    def arrival(self, n: int, intended_ns: int) -> Arrival:
        return Arrival(self, n, intended_ns)


class Arrival:
    """One run through a journey's steps, by one of its travellers."""

    __slots__ = ("_began_ns", "_intended_ns", "_jars", "_last", "_n", "_requests", "_route", "_step")

    def __init__(self, route: Route, n: int, intended_ns: int) -> None:
        traveller = route.travellers[n % len(route.travellers)]
        self._route = route
        self._n = n
        self._intended_ns = self._began_ns = intended_ns
        self._requests = traveller.requests
        self._jars = {} if traveller.jars is None else traveller.jars
        self._last: Any = None
        self._step = 0

    def go(self) -> None:
        """Send the current step's request."""
        request = self._requests[self._step]
        jar = self._jars.get(request.step.host, _NO_COOKIES)
        try:
            data = request.render(self._n, self._last, jar.header, jar.version)
        except FieldMissing:
            self._give_up(FIELD_MISSING, latency_ns=time.monotonic_ns() - self._began_ns)
            return
        route = self._route
        exchange = Exchange(data, request, self._began_ns + route.timeout_ns, self._answered)
        route.on_sent(exchange)
        route.pools[request.step.host].submit(exchange)

    def drop(self) -> None:
        """Record an arrival that the generator could not take on; it waited as long as one may."""
        self._give_up(DROPPED, latency_ns=self._route.timeout_ns)

    def _answered(self, exchange: Exchange) -> None:
        route, request, ended_ns = self._route, self._requests[self._step], exchange.ended_ns
        failure = exchange.failure
        if ended_ns > exchange.deadline_ns:
            failure = TIMEOUT  # also what came between its deadline and the sweep that would have said so
        elif not failure and exchange.status not in request.expected:
            failure = f"status_{exchange.status}"
        # A timeout is recorded at its bound, whenever the engine came round to noticing it.
        latency_ns = route.timeout_ns if failure == TIMEOUT else ended_ns - self._began_ns
        if request.is_measured:
            service_ns = ended_ns - exchange.sent_ns if exchange.sent_ns else None
            # By position: names cost a tenth of a microsecond here, and this is every request.
            route.sink.record(route.place, self._intended_ns, latency_ns, service_ns, failure, exchange.body)
        elif failure:
            self._give_up(failure, latency_ns=latency_ns, body=exchange.body)
            return
        if exchange.cookies:
            self._keep(exchange.cookies, request.step.host)
        self._step += 1
        if failure or self._step == len(self._requests):
            route.on_end()
            return
        self._last = _parsed(exchange.body) if request.wants_body else None
        self._began_ns = ended_ns
        self.go()

    def _keep(self, cookies: tuple[str, ...], host: str) -> None:
        jar = self._jars.setdefault(host, Jar())
        for cookie in cookies:
            jar.store(cookie)

    def _give_up(self, failure: str, *, latency_ns: int, body: bytes = b"") -> None:
        """End early. The measured step that was thereby never reached fails, or the failure would be hidden."""
        if any(request.is_measured for request in self._requests[self._step :]):
            self._route.sink.record(self._route.place, self._intended_ns, latency_ns, None, failure, body)
        self._route.on_end()


_NO_COOKIES = Jar()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None

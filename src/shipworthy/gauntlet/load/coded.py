"""Journeys as plain `async def journey(visit)`: for what declared steps cannot say.

Owns what such code is given: requests with cookies, redirects and forms, PKCE, keys, and what is kept
from one visit to the next. Recording is the same as for declared steps: the first measured request
counts from the intended moment, a later one from when the code asked for it.
"""

from __future__ import annotations

import asyncio
import json as jsonlib
import random
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from shipworthy.contract.target import Credential
from shipworthy.gauntlet.load.client import TIMEOUT, Exchange
from shipworthy.gauntlet.load.code import Code
from shipworthy.gauntlet.load.cookies import Jar
from shipworthy.gauntlet.load.journey import DROPPED, Sink
from shipworthy.gauntlet.load.page import Form, forms_of, pkce_pair
from shipworthy.gauntlet.load.plan import CODE_REQUESTS_MAX, Address, LoadUser
from shipworthy.gauntlet.load.pools import NotReachable, Pools

# Failure codes of coded journeys, beside those of client.py and journey.py.
CODE_ERROR = "journey_error"  # the journey's own code raised something
NOTHING_MEASURED = "nothing_measured"  # it ended well and never made a measured request
REDIRECT_LOOP = "redirect_loop"
ASTRAY = "redirect_astray"  # sent to another machine, or to one address too many
TOO_MANY_REQUESTS = "too_many_requests"

_OK = (200, 201, 202, 204, 303, 302)
_REDIRECTS = (301, 302, 303, 307, 308)
_HOPS_MAX = 8
_KEPT_MAX = 10_000
_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `url` is where it came from, after redirects; headers in lower case."""

    status: int
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON. Errors: ValueError, which ends the visit as a failure of its own."""
        return jsonlib.loads(self.body)

    def header(self, name: str) -> str:
        """Return a header's first value; empty when there is none."""
        return next((value for known, value in self.headers if known == name.lower()), "")

    def forms(self) -> list[Form]:
        return forms_of(self.text)


@dataclass(slots=True)
class Kept:
    """What visits keep for later ones, by kind; whoever takes something has it alone."""

    _by_kind: dict[str, deque[Any]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_KEPT_MAX))
    )

    def take(self, kind: str) -> Any:
        """Return the oldest thing of this kind and forget it; None when there is none."""
        waiting = self._by_kind[kind]
        return waiting.popleft() if waiting else None

    def give(self, kind: str, thing: Any) -> None:
        self._by_kind[kind].append(thing)


@dataclass(frozen=True, kw_only=True, slots=True)
class CodedCourse:
    """A coded journey made ready: see `journey.Course`. `jars` are the signed-in users' cookies."""

    place: int
    code: Code
    users: tuple[LoadUser | None, ...]
    jars: tuple[dict[str, Jar] | None, ...]
    pools: Pools
    sink: Sink
    kept: Kept
    facts: Mapping[str, Any]
    seed: int
    timeout_ns: int
    on_sent: Callable[[Exchange], None]
    on_end: Callable[[], None]

    def arrival(self, n: int, intended_ns: int) -> CodedArrival:
        return CodedArrival(self, n, intended_ns)


class CodedArrival:
    """One visit by a coded journey."""

    __slots__ = ("_course", "_intended_ns", "_n", "_task")

    def __init__(self, course: CodedCourse, n: int, intended_ns: int) -> None:
        self._course, self._n, self._intended_ns = course, n, intended_ns
        self._task: asyncio.Task[None] | None = None

    def go(self) -> None:
        # The task is held here and this by the task's own frame: neither is collected before it ends.
        self._task = asyncio.get_running_loop().create_task(self._travel())

    def drop(self) -> None:
        """Record an arrival that the generator could not take on; it waited as long as one may."""
        _record(self._course, self._intended_ns, self._course.timeout_ns, None, DROPPED, b"")
        self._course.on_end()

    async def _travel(self) -> None:
        visit = Visit(self._course, self._n, self._intended_ns)
        try:
            await self._course.code(visit)
        except _Ended:
            pass  # recorded where it happened
        except Exception as error:  # the journey's edge: somebody's code must not end the load
            visit.end_with(CODE_ERROR, f"{type(error).__name__}: {error}")
        else:
            if not visit.has_measured:
                visit.end_with(NOTHING_MEASURED, "the journey ended and had made no measured request")
        finally:
            self._course.on_end()


class Visit:
    """What a coded journey is given for one arrival.

    `user` and `samples` are the seeded person's whose turn it is; `facts` what the plan tells its code;
    `rng` is seeded by the load and the arrival; `n` numbers the arrivals; `keep` outlives the visit.
    """

    def __init__(self, course: CodedCourse, n: int, intended_ns: int) -> None:
        self._course, self._intended_ns = course, intended_ns
        slot = n % len(course.users)
        user, shared = course.users[slot], course.jars[slot]
        self._jars: dict[str, Jar] = {}
        if shared:
            origins = course.pools.addresses
            self._jars = {origins[name].origin: jar for name, jar in shared.items()}
        self._requests = 0
        self.has_measured = False
        self.n, self.keep, self.facts = n, course.kept, course.facts
        self.user: Credential | None = user.credential if user else None
        self.samples: Mapping[str, str] = user.samples if user else {}
        self.rng = random.Random(course.seed * 1_000_003 + n)  # noqa: S311 - repeatable, and no secret

    async def get(self, path: str, **how: Any) -> Answer:
        return await self.request("GET", path, **how)

    async def post(self, path: str, **how: Any) -> Answer:
        return await self.request("POST", path, **how)

    async def put(self, path: str, **how: Any) -> Answer:
        return await self.request("PUT", path, **how)

    async def patch(self, path: str, **how: Any) -> Answer:
        return await self.request("PATCH", path, **how)

    async def delete(self, path: str, **how: Any) -> Answer:
        return await self.request("DELETE", path, **how)

    async def submit(self, page: Answer, *, form: int = 0, **fields: Any) -> Answer:
        """Send a form of a page with everything it holds, `fields` filled in or replaced.

        Keyword `how` is passed on to `request`.
        Errors:  LookupError when the page has no such form.
        """
        how = fields.pop("how", {})
        found = page.forms()
        if form >= len(found):
            raise LookupError(f"{page.url} has {len(found)} forms and not a number {form}")
        filled = {**found[form].fields, **{name: str(value) for name, value in fields.items()}}
        action = found[form].action or page.url
        if found[form].method == "GET":
            return await self.get(f"{action.partition('?')[0]}?{urlencode(filled)}", base=page.url, **how)
        return await self.post(action, form=filled, base=page.url, **how)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        host: str = "console",
        base: str = "",
        expect: tuple[int, ...] = _OK,
        follow: bool = False,
        measured: bool = True,
    ) -> Answer:
        """Send a request and return its answer; one that fails ends the visit and is recorded.

        `path` may be a whole address of this machine. With `follow`, redirects are followed as a browser
        does and the time of all hops is one latency. `expect` are the statuses that are no failure.
        """
        began_ns = time.monotonic_ns() if self.has_measured or self._requests else self._intended_ns
        origin = base or self._course.pools.addresses[host].origin
        body, media = _body(json, form)
        more = dict(headers or {})
        for _ in range(_HOPS_MAX + 1):
            try:
                pool, address, target = self._course.pools.follow(origin, path)
            except NotReachable as astray:
                self._fail(ASTRAY, began_ns, measured, str(astray).encode())
            exchange = await self._exchanged(pool, address, method, target, more, body, media, began_ns)
            failure = exchange.failure or (TIMEOUT if exchange.ended_ns > exchange.deadline_ns else "")
            if failure:
                self._fail(failure, began_ns, measured, exchange.body, ended_ns=exchange.ended_ns)
            answer = _answer(exchange, address.origin + target)
            location = answer.header("location")
            if not (follow and answer.status in _REDIRECTS and location):
                break
            origin, path = answer.url, location
            if answer.status not in (307, 308) and method != "HEAD":  # RFC 9110, 15.4.4
                method, body, media = "GET", b"", ""
        else:
            self._fail(REDIRECT_LOOP, began_ns, measured, answer.url.encode())
        if answer.status not in expect:
            self._fail(f"status_{answer.status}", began_ns, measured, answer.body, ended_ns=exchange.ended_ns)
        if measured:
            self._measured(began_ns, exchange.ended_ns, "", b"", sent_ns=exchange.sent_ns)
        return answer

    def observe(self, code: str, text: str = "") -> None:
        """Count something noticed that is no matter of latency: a wrong total, a duplicate."""
        self._course.sink.observe(
            journey=self._course.place, intended_ns=self._intended_ns, code=code, text=text
        )

    def end_with(self, failure: str, text: str) -> None:
        """Record that the visit failed for a reason of its own."""
        waited_ns = min(time.monotonic_ns() - self._intended_ns, self._course.timeout_ns)
        _record(self._course, self._intended_ns, waited_ns, None, failure, text.encode())

    def cookie(self, name: str, *, host: str = "console") -> str:
        """Return the value of a cookie this visitor holds; empty when there is none."""
        jar = self._jars.get(self._course.pools.addresses[host].origin)
        pairs = (pair.partition("=") for pair in jar.header.split("; ")) if jar else ()
        return next((value for known, _, value in pairs if known == name), "")

    @staticmethod
    def key() -> str:
        """Return a fresh Idempotency-Key."""
        return str(uuid.uuid4())

    @staticmethod
    def pkce() -> tuple[str, str]:
        """Return a verifier and its S256 challenge."""
        return pkce_pair()

    async def _exchanged(
        self,
        pool: Any,
        address: Address,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes,
        media: str,
        began_ns: int,
    ) -> Exchange:
        self._requests += 1
        if self._requests > CODE_REQUESTS_MAX:
            self._fail(TOO_MANY_REQUESTS, began_ns, True, b"")
        jar = self._jars.get(address.origin)
        data = _head(method, target, address, headers, jar.header if jar else "", body, media) + body
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        exchange = Exchange(
            data,
            _TRAITS[method in _SAFE, method == "HEAD"],
            began_ns + self._course.timeout_ns,
            lambda _: None if answered.done() else answered.set_result(None),
        )
        self._course.on_sent(exchange)
        pool.submit(exchange)
        await answered
        for cookie in exchange.cookies:
            self._jars.setdefault(address.origin, Jar()).store(cookie)
        return exchange

    def _fail(
        self, failure: str, began_ns: int, is_measured: bool, body: bytes, *, ended_ns: int = 0
    ) -> None:
        """Record the failure and end the visit. Also of an unmeasured request, or it would be hidden."""
        if is_measured or not self.has_measured:
            self._measured(began_ns, ended_ns or time.monotonic_ns(), failure, body)
        raise _Ended

    def _measured(self, began_ns: int, ended_ns: int, failure: str, body: bytes, *, sent_ns: int = 0) -> None:
        self.has_measured = True
        # A timeout is recorded at its bound, whenever the engine came round to noticing it.
        latency_ns = self._course.timeout_ns if failure == TIMEOUT else ended_ns - began_ns
        service_ns = ended_ns - sent_ns if sent_ns else None
        _record(self._course, self._intended_ns, latency_ns, service_ns, failure, body)


class _Ended(BaseException):
    """The visit is over, and why is recorded. Not an Exception: a journey's own `except` must not catch it."""


class _Traits:
    wants_body = wants_headers = True

    def __init__(self, is_safe: bool, is_head: bool) -> None:
        self.is_safe, self.is_head = is_safe, is_head


_TRAITS = {(safe, head): _Traits(safe, head) for safe in (True, False) for head in (True, False)}


def _record(
    course: CodedCourse, intended_ns: int, latency_ns: int, service_ns: int | None, failure: str, body: bytes
) -> None:
    course.sink.record(
        journey=course.place,
        intended_ns=intended_ns,
        latency_ns=latency_ns,
        service_ns=service_ns,
        failure=failure,
        body=body,
    )


def _body(json: Any, form: Mapping[str, str] | None) -> tuple[bytes, str]:
    if json is not None:
        return jsonlib.dumps(json).encode(), "application/json"
    if form is not None:
        return urlencode(form).encode(), "application/x-www-form-urlencoded"
    return b"", ""


def _head(
    method: str,
    target: str,
    address: Address,
    headers: dict[str, str],
    cookies: str,
    body: bytes,
    media: str,
) -> bytes:
    named = {"Host": address.authority, "User-Agent": "shipworthy-gauntlet", "Accept": "*/*"}
    if method not in _SAFE:
        named |= {"Origin": address.origin, "Content-Length": str(len(body))}
    if media:
        named["Content-Type"] = media
    if cookies:
        named["Cookie"] = cookies
    lines = "".join(f"{name}: {_clean(value)}\r\n" for name, value in {**named, **headers}.items())
    return f"{method} {_clean(target).replace(' ', '%20')} HTTP/1.1\r\n{lines}\r\n".encode()


def _clean(value: str) -> str:
    if "\r" in value or "\n" in value:
        raise ValueError(f"a line break in a request's head: {value[:80]!r}")
    return value


def _answer(exchange: Exchange, url: str) -> Answer:
    headers = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in exchange.headers or ())
    return Answer(exchange.status, url, headers, exchange.body)

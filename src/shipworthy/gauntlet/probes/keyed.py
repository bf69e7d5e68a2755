"""Requests under an idempotency key: prepared, sent once, again and many at once, and counted.

What idempotency probes share. A route is asked as one person; what a request changed is counted
where the administrator's way in is known.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.asking import PRECONDITION_NEEDED, ask_route, conditional
from shipworthy.gauntlet.call import Call, prepare, samples_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, HttpSession, Unanswered
from shipworthy.gauntlet.probes.effects import Growth, RowCounter, counts_rows, growth, row_counter

# What a request may answer while another one with its key is still at work: it did nothing, and says
# so. Source: draft-ietf-httpapi-idempotency-key-header, 2.6 (409), and what a full server answers.
STILL_AT_IT = (409, 425, 429, 503)
# Nonces and tokens of a page that is made anew; an answer in JSON is compared byte by byte.
_TOKEN = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[A-Za-z0-9_+/=-]{20,}")

Said = tuple[int, str, str]


@dataclass(frozen=True, kw_only=True)
class Once:
    """One request that succeeded, and what it changed. `grown` is empty where nothing is counted."""

    call: Call
    answer: Answer
    grown: Growth


class Keyed:
    """One route, asked as one person under keys."""

    def __init__(self, exam: Exam, route: Route, person: Credential | None, rows: RowCounter | None) -> None:
        self._exam, self._rows = exam, rows
        # A route that declares no key is sent one all the same, to see what it does with it.
        self.route = replace(route, idempotency="key")
        self._person = person if route.auth == "session" else None
        self._samples_of = person

    @property
    def is_counted(self) -> bool:
        return self._rows is not None

    async def prepared(self, *, key: str | None = None) -> Call:
        """Return a new request with fresh samples. Errors: Undecided when a sample finds no row."""
        samples: dict[str, str] = {}
        if self._samples_of:
            wanted = samples_of(self.route)
            samples = await self._exam.samples_for(self._samples_of, fresh=True, only=wanted)
        return prepare(self.route, samples, key=key or str(uuid.uuid4()))

    async def once(self) -> Once:
        """Send a new request that succeeds, and count what it changed.

        Errors:  Undecided when it does not succeed.
        """
        await self.session()  # signing in writes rows too, and must not be counted
        call = await self.prepared()
        before = await self.rows()
        answer = await self.send(call)
        if answer.status == PRECONDITION_NEEDED:
            call = await self._with_version(call)
            answer = await self.send(call)
        if answer.status not in self.route.statuses:
            raise Undecided(
                f"It answered {answer.status}, not {' or '.join(map(str, self.route.statuses))}.",
                fix="Let the samples and the example of this route make a request that succeeds.",
                evidence=(request_evidence(call), answer_evidence(answer)),
            )
        return Once(call=call, answer=answer, grown=growth(before, await self.rows()))

    async def like(self, once: Once) -> Call:
        """Return another new request, with a version where the first one needed it and the route declares none."""
        call = await self.prepared()
        needs_version = "if-match" in once.call.headers and "if-match" not in call.headers
        return await self._with_version(call) if needs_version else call

    async def send(self, call: Call) -> Answer:
        """Errors: Undecided when no answer comes."""
        return await ask_route(self._exam, call, self._person)

    async def at_once(self, calls: list[Call]) -> list[Answer | None]:
        """Send all at the same moment; None where no answer came."""
        session = await self.session()

        async def one(call: Call) -> Answer | None:
            try:
                return await call.send(session)
            except Unanswered:
                return None

        return await asyncio.gather(*(one(call) for call in calls))

    async def session(self) -> HttpSession:
        return await self._exam.session(self._person) if self._person else self._exam.anonymous()

    async def rows(self, like: Once | None = None) -> Growth:
        """Return how many rows there are: everywhere, or where one request like this made some."""
        return await self._rows.count(like.grown if like else None) if self._rows else {}

    def succeeded(self, answer: Answer | None) -> bool:
        return answer is not None and answer.status in self.route.statuses

    async def _with_version(self, call: Call) -> Call:
        try:
            return await conditional(await self.session(), call)
        except Unanswered as silent:
            raise Undecided(str(silent)) from silent


@asynccontextmanager
async def keyed_routes(exam: Exam) -> AsyncIterator[_Maker]:
    """Yield what makes a `Keyed` of a route, with connections that count for all of them."""
    person = exam.people[0] if exam.people else None
    if person is None or not counts_rows(exam, person):
        yield _Maker(exam, person, None)
        return
    admin = exam.database("admin")
    async with admin.connection() as one, admin.connection() as another:
        yield _Maker(exam, person, await row_counter(exam, (one, another), person))


class _Maker:
    def __init__(self, exam: Exam, person: Credential | None, rows: RowCounter | None) -> None:
        self._exam, self._person, self._rows = exam, person, rows

    def __call__(self, route: Route) -> Keyed:
        return Keyed(self._exam, route, self._person, self._rows)


def is_reachable(exam: Exam, route: Route) -> bool:
    """Say whether the examiner can send this route's example at all."""
    if route.example is None or (route.host == "site" and not exam.can("site")):
        return False
    return route.auth == "public" or exam.can("login", "tenants.1")


def said(answer: Answer) -> Said:
    """Return what two answers to the same request must share."""
    is_page = "html" in answer.header("content-type")
    body = _TOKEN.sub("TOKEN", answer.text) if is_page else answer.text
    return answer.status, answer.header("location"), body


def key_of(call: Call) -> str:
    return call.headers["idempotency-key"]

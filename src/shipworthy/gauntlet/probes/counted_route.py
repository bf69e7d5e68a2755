"""What one route makes the database do, counted by the database itself: shared by budget and slope.

Each route is asked once to warm up and a few times to count; what all of these did is the
answer, so that background work of the same role does not count.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from shipworthy.contract.finding import Evidence
from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.asking import PRECONDITION_NEEDED, ask_route, conditional
from shipworthy.gauntlet.call import Call, prepare, samples_of, subject_of
from shipworthy.gauntlet.check import Mode, Undecided, Unmeasurable
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence, sql_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, HttpSession, Unanswered
from shipworthy.gauntlet.probes.statement_counts import (
    Counts,
    Statement,
    Watch,
    least,
    room_left,
    total,
)
from shipworthy.gauntlet.probes.statistics import quote
from shipworthy.gauntlet.probes.tables import app_tables

# What all of them did counts; each costs a request and two looks at the counters.
RUNS: dict[Mode, int] = {"quick": 2, "full": 3}
SIGN_INS_AT_ONCE = 4
FEW_ROWS_SHARE = 0.5  # the small tenant must have at most this share of the large one's rows


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What one route did for one tenant."""

    counts: Counts
    call: Call
    runs: int  # so often, and every time

    @property
    def statements(self) -> int:
        return total(self.counts)

    def worst(self) -> tuple[Statement | None, int]:
        """Return the read that ran most often, and how often."""
        reads = {s: n for s, n in self.counts.items() if not s.is_write}
        most = max(reads, key=lambda statement: reads[statement], default=None)
        return most, reads[most] if most else 0

    def worst_write(self) -> tuple[Statement | None, int]:
        writes = {s: n for s, n in self.counts.items() if s.is_write}
        most = max(writes, key=lambda statement: writes[statement], default=None)
        return most, writes[most] if most else 0


@asynccontextmanager
async def watching(exam: Exam) -> AsyncIterator[Watch]:
    """Yield a watch over what the app's role runs.

    Errors:  Undecided when the database counts no statements, or forgets them while they are counted.
    """
    way_in = "admin" if exam.can("database.admin") else "app"
    async with exam.database(way_in).connection() as connection:
        watch = Watch(connection, exam.database("app").user)
        await watch.calls()
        if not await room_left(connection):
            raise Undecided(
                "pg_stat_statements is full, so rare statements are forgotten while they are counted.",
                fix="Run select pg_stat_statements_reset(); or raise pg_stat_statements.max.",
            )
        yield watch


def is_askable(exam: Exam, route: Route) -> bool:
    """Say whether the examiner can send this route's request at all."""
    if route.auth == "session" and not exam.can("login", "tenants.1"):
        return False
    if route.host == "site" and not exam.can("site"):
        return False
    return route.method == "GET" or route.example is not None


async def large_and_small(exam: Exam, connection: Any) -> tuple[Credential | None, Credential | None]:
    """Return the person whose tenant has most rows, and one whose tenant has few, if there is one."""
    people = exam.people
    if not people:
        return None, None
    if not exam.can("database.admin", "tenants.2.ids"):
        return people[0], None
    tables = [
        table
        for table in await app_tables(connection, exam.manifest.tables, exam.manifest.scope)
        if table.is_scoped and table.scope == "tenant"
    ]
    rows = dict.fromkeys((person.tenant_id for person in people), 0)
    for table in tables:
        sql = f"select {quote(table.column or '')}::text, count(*) from {table.quoted} group by 1"  # noqa: S608
        for tenant_id, number in await connection.fetch(sql):
            if tenant_id in rows:
                rows[tenant_id] += number
    by_size = sorted(people, key=lambda person: rows[person.tenant_id])
    small, large = by_size[0], by_size[-1]
    is_smaller = rows[small.tenant_id] <= rows[large.tenant_id] * FEW_ROWS_SHARE
    return large, small if is_smaller and small is not large else None


async def spare_sessions(exam: Exam, routes: Sequence[Route], person: Credential | None) -> list[HttpSession]:
    """Return a session of its own for each route that may end its session, signed in a few at a time.

    Most of signing in is waiting for a hash, which the app can do on every core.
    """
    number = sum(_needs_own_session(route) for route in routes)
    if person is None or not number:
        return []
    gate = asyncio.Semaphore(SIGN_INS_AT_ONCE)

    async def one() -> HttpSession:
        async with gate:
            return await exam.fresh_session(person)

    found = await asyncio.gather(*(one() for _ in range(number)), return_exceptions=True)
    return [session for session in found if isinstance(session, HttpSession)]


async def counted_once(
    exam: Exam, watch: Watch, route: Route, person: Credential | None, spare: list[HttpSession] | None = None
) -> Counted:
    """Return what a route does for a person, as the run first counted it: two checks judge the same numbers.

    Errors:  Undecided when it never succeeds.
    """
    whose = person.email if person else "nobody"
    return await exam.once(
        f"{subject_of(route)} for {whose}", lambda: count(exam, watch, route, person, spare)
    )


async def count(
    exam: Exam, watch: Watch, route: Route, person: Credential | None, spare: list[HttpSession] | None = None
) -> Counted:
    """Ask a route until it succeeded often enough; return what it did each time.

    Errors:  Undecided when it never succeeds.
    """
    asked = _Asker(exam, route, person, spare)
    call, warm, answer = await asked.counted(watch)
    seen: list[Counts] = []  # the first one warmed caches and prepared statements
    while answer.status in route.statuses and len(seen) < RUNS[exam.mode]:
        call, counts, answer = await asked.counted(watch)
        if answer.status in route.statuses:
            seen.append(counts)
        elif not seen:
            seen.append(warm)  # it succeeds once only (the last draft was finalised): that counts
    if not seen:
        raise Undecided(
            f"It answered {answer.status}, not {' or '.join(map(str, route.statuses))}.",
            fix="Let the samples and the example of this route make a request that succeeds.",
            evidence=(request_evidence(call), answer_evidence(answer)),
        )
    return Counted(counts=least(seen), call=call, runs=len(seen))


def listing(counted: Counted) -> Evidence:
    """Show what ran in one request, the most frequent first."""
    often = sorted(counted.counts.items(), key=lambda entry: -entry[1])
    text = "\n\n".join(f"-- {times} x\n{statement.text}" for statement, times in often)
    return sql_evidence(text, "What ran in one request")


def queries(number: int) -> str:
    """Return "1 query", "3 queries"."""
    return f"{number} {'query' if number == 1 else 'queries'}"


def _needs_own_session(route: Route) -> bool:
    """Say whether a route may end the session it is asked with, or turn it to something else."""
    return route.auth == "session" and route.method != "GET"


class _Asker:
    """Asks one route as one person. What may end the session gets a session of its own."""

    def __init__(
        self, exam: Exam, route: Route, person: Credential | None, spare: list[HttpSession] | None = None
    ) -> None:
        self._exam, self._route = exam, route
        self._person, self._spare = person, spare
        self._own: HttpSession | None = None
        self._needs_version = False

    async def counted(self, watch: Watch) -> tuple[Call, Counts, Answer]:
        """Ask once; return what was asked, what the database ran for it, and the answer.

        Errors:  Undecided when a sample is missing, signing in is refused or no answer comes.
        """
        call = await self.prepared()
        before = await watch.calls()
        answer = await self.ask(call)
        counts = await watch.ran_between(before, await watch.settled())
        if answer.status == PRECONDITION_NEEDED and not self._needs_version:
            self._needs_version = True
            return await self.counted(watch)
        return call, counts, answer

    async def prepared(self) -> Call:
        """Look up samples and sign in: what the examiner does as role app must not be counted.

        Errors:  Undecided when a sample found nothing or signing in is refused; Unmeasurable when none is declared.
        """
        person = self._person
        if person is not None and self._route.auth == "session":
            if not _needs_own_session(self._route):
                await self._exam.session(person)
            elif self._own is None:
                self._own = self._spare.pop() if self._spare else await self._exam.fresh_session(person)
        wanted = samples_of(self._route)
        if person is None or not wanted:
            return prepare(self._route, {})
        samples = await self._exam.samples_for(person, fresh=True, only=wanted)
        if nameless := wanted - samples.keys() - self._exam.samples_declared:
            # Not the data's fault: there is nothing to look for, as with an address that the app alone can sign.
            raise Unmeasurable(
                f"No sample is declared for {', '.join(sorted(nameless))}.",
                fix="Declare one that finds a value in each tenant's data.",
            )
        call = prepare(self._route, samples)
        return await conditional(self._own, call) if self._own and self._needs_version else call

    async def ask(self, call: Call) -> Answer:
        """Errors: Undecided when no answer comes."""
        if self._own is None:
            return await ask_route(self._exam, call, self._person if self._route.auth == "session" else None)
        try:
            return await call.send(self._own)
        except Unanswered as silent:
            raise Undecided(str(silent)) from silent

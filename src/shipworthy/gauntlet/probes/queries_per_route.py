"""P4: how many statements a route runs, held against its bound, and which it runs over and over.

Each route is asked once to warm up and three times to count; what all three did is the answer,
so that background work of the same role does not count. The tenant with the most rows is asked,
since an N+1 shows where there is an N; where a second tenant has far fewer, both are asked and
must cost the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.asking import PRECONDITION_NEEDED, ask_route, conditional
from shipworthy.gauntlet.call import Call, prepare, samples_of, subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence, sql_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, HttpSession, Unanswered
from shipworthy.gauntlet.probes.statement_counts import (
    Counts,
    Statement,
    least,
    ran_between,
    read_counts,
    room_left,
    total,
)
from shipworthy.gauntlet.probes.statistics import quote
from shipworthy.gauntlet.probes.tables import app_tables
from shipworthy.gauntlet.subjects import ask_each

RUNS = 3
REPEATS_MAX = 2  # reading a row, then the same row after a change, is honest; a third time is a loop
REPEATS_MAX_UNDECLARED = 4  # a stranger's framework may read its session and user a few times
WRITE_REPEATS_MAX = 4  # a batch of lines is one statement sent often; an example has few lines
SLOPE_MAX = 2  # statements more for the large tenant than for the small one
FEW_ROWS_SHARE = 0.5  # the small tenant must have at most this share of the large one's rows


@dataclass(frozen=True, kw_only=True)
class _Counted:
    """What one route did for one tenant."""

    counts: Counts
    call: Call

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


async def queries_per_route(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each route that can be asked."""
    way_in = "admin" if exam.can("database.admin") else "app"
    async with exam.database(way_in).connection() as watching:
        await read_counts(watching, exam.database("app").user)
        if not await room_left(watching):
            raise Undecided(
                "pg_stat_statements is full, so rare statements are forgotten while they are counted.",
                fix="Run select pg_stat_statements_reset(); or raise pg_stat_statements.max.",
            )
        many, few = await _large_and_small(exam, watching)

        async def ask(_name: str, route: Route) -> Finding:
            counted = await _count(exam, watching, route, many)
            slope = await _slope(exam, watching, route, counted, few)
            return _judged(exam, route, counted, slope)

        routes = [(subject_of(route), route) for route in exam.manifest.routes if _is_asked(exam, route)]
        return await ask_each(exam, routes, ask, source=lambda route: route.source)


def _is_asked(exam: Exam, route: Route) -> bool:
    if route.auth == "session" and not exam.can("login", "tenants.1"):
        return False
    if route.host == "site" and not exam.can("site"):
        return False
    return route.method == "GET" or route.example is not None


async def _large_and_small(exam: Exam, connection: Any) -> tuple[Credential | None, Credential | None]:
    """Return the person whose tenant has most rows, and one whose tenant has few, if there is one."""
    people = exam.people
    if not people:
        return None, None
    if not exam.can("database.admin", "tenants.2.ids"):
        return people[0], None
    tables = [
        t for t in await app_tables(connection, exam.manifest.tables) if t.is_scoped and t.scope == "tenant"
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


async def _count(exam: Exam, watching: Any, route: Route, person: Credential | None) -> _Counted:
    """Ask a route until it succeeded RUNS times; return what each of these did.

    Errors:  Undecided when it never succeeds.
    """
    user = exam.database("app").user
    asked = _Asker(exam, route, person)
    call, warm, answer = await asked.counted(watching, user)
    runs: list[Counts] = []  # the first one warmed caches and prepared statements
    while answer.status in route.statuses and len(runs) < RUNS:
        call, counts, answer = await asked.counted(watching, user)
        if answer.status in route.statuses:
            runs.append(counts)
        elif not runs:
            runs.append(warm)  # it succeeds once only (the last draft was finalised): that counts
    if not runs:
        raise Undecided(
            f"It answered {answer.status}, not {' or '.join(map(str, route.statuses))}.",
            fix="Let the samples and the example of this route make a request that succeeds.",
            evidence=(request_evidence(call), answer_evidence(answer)),
        )
    return _Counted(counts=least(runs), call=call)


async def _settled(watching: Any, user: str) -> Counts:
    """Read the counts once they stand still: an answer may be sent before its last statement ends."""
    counts = await read_counts(watching, user)
    for _ in range(5):
        await asyncio.sleep(0.01)
        again = await read_counts(watching, user)
        if again == counts:
            break
        counts = again
    return counts


class _Asker:
    """Asks one route as one person. What may end the session gets a session of its own."""

    def __init__(self, exam: Exam, route: Route, person: Credential | None) -> None:
        self._exam, self._route = exam, route
        self._person = person
        self._own: HttpSession | None = None
        self._needs_version = False

    async def counted(self, watching: Any, user: str) -> tuple[Call, Counts, Answer]:
        """Ask once; return what was asked, what the database ran for it, and the answer.

        Errors:  Undecided when a sample is missing, signing in is refused or no answer comes.
        """
        call = await self.prepared()
        before = await read_counts(watching, user)
        answer = await self.ask(call)
        counts = ran_between(before, await _settled(watching, user))
        if answer.status == PRECONDITION_NEEDED and not self._needs_version:
            self._needs_version = True
            return await self.counted(watching, user)
        return call, counts, answer

    async def prepared(self) -> Call:
        """Look up samples and sign in: what the examiner does as role app must not be counted.

        Errors:  Undecided when a sample is missing or signing in is refused.
        """
        person = self._person
        if person is not None and self._route.auth == "session":
            if self._route.method == "GET":
                await self._exam.session(person)
            elif self._own is None:
                self._own = await self._exam.fresh_session(person)
        if person is None or not samples_of(self._route):
            return prepare(self._route, {})
        call = prepare(self._route, await self._exam.samples_for(person, fresh=True))
        return await conditional(self._own, call) if self._own and self._needs_version else call

    async def ask(self, call: Call) -> Answer:
        """Errors: Undecided when no answer comes."""
        if self._own is None:
            return await ask_route(self._exam, call, self._person if self._route.auth == "session" else None)
        try:
            return await call.send(self._own)
        except Unanswered as silent:
            raise Undecided(str(silent)) from silent


async def _slope(
    exam: Exam, watching: Any, route: Route, counted: _Counted, few: Credential | None
) -> int | None:
    """Return how many statements more the large tenant costs; None where that cannot be compared."""
    if few is None or route.method != "GET" or route.auth == "public":
        return None
    try:
        return counted.statements - (await _count(exam, watching, route, few)).statements
    except Undecided:
        return None  # the small tenant has nothing to show here


def _judged(exam: Exam, route: Route, counted: _Counted, slope: int | None) -> Finding:
    repeated, times = counted.worst()
    written, writes = counted.worst_write()
    declared = route.queries_max
    repeats_max = REPEATS_MAX if declared is not None else REPEATS_MAX_UNDECLARED
    measures = [
        Measure(name="queries", unit="queries", estimate=counted.statements, bound=declared, samples=RUNS),
        Measure(name="repeats of one query", unit="times", estimate=times, bound=repeats_max),
    ]
    if slope is not None:
        measures.append(
            Measure(name="more for a large tenant", unit="queries", estimate=slope, bound=SLOPE_MAX)
        )
    subject = subject_of(route)
    facts: dict[str, Any] = {"source": route.source, "measures": tuple(measures)}
    if repeated and times > repeats_max:
        return _repeats(exam, route, counted, repeated, times, facts)
    if written and writes > WRITE_REPEATS_MAX:
        return _repeats(exam, route, counted, written, writes, facts)
    if slope is not None and slope > SLOPE_MAX:
        return _grows(exam, route, counted, slope, facts)
    if declared is not None and counted.statements > declared:
        return _over_budget(exam, route, counted, declared, facts)
    bound = f"of at most {declared}" if declared is not None else "with no bound declared"
    title = f"{subject} runs {_queries(counted.statements)} {bound}"
    return exam.finding(subject, Verdict.PASS, title, severity=Severity.LOW, **facts)


def _repeats(
    exam: Exam, route: Route, counted: _Counted, statement: Statement, times: int, facts: dict[str, Any]
) -> Finding:
    subject = subject_of(route)
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject} runs one query {times} times per request",
        cause=f"Of {_queries(sum(counted.counts.values()))}, one runs {times} times: once for each row of a list "
        "(N+1). It grows with the data.",
        fix="Fetch all rows at once (where id = any($1), or a join), then group them in memory.",
        evidence=(
            sql_evidence(statement.text, f"Run {times} times in one request"),
            request_evidence(counted.call, "The request"),
        ),
        **facts,
    )


def _grows(exam: Exam, route: Route, counted: _Counted, slope: int, facts: dict[str, Any]) -> Finding:
    subject = subject_of(route)
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject} runs {_queries(slope)} more for a tenant with more rows",
        cause=f"{_queries(counted.statements).capitalize()} for the large tenant, {counted.statements - slope} "
        "for the small one: the number grows with the data.",
        fix="Fetch all rows at once (where id = any($1), or a join), then group them in memory.",
        evidence=(_listing(counted), request_evidence(counted.call, "The request")),
        **facts,
    )


def _over_budget(exam: Exam, route: Route, counted: _Counted, bound: int, facts: dict[str, Any]) -> Finding:
    subject = subject_of(route)
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject} runs {_queries(counted.statements)} where at most {bound} were promised",
        severity=Severity.MEDIUM,
        cause=f"{_queries(counted.statements).capitalize()} in one request; the route declares {bound}.",
        fix="Join what can be read together, or raise queries_max if each is needed.",
        evidence=(_listing(counted), request_evidence(counted.call, "The request")),
        **facts,
    )


def _listing(counted: _Counted) -> Evidence:
    often = sorted(counted.counts.items(), key=lambda entry: -entry[1])
    text = "\n\n".join(f"-- {times} x\n{statement.text}" for statement, times in often)
    return sql_evidence(text, "What ran in one request")


def _queries(number: int) -> str:
    return f"{number} {'query' if number == 1 else 'queries'}"

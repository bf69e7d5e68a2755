"""P4: how many statements a route runs, held against its bound, and which it runs over and over.

The tenant with the most rows is asked, since an N+1 shows where there is an N. That the number
stays the same as the data grows is another question: queries_slope.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.manifest import Route
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.call import subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import request_evidence, sql_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.counted_route import (
    Counted,
    counted_once,
    is_askable,
    large_and_small,
    listing,
    queries,
    spare_sessions,
    watching,
)
from shipworthy.gauntlet.probes.statement_counts import Statement
from shipworthy.gauntlet.snapshot import route_entry, statement_line
from shipworthy.gauntlet.subjects import ask_each

REPEATS_MAX = 2  # reading a row, then the same row after a change, is honest; a third time is a loop
REPEATS_MAX_UNDECLARED = 4  # a stranger's framework may read its session and user a few times
WRITE_REPEATS_MAX = 4  # a batch of lines is one statement sent often; an example has few lines


async def queries_per_route(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each route that can be asked."""
    async with watching(exam) as watch:
        many, _few = await large_and_small(exam, watch.connection)

        routes = [(subject_of(route), route) for route in exam.manifest.routes if is_askable(exam, route)]
        asked = [route for name, route in routes if exam.wants(name)]
        spare = await spare_sessions(exam, asked, many)

        async def ask(_name: str, route: Route) -> Finding:
            counted = await counted_once(exam, watch, route, many, spare)
            _note(exam, route, counted)
            return _judged(exam, route, counted)

        return await ask_each(exam, routes, ask, source=lambda route: route.source)


async def statements_seen(exam: Exam) -> None:
    """Note what each route runs (snapshot.py), of a run that has not asked `queries_per_route`."""
    asked = [
        route
        for route in exam.manifest.routes
        if route.method == "GET" and is_askable(exam, route) and exam.wants(route_entry(subject_of(route)))
    ]
    if not asked or not exam.can("database.app"):
        return
    async with watching(exam) as watch:
        many, _few = await large_and_small(exam, watch.connection)
        spare = await spare_sessions(exam, asked, many)
        for route in asked:
            with suppress(Undecided):
                _note(exam, route, await counted_once(exam, watch, route, many, spare))


def _note(exam: Exam, route: Route, counted: Counted) -> None:
    """Note what a reading route runs, for gauntlet.lock. What a writing one runs hangs on what it finds there."""
    if route.method != "GET":
        return
    lines = [statement_line(s.text, 1 if s.is_write else n) for s, n in counted.counts.items()]
    exam.seen[route_entry(subject_of(route))] = tuple(sorted(filter(None, lines))) or ("nothing",)


def _judged(exam: Exam, route: Route, counted: Counted) -> Finding:
    repeated, times = counted.worst()
    written, writes = counted.worst_write()
    declared = route.queries_max
    repeats_max = REPEATS_MAX if declared is not None else REPEATS_MAX_UNDECLARED
    measures = [
        Measure(
            name="queries", unit="queries", estimate=counted.statements, bound=declared, samples=counted.runs
        ),
        Measure(name="repeats of one query", unit="times", estimate=times, bound=repeats_max),
    ]
    subject = subject_of(route)
    facts: dict[str, Any] = {"source": route.source, "measures": tuple(measures)}
    if repeated and times > repeats_max:
        return _repeats(exam, route, counted, repeated, times, facts)
    if written and writes > WRITE_REPEATS_MAX:
        return _repeats(exam, route, counted, written, writes, facts)
    if declared is not None and counted.statements > declared:
        return _over_budget(exam, route, counted, declared, facts)
    bound = f"of at most {declared}" if declared is not None else "with no bound declared"
    title = f"{subject} runs {queries(counted.statements)} {bound}"
    return exam.finding(subject, Verdict.PASS, title, severity=Severity.LOW, **facts)


def _repeats(
    exam: Exam, route: Route, counted: Counted, statement: Statement, times: int, facts: dict[str, Any]
) -> Finding:
    subject = subject_of(route)
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject} runs one query {times} times per request",
        cause=f"Of {queries(sum(counted.counts.values()))}, one runs {times} times: once for each row of a list "
        "(N+1). It grows with the data.",
        fix="Fetch all rows at once (where id = any($1), or a join), then group them in memory.",
        evidence=(
            sql_evidence(statement.text, f"Run {times} times in one request"),
            request_evidence(counted.call, "The request"),
        ),
        **facts,
    )


def _over_budget(exam: Exam, route: Route, counted: Counted, bound: int, facts: dict[str, Any]) -> Finding:
    subject = subject_of(route)
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject} runs {queries(counted.statements)} where at most {bound} were promised",
        severity=Severity.MEDIUM,
        cause=f"{queries(counted.statements).capitalize()} in one request; the route declares {bound}.",
        fix="Join what can be read together, or raise queries_max if each is needed.",
        evidence=(listing(counted), request_evidence(counted.call, "The request")),
        **facts,
    )

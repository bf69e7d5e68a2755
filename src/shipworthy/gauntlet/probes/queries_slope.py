"""P4: a route must run as many statements for much data as for little: an N+1 shown by its slope.

A fixed bound misses a loop over few rows, and one whose statements all read differently. So each
reading route is counted at two sizes. Where two tenants are known of which one has far more rows,
these are the sizes. Elsewhere a route is counted as the data is, things are made through the
declared routes that make things, and it is counted again: one statement more for each is the loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.asking import ask_route
from shipworthy.gauntlet.call import prepare, subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import request_evidence, sql_evidence, table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.counted_route import (
    Counted,
    count,
    counted_once,
    is_askable,
    large_and_small,
    queries,
    watching,
)
from shipworthy.gauntlet.probes.statement_counts import Statement, Watch
from shipworthy.gauntlet.subjects import ask_each, undecided_finding

# More data may open a branch that little data leaves shut (an empty list needs no second question),
# and that is one statement or two, whatever the size. A loop grows with it.
GROWTH_MAX = 2
MADE = 8  # more than GROWTH_MAX by so much that no branch is taken for a loop
MADE_MIN = GROWTH_MAX + 1


@dataclass(frozen=True, kw_only=True)
class _Sizes:
    """How a route is counted at the second size, and what the two sizes are called."""

    few: str
    many: str
    again: Callable[[Route], Awaitable[Counted]]


async def queries_slope(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each reading route."""
    routes = {
        subject_of(route): route
        for route in exam.manifest.routes
        if route.method == "GET" and is_askable(exam, route)
    }
    async with watching(exam) as watch:
        large, small = await large_and_small(exam, watch.connection)
        if small is not None:
            return await _by_tenants(exam, watch, routes, large, small)
        return await _by_making(exam, watch, routes, large)


async def _by_tenants(
    exam: Exam, watch: Watch, routes: dict[str, Route], large: Credential | None, small: Credential
) -> Sequence[Finding]:
    sizes = ("for the tenant with few rows", "for the tenant with many")

    async def ask(_name: str, route: Route) -> Finding:
        many = await counted_once(exam, watch, route, large)
        try:
            few = await count(exam, watch, route, small)
        except Undecided as nothing:
            why = f"The tenant with few rows has nothing to show here: {nothing.why}"
            return _one_size(exam, route, why, fix="Seed one such row for the smallest tenant, too.")
        return _judged(exam, route, few, many, sizes)

    # What everybody may see is the same for both tenants: there is one size of it.
    private = [(name, route) for name, route in routes.items() if route.auth == "session"]
    return await ask_each(exam, private, ask, source=lambda route: route.source)


async def _by_making(
    exam: Exam, watch: Watch, routes: dict[str, Route], person: Credential | None
) -> Sequence[Finding]:
    """Count every route, make things, and count again."""
    before: dict[str, Counted | Undecided] = {}
    for name, route in routes.items():
        if exam.wants(name):
            try:
                before[name] = await count(exam, watch, route, person)
            except Undecided as undecided:
                before[name] = undecided
    made = await _make(exam, person) if before else {}
    how_many = max(made.values(), default=0)
    sizes = ("as the data was", f"after {how_many} more")

    async def ask(name: str, route: Route) -> Finding:
        few = before[name]
        if isinstance(few, Undecided):
            return undecided_finding(exam, name, few, source=route.source)
        if how_many < MADE_MIN:
            return _one_size(exam, route, _why_nothing_grew(made), fix=_MAKE)
        return _judged(exam, route, few, await count(exam, watch, route, person), sizes, made)

    return await ask_each(exam, routes.items(), ask, source=lambda route: route.source)


async def _make(exam: Exam, person: Credential | None) -> dict[str, int]:
    """Send each route that makes something `MADE` times; return how often each succeeded."""
    login = exam.manifest.login
    made: dict[str, int] = {}
    for route in exam.manifest.routes:
        name = subject_of(route)
        if route.method != "POST" or not route.example or (login and name == login.route):
            continue
        if not is_askable(exam, route):
            continue
        made[name] = 0
        for _ in range(MADE):
            try:
                samples = await exam.samples_for(person) if person else {}
                call = prepare(route, samples)
                answer = await ask_route(exam, call, person if route.auth == "session" else None)
            except Undecided:
                break
            if answer.status not in route.statuses:
                break
            made[name] += 1
    return made


def _why_nothing_grew(made: dict[str, int]) -> str:
    if not made:
        return "No route is declared that makes something, so there is one size of the data only."
    tried = ", ".join(f"{name} succeeded {times} times" for name, times in made.items())
    return f"Fewer than {MADE_MIN} things could be made: {tried}."


_MAKE = (
    "Declare a route that makes what this one lists, with an example that can be sent again: "
    '[[route]] method = "POST", json = { … }, expect = [201].'
)


def _one_size(exam: Exam, route: Route, why: str, *, fix: str) -> Finding:
    return exam.finding(
        subject_of(route),
        Verdict.NOT_MEASURED,
        f"{subject_of(route)}: counted at one size of the data only",
        cause=why,
        fix=fix,
        source=route.source,
    )


def _judged(
    exam: Exam,
    route: Route,
    few: Counted,
    many: Counted,
    sizes: tuple[str, str],
    made: dict[str, int] | None = None,
) -> Finding:
    subject = subject_of(route)
    repeated, more = _grown_most(few, many)
    growth = max(many.statements - few.statements, more)
    measure = Measure(
        name="more statements for more data",
        unit="queries",
        estimate=growth,
        bound=GROWTH_MAX,
        samples=min(few.runs, many.runs),
    )
    facts: dict[str, Any] = {"source": route.source, "measures": (measure,)}
    if growth <= GROWTH_MAX:
        title = f"{subject} runs {queries(few.statements)} {sizes[0]}, {many.statements} {sizes[1]}"
        return exam.finding(subject, Verdict.PASS, title, severity=Severity.LOW, **facts)
    rows = [(few.statements, sizes[0]), (many.statements, sizes[1])]
    evidence = [_growing(few, many), table_evidence("Counted twice", ("statements", "when"), rows)]
    if made:
        evidence.append(
            table_evidence("Made in between", ("times", "by"), [(n, by) for by, n in made.items()])
        )
    named = f"; one of them {more} times more" if repeated and more > 1 else ""
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject} runs {queries(growth)} more {sizes[1]}",
        cause=f"{queries(few.statements).capitalize()} {sizes[0]}, {many.statements} {sizes[1]}{named}: the number "
        "grows with the rows (N+1).",
        fix="Fetch all rows at once (where id = any($1), or a join), then group them in memory.",
        evidence=(*evidence, request_evidence(many.call, "The request")),
        **facts,
    )


def _grown_most(few: Counted, many: Counted) -> tuple[Statement | None, int]:
    """Return the read that ran most times more, and how many."""
    grown = {s: n - few.counts.get(s, 0) for s, n in many.counts.items() if not s.is_write}
    most = max(grown, key=lambda statement: grown[statement], default=None)
    return most, grown[most] if most else 0


def _growing(few: Counted, many: Counted) -> Evidence:
    """Show what ran more often with more data, the most first."""
    grown = [(n, few.counts.get(s, 0), s) for s, n in many.counts.items() if n > few.counts.get(s, 0)]
    grown.sort(key=lambda entry: entry[1] - entry[0])
    text = "\n\n".join(f"-- {n} x with more data, {before} x with less\n{s.text}" for n, before, s in grown)
    return sql_evidence(text, "What ran more often with more data")

"""T1, L2, P7: under an Idempotency-Key, sending twice does it once and answers the same.

Each route that declares a key is sent the same request twice, then another one twenty times at
the same moment, then another body under a key that was used. What was done is counted in the
rows of the tenant; where nothing can be counted, by whether answers tell two effects apart.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Route
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.call import Call, subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence, table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer
from shipworthy.gauntlet.probes.effects import Growth, beyond, effects, growth
from shipworthy.gauntlet.probes.keyed import (
    STILL_AT_IT,
    Keyed,
    Once,
    is_reachable,
    key_of,
    keyed_routes,
    said,
)
from shipworthy.gauntlet.subjects import ask_each

AT_ONCE = 20
BODIES_MAX = 4  # changed bodies tried until one is valid in its own right
_FREE_TEXT = ("note", "description", "text", "title", "name", "message", "comment", "subject")


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """What is wrong with one route, in words, with what was seen."""

    title: str
    cause: str
    fix: str
    evidence: tuple[Evidence, ...]
    severity: Severity = Severity.HIGH


async def same_key(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each route that declares an idempotency key."""
    async with keyed_routes(exam) as keyed:

        async def ask(_subject: str, route: Route) -> Finding:
            if not is_reachable(exam, route):
                return _not_asked(exam, route)
            return await _ask(exam, keyed(route))

        routes = [(subject_of(route), route) for route in exam.manifest.routes if route.idempotency == "key"]
        return await ask_each(exam, routes, ask, source=lambda route: route.source)


async def _ask(exam: Exam, route: Keyed) -> Finding:
    once = await route.once()
    twice, problem = await _again(route, once)
    if not problem and not once.grown:
        await _must_tell_apart(route, once)
    many = 0.0
    if not problem:
        many, problem = await _many(route, once)
    refuses_another = False
    if not problem:
        refuses_another, problem = await _another_body(route, once)
    counted = "rows of the tenant, counted" if once.grown else "told by the answers"
    measures = (
        Measure(name="effects of two sends", unit="effects", estimate=1 + twice, bound=1, method=counted),
        Measure(name=f"effects of {AT_ONCE} at once", unit="effects", estimate=many, bound=1, method=counted),
    )
    subject, source = subject_of(route.route), route.route.source
    if problem:
        return exam.finding(
            subject,
            Verdict.FAIL,
            f"{subject} {problem.title}",
            severity=problem.severity,
            cause=problem.cause,
            fix=problem.fix,
            source=source,
            evidence=problem.evidence,
            measures=measures if many else measures[:1],
        )
    title = f"{subject} does once what is sent twice, and {AT_ONCE} times at once"
    title += ", and refuses another body under a used key" if refuses_another else ""
    return exam.finding(subject, Verdict.PASS, title, source=source, measures=measures)


async def _again(route: Keyed, once: Once) -> tuple[float, _Problem | None]:
    """Send the same request again; return how many more effects it had, and what was wrong."""
    second, more = await _sent_again(route, once)
    if more:  # once more, since something in the background may have written just then
        more = min(more, (await _sent_again(route, once))[1])
    evidence = (
        request_evidence(once.call, "Sent twice"),
        answer_evidence(once.answer, "The first answer"),
        answer_evidence(second, "The second answer"),
    )
    if more or (not once.grown and route.succeeded(second) and said(second) != said(once.answer)):
        return more, _Problem(
            title="does it again when the same key comes twice",
            cause=f"The second request with the key {key_of(once.call)} had an effect of its own"
            f"{_rows(once.grown, more)}. A caller who never saw the first answer tries again, and pays twice.",
            fix="Take the key in the transaction of the effect (insert … on conflict do nothing) and keep the "
            "answer beside it.",
            evidence=evidence,
        )
    if said(second) != said(once.answer):
        return more, _Problem(
            title="answers differently when the same key comes twice",
            cause=f"The first answer was {once.answer.status}, the second {second.status}"
            f"{'' if second.status != once.answer.status else ' with another body'}: a caller who missed the first "
            "cannot learn what became of the request.",
            fix="Keep the first answer beside its effect and send it again, status and body.",
            evidence=evidence,
        )
    return more, None


async def _sent_again(route: Keyed, once: Once) -> tuple[Answer, float]:
    before = await route.rows(once)
    answer = await route.send(once.call)
    return answer, effects(once.grown, growth(before, await route.rows(once)))


async def _must_tell_apart(route: Keyed, once: Once) -> None:
    """Where nothing is counted, see that another key gets another answer.

    Errors:  Undecided when it does not: equal answers then say nothing about effects.
    """
    other = await route.send(await route.like(once))
    if said(other) == said(once.answer):
        raise Undecided(
            "Its answers do not tell one effect from another, and the database is not there to count in.",
            fix="Let the answer hold the id of what was made, or give the database's administrator address.",
            evidence=(answer_evidence(once.answer, "For one key"), answer_evidence(other, "For another key")),
        )


async def _many(route: Keyed, once: Once) -> tuple[float, _Problem | None]:
    """Send one request many times at once; return how many effects all had, and what was wrong."""
    call = await route.like(once)
    before = await route.rows(once)
    answers = await route.at_once([call] * AT_ONCE)
    last = await route.send(call)
    grown = growth(before, await route.rows(once))
    done = [answer for answer in answers if answer and route.succeeded(answer)]
    told = {said(answer) for answer in [*done, last]}
    number = effects(once.grown, grown) if once.grown else float(len(told))
    evidence = (
        request_evidence(call, f"Sent {AT_ONCE} times at once, then once more"),
        _answers_evidence([*answers, last]),
    )
    if beyond(once.grown, grown) or (not once.grown and len({said(answer) for answer in done}) > 1):
        return number, _Problem(
            title=f"has {number:g} effects when {AT_ONCE} requests with one key come at once",
            cause="Requests that come at the same moment do not see one another's key"
            f"{_rows(once.grown, number)}: looking it up and taking it are two steps.",
            fix="Let a unique index decide who is first: insert the key with on conflict do nothing, in the "
            "transaction of the effect.",
            evidence=evidence,
        )
    odd = [a for a in answers if a and not route.succeeded(a) and a.status not in STILL_AT_IT]
    if odd or len(told) > 1:
        shown = odd[0] if odd else last
        return number, _Problem(
            title=f"answers differently when {AT_ONCE} requests with one key come at once",
            cause="All asked for the same thing under the same key, and not all were told the same.",
            fix="Let those who come second wait for the first one's commit, then send them its answer.",
            evidence=(*evidence, answer_evidence(shown, "One that differs")),
        )
    if not done and not route.succeeded(last):
        raise Undecided(f"None of {AT_ONCE} requests at once succeeded.", evidence=evidence)
    return number, None


async def _another_body(route: Keyed, once: Once) -> tuple[bool, _Problem | None]:
    """Send another body under a used key; return whether it was refused for its key, and what was wrong.

    Only a body that is valid under a key of its own shows why it was refused.
    """
    for body in changed_bodies(once.call.json_body):
        reused = replace(once.call, json_body=body)
        answer = await route.send(reused)
        if not 400 <= answer.status < 500:
            return False, _takes_another(reused, answer)
        own = replace(await route.like(once), json_body=body)
        if route.succeeded(await route.send(own)):
            return True, None
    return False, None


def changed_bodies(body: Any) -> Iterator[Any]:
    """Return copies of a JSON body, each with one value changed; free text first, at most BODIES_MAX."""
    places = sorted(_texts(body, ()), key=lambda place: str(place[-1]) not in _FREE_TEXT)
    for place in places[:BODIES_MAX]:
        changed = copy.deepcopy(body)
        owner = changed
        for step in place[:-1]:
            owner = owner[step]
        owner[place[-1]] = f"{owner[place[-1]]} again"
        yield changed


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, str) and path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from _texts(item, (*path, name))


def _takes_another(call: Call, answer: Answer) -> _Problem:
    return _Problem(
        title="takes another body under a key that was used",
        cause=f"The key {key_of(call)} came with another body before, and this one was answered {answer.status}: "
        "whoever reuses a key by mistake is told that something was done which was not.",
        fix="Keep a hash of the request beside the key, and refuse another one (409 or 422).",
        evidence=(request_evidence(call, "Sent under a used key"), answer_evidence(answer)),
        severity=Severity.MEDIUM,
    )


def _not_asked(exam: Exam, route: Route) -> Finding:
    subject = subject_of(route)
    needs_example = route.example is None
    return exam.finding(
        subject,
        Verdict.NOT_MEASURED,
        f"{subject}: not measured",
        cause="It gives no example of a body." if needs_example else "Nobody can sign in to ask it.",
        fix="Declare an example with the route." if needs_example else "Declare how a person signs in.",
        source=route.source,
    )


def _rows(single: Growth, number: float) -> str:
    if not single:
        return " (its answer names another thing)"
    names = ", ".join(sorted(name.rpartition(".")[2] for name in single))
    return f" ({number:g} times the rows of one in {names})"


def _answers_evidence(answers: Sequence[Answer | None]) -> Evidence:
    counts: dict[tuple[str, str], int] = {}
    for answer in answers:
        told = (
            ("no answer", "") if answer is None else (str(answer.status), " ".join(answer.text.split())[:60])
        )
        counts[told] = counts.get(told, 0) + 1
    rows = [(number, status, body) for (status, body), number in counts.items()]
    return table_evidence("What was answered", ("times", "status", "body begins"), rows)

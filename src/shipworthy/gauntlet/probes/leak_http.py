"""T1 by behaviour, over HTTP: signed in as one tenant, ask for what belongs to another.

For a route that takes ids: B's id must answer 404 with the very bytes that an id nobody has
answers, so that not even existence leaks. The control comes last: A's own id must succeed, or
the refusal may have had another reason. For a page without ids: B's marker must not stand on
it, and A's must, or its absence proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.asking import ask_route
from shipworthy.gauntlet.call import Call, path_parameters, prepare, samples_of, subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer
from shipworthy.gauntlet.probes.made_up import is_uuid, made_up_like
from shipworthy.gauntlet.probes.planting import with_marker
from shipworthy.gauntlet.subjects import ask_each

_MISSING = 404
# Ids, tokens and nonces: what may differ between two answers that say the same.
_TOKEN = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[A-Za-z0-9_+/=-]{20,}")


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """The neighbours: `mine` asks, `theirs` owns what is asked for."""

    mine: Credential
    theirs: Credential


async def two_tenants_http(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each route with a session that takes ids or shows data."""
    pair = _Pair(mine=exam.people[0], theirs=exam.people[1])
    for person in (pair.mine, pair.theirs):
        await exam.session(person)  # a neighbour who is signed in has a session to be ended, too
    pair = _Pair(mine=await with_marker(exam, pair.mine), theirs=await with_marker(exam, pair.theirs))

    async def ask(_name: str, route: Route) -> Finding:
        if samples_of(route) & exam.samples_declared or path_parameters(route):
            return await _foreign_ids(exam, route, pair)
        return await _foreign_marker(exam, route, pair)

    routes = [
        (subject_of(route), route)
        for route in exam.manifest.routes
        if route.auth == "session" and (route.method == "GET" or samples_of(route))
    ]
    return await ask_each(exam, routes, ask, source=lambda route: route.source)


async def _foreign_ids(exam: Exam, route: Route, pair: _Pair) -> Finding:
    named = sorted(samples_of(route))
    own = await exam.samples_for(pair.mine, fresh=True, only=named)
    theirs = await exam.samples_for(pair.theirs, fresh=True, only=named)
    if not all(name in own and name in theirs for name in named):
        return _no_samples(exam, route, [name for name in named if name not in own or name not in theirs])
    shared = [name for name in named if own[name] == theirs[name]]
    if random := [name for name in shared if is_uuid(own[name])]:
        raise Undecided(
            f"The same {', '.join(random)} stands in both tenants' data, so whose it is cannot be told.",
            fix="See isolation.two_tenants_sql: a table that shows both tenants one row is not guarded.",
        )
    if shared == named:
        return _same_names(exam, route, named)
    for name in named:  # each id in turn is the neighbour's, the others stay one's own
        if name in shared:
            continue
        in_path = name in {route.params.get(p, p) for p in path_parameters(route)}
        if problem := await _one_foreign_id(exam, route, pair, name, own, theirs, in_path=in_path):
            return problem
    return await _control(exam, route, pair, own)


async def _one_foreign_id(
    exam: Exam,
    route: Route,
    pair: _Pair,
    name: str,
    own: Mapping[str, str],
    theirs: Mapping[str, str],
    *,
    in_path: bool,
) -> Finding | None:
    """Ask with one id of the neighbour's; return the finding of what leaked, if anything did."""
    foreign_call = prepare(route, {**own, name: theirs[name]})
    made_up = [made_up_like(theirs[name]) for _ in range(2)]
    foreign = await ask_route(exam, foreign_call, pair.mine)
    missing = [await ask_route(exam, prepare(route, {**own, name: id_}), pair.mine) for id_ in made_up]
    seen = _Seen(route=route, name=name, call=foreign_call, foreign=foreign, missing=missing[0])
    if _shows(foreign, pair.theirs):
        return _reached(exam, seen, pair)
    if (
        not in_path
        and route.effect == "read"
        and _told(foreign, theirs[name]) == _told(missing[0], made_up[0])
    ):
        return None  # nothing is kept, and nothing looked up: one that nobody has gives the same bytes
    if foreign.status in route.statuses:
        return _reached(exam, seen, pair)
    if in_path and foreign.status != _MISSING:
        return _not_missing(exam, seen)
    if _told(foreign, theirs[name]) != _told(missing[0], made_up[0]) and not _differs_anyway(
        foreign, theirs[name], missing, made_up
    ):
        return _tells_apart(exam, seen)
    return None


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What one foreign id brought to light."""

    route: Route
    name: str
    call: Call
    foreign: Answer
    missing: Answer

    def evidence(self) -> tuple[Any, ...]:
        return (
            request_evidence(self.call, f"Asked with the neighbour's {self.name}"),
            answer_evidence(self.foreign, "Answered for the neighbour's"),
            answer_evidence(self.missing, "Answered for one that nobody has"),
        )


async def _control(exam: Exam, route: Route, pair: _Pair, own: Mapping[str, str]) -> Finding:
    """A's own id must succeed. Last, because it may change what the samples found."""
    call = prepare(route, own)
    answer = await ask_route(exam, call, pair.mine)
    subject = subject_of(route)
    if _shows(answer, pair.theirs):
        return _marker_shown(exam, route, call, answer, pair)
    if answer.status not in route.statuses:
        raise Undecided(
            f"The neighbour's ids were refused, but one's own answered {answer.status} too, "
            f"not {' or '.join(map(str, route.statuses))}: the refusal proves nothing.",
            fix="Let the samples and the example of this route make a request that succeeds.",
            evidence=(request_evidence(call), answer_evidence(answer)),
        )
    return exam.finding(
        subject,
        Verdict.PASS,
        f"{subject} answers a neighbour's id like one that nobody has",
        source=route.source,
        measures=(Measure(name="foreign ids tried", unit="ids", estimate=len(samples_of(route))),),
        evidence=(request_evidence(call, "The control: one's own, which succeeds"),),
    )


async def _foreign_marker(exam: Exam, route: Route, pair: _Pair) -> Finding:
    call = prepare(route, {})
    answer = await ask_route(exam, call, pair.mine)
    if _shows(answer, pair.theirs):
        return _marker_shown(exam, route, call, answer, pair)
    subject = subject_of(route)
    if answer.status not in route.statuses:
        raise Undecided(
            f"It answered {answer.status}, not {' or '.join(map(str, route.statuses))}.",
            evidence=(request_evidence(call), answer_evidence(answer)),
        )
    if not _shows(answer, pair.mine):
        return exam.finding(
            subject,
            Verdict.NOT_MEASURED,
            f"{subject}: not measured",
            cause="It shows no tenant's marker, not even its own, so the absence of another's proves nothing.",
            fix="Let the seed write the tenant's marker into what this page shows, or declare the route that makes "
            "what it shows: it is then made for each tenant.",
            source=route.source,
        )
    return exam.finding(
        subject,
        Verdict.PASS,
        f"{subject} shows one's own data and nothing of the neighbour's",
        source=route.source,
        measures=(Measure(name="neighbour's markers", unit="markers", estimate=0, bound=0),),
    )


def _shows(answer: Answer, person: Credential) -> bool:
    return bool(person.marker) and person.marker.encode() in answer.body


def _told(answer: Answer, asked_for: str) -> tuple[int, str, str]:
    """Return what an answer says, without the id it was asked for: repeating that tells nothing."""
    return answer.status, answer.header("content-type"), answer.text.replace(asked_for, "{id}")


def _differs_anyway(foreign: Answer, theirs: str, missing: list[Answer], made_up: list[str]) -> bool:
    """Say whether two made-up ids already answer differently, and only in tokens the foreign one differs in too."""
    first, second = (_told(answer, id_) for answer, id_ in zip(missing, made_up, strict=True))
    if first == second:
        return False
    plain = [_TOKEN.sub("", told[2]) for told in (first, second, _told(foreign, theirs))]
    return first[:2] == _told(foreign, theirs)[:2] and len(set(plain)) == 1


def _reached(exam: Exam, seen: _Seen, pair: _Pair) -> Finding:
    subject = subject_of(seen.route)
    whose = pair.theirs.tenant or "another tenant"
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject} lets one tenant reach another's {seen.name}",
        cause=f"Signed in as {pair.mine.tenant or 'one tenant'}, the {seen.name} of {whose} answered "
        f"{seen.foreign.status}.",
        fix="Look the row up within the tenant's scope (row security), and answer 404 when it is not there.",
        source=seen.route.source,
        evidence=seen.evidence(),
    )


def _not_missing(exam: Exam, seen: _Seen) -> Finding:
    subject = subject_of(seen.route)
    if seen.missing.status == seen.foreign.status:
        raise Undecided(
            f"A neighbour's and a made-up {seen.name} both answered {seen.foreign.status} instead of 404: "
            "the request was refused before anything was looked up.",
            fix="Give the route an example that is valid but for the id.",
            evidence=seen.evidence(),
        )
    return replace(
        _tells_apart(exam, seen),
        title=f"{subject} answers {seen.foreign.status} for a neighbour's {seen.name}, not 404",
    )


def _tells_apart(exam: Exam, seen: _Seen) -> Finding:
    subject = subject_of(seen.route)
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject} tells whether a neighbour's {seen.name} exists",
        severity=Severity.HIGH,
        cause=f"The answer for a neighbour's {seen.name} ({seen.foreign.status}, {len(seen.foreign.body):,} bytes) "
        f"differs from that for one nobody has ({seen.missing.status}, {len(seen.missing.body):,} bytes).",
        fix="Answer both from the same place, with the same bytes.",
        source=seen.route.source,
        evidence=seen.evidence(),
    )


def _marker_shown(exam: Exam, route: Route, call: Call, answer: Answer, pair: _Pair) -> Finding:
    subject, whose = subject_of(route), pair.theirs.tenant or "another tenant"
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject} shows {whose}'s data to {pair.mine.tenant or 'a neighbour'}",
        cause=f"The answer holds {pair.theirs.marker!r}, which stands in {whose}'s data only.",
        fix="Scope the queries behind this route to the tenant of the session.",
        source=route.source,
        evidence=(request_evidence(call), answer_evidence(answer)),
    )


def _no_samples(exam: Exam, route: Route, missing: list[str]) -> Finding:
    subject = subject_of(route)
    names = ", ".join(missing or sorted(samples_of(route)))
    return exam.finding(
        subject,
        Verdict.NOT_MEASURED,
        f"{subject}: not measured",
        cause=f"No value of {names} is known for both tenants.",
        fix="Declare samples that find a row in each tenant's data, and seed such rows.",
        source=route.source,
    )


def _same_names(exam: Exam, route: Route, names: list[str]) -> Finding:
    subject = subject_of(route)
    return exam.finding(
        subject,
        Verdict.NOT_MEASURED,
        f"{subject}: not measured",
        cause=f"Both tenants have the same {', '.join(names)}, so asking for the neighbour's is asking for one's own.",
        fix="Seed one that only one tenant has.",
        source=route.source,
    )

"""T1 for who is not signed in: a route that needs a session answers nobody else; one for operators no tenant either.

Each such route is asked with a tenant's own ids and no session: the address of something must not be
what opens it. A refusal is 401, 403, 404 or the way to the sign-in; success, or the tenant's marker in
whatever is answered, is a leak.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.asking import ask_route, is_signed_out
from shipworthy.gauntlet.call import Call, prepare, samples_of, subject_of
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer
from shipworthy.gauntlet.subjects import ask_each

_NEEDED = {"session": "a session", "operator": "an operator's session", "public": "nothing"}


async def signed_out_http(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each route that is declared to need a session, or an operator."""
    person = exam.people[0]
    samples = await exam.samples_for(person)

    async def ask(_name: str, route: Route) -> Finding:
        if missing := sorted(samples_of(route) - samples.keys()):
            raise Unmeasurable(
                f"No value of {', '.join(missing)} is known.",
                fix="Declare samples that find a row in the first tenant's data, and seed such rows.",
            )
        call = prepare(route, samples)
        said = _judged(exam, route, call, await ask_route(exam, call, None), person)
        if route.auth == "operator" and said.verdict is Verdict.PASS and exam.can("login", "tenants.1"):
            answer = await ask_route(exam, call, person)
            return _judged(
                exam, route, call, answer, person, who=f"{person.tenant or 'a tenant'}, no operator"
            )
        return said

    # What ends an account would end the examination where it is not refused.
    routes = [route for route in exam.manifest.routes if route.auth == "session" and route.effect != "end"]
    routes += exam.manifest.operator_routes
    named = [(subject_of(route), route) for route in routes]
    return await ask_each(exam, named, ask, source=lambda route: route.source)


def _judged(
    exam: Exam,
    route: Route,
    call: Call,
    answer: Answer,
    person: Credential,
    *,
    who: str = "who is not signed in",
) -> Finding:
    subject = subject_of(route)
    evidence = (request_evidence(call, f"Asked by {who}"), answer_evidence(answer))
    shows = bool(person.marker) and person.marker.encode() in answer.body
    is_refused = is_signed_out(answer, exam) or answer.status in (403, 404)
    if shows or (answer.status in route.statuses and not is_refused):
        what = f"shows {person.tenant or 'a tenant'}'s data" if shows else f"answers {answer.status}"
        return exam.finding(
            subject,
            Verdict.FAIL,
            f"{subject} {what} to {who}",
            cause=f"It is declared to need {_NEEDED[route.auth]}, and was asked without one. Whoever has the address has the data.",
            fix="Refuse the request before anything is looked up; where a database answers browsers itself, "
            "enable row security and give its anonymous role no policy.",
            source=route.source,
            evidence=evidence,
        )
    if not is_refused:
        raise Undecided(
            f"To {who} it answered {answer.status}, which is neither a success nor a refusal.",
            fix="Answer 401, or lead to the sign-in, before anything else is looked at.",
            evidence=evidence,
        )
    return exam.finding(
        subject,
        Verdict.PASS,
        f"{subject} refuses {who}",
        source=route.source,
        evidence=evidence,
    )

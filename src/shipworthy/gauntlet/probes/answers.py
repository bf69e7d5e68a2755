"""X1: every address that can be read answers: in time, whole, of a size somebody can use, and it leads somewhere.

What other checks can only call undecided is a defect of its own: an address that hangs, ends early, says another
length than it has, answers without end, redirects for ever or with an error of the server. Each declared reading
route and the front door is asked once, and where it says a length, once more from the bare socket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.asking import is_signed_out
from shipworthy.gauntlet.call import Call, prepare, samples_of, subject_of
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, HttpSession, Unanswered
from shipworthy.gauntlet.probes.page_assets import same_origin
from shipworthy.gauntlet.probes.pages import DOOR, REDIRECTS_MAX, SITE_DOOR, origin_of
from shipworthy.gauntlet.probes.raw_answer import Lengths, lengths_of
from shipworthy.gauntlet.subjects import ask_each

ANSWER_S_MAX = 10.0  # whoever waited so long has gone; the objectives judge what is merely slow
TEXT_BYTES_MAX = 16 * 1024 * 1024  # of a page or of data: a phone's tab ends before it has read more
_REDIRECTS = (301, 302, 303, 307, 308)
_TEXT = ("html", "json", "xml", "text/")


@dataclass(frozen=True, kw_only=True)
class _Wrong:
    """What is wrong with an answer, and what to do about it."""

    what: str
    cause: str
    fix: str
    severity: Severity = Severity.HIGH
    evidence: tuple[Evidence, ...] = ()


async def sound_answers(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each reading route, and for the front door."""

    async def ask(subject: str, route: Route) -> Finding:
        person = exam.people[0] if route.auth == "session" and exam.people else None
        samples = await exam.samples_for(exam.people[0]) if exam.people and samples_of(route) else {}
        if missing := sorted(samples_of(route) - samples.keys()):
            raise Unmeasurable(
                f"No value of {', '.join(missing)} is known.", fix="Declare samples that find one."
            )
        call = prepare(route, samples)
        session = await exam.session(person) if person else exam.anonymous()
        wrong = await _wrong_on_the_way(exam, route, call, session, person)
        return _finding(exam, subject, route, call, wrong)

    return await ask_each(exam, _routes(exam), ask, source=lambda route: route.source)


def _routes(exam: Exam) -> list[tuple[str, Route]]:
    routes = {
        subject_of(route): route
        for route in exam.manifest.routes
        if route.method == "GET"
        and (route.host != "site" or exam.can("site"))
        and (route.auth == "public" or exam.can("login", "tenants.1"))
    }
    routes.setdefault("GET /", DOOR)
    if exam.can("site"):
        routes.setdefault("GET / (site)", SITE_DOOR)
    return list(routes.items())


async def _wrong_on_the_way(
    exam: Exam, route: Route, call: Call, session: HttpSession, person: Credential | None
) -> _Wrong | None:
    """Go where it leads on this host; return the first thing that is wrong.

    Errors:  Undecided for an answer that is neither what was declared nor a server's error.
    """
    base, been = origin_of(exam, call), [call.path]
    while True:
        answer = await _asked(session, call)
        if isinstance(answer, _Wrong):
            return answer
        if answer.status not in _REDIRECTS:
            _must_be_declared(exam, route, call, answer)
            return None if person else await _wrong_length(session, call, base)
        there = _led_to(urljoin(base, call.path), answer)
        if there is None or isinstance(there, _Wrong):
            return there
        if there in been or len(been) > REDIRECTS_MAX:
            return _circles([*been, there])
        been.append(there)
        call = Call(method="GET", path=there, site=call.site, headers=call.headers)


async def _asked(session: HttpSession, call: Call) -> Answer | _Wrong:
    try:
        answer = await session.get(
            call.path,
            site=call.site,
            headers=call.headers,
            timeout_s=ANSWER_S_MAX,
            body_bytes_max=TEXT_BYTES_MAX,
        )
    except Unanswered as silent:
        return _silent(str(silent))
    return _wrong_with(answer) or answer


def _led_to(asked: str, answer: Answer) -> str | _Wrong | None:
    """Return the path that a redirect leads to; None where it leads to another host."""
    try:
        there = urljoin(asked, answer.header("location"))
        is_here, parts = same_origin(there, asked), urlsplit(there)
    except ValueError:
        return _nowhere(answer)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return path if is_here else None


def _wrong_with(answer: Answer) -> _Wrong | None:
    if answer.status >= 500:
        return _Wrong(
            what=f"answers {answer.status}",
            cause=f"The server failed ({answer.status}) at an address that it offers.",
            fix="Read the app's log around this request; what a caller may send wrongly is answered 4xx.",
            evidence=(answer_evidence(answer),),
        )
    media = answer.header("content-type")
    if answer.is_cut and any(kind in media for kind in _TEXT):
        return _Wrong(
            what=f"answers more than {TEXT_BYTES_MAX // 1024**2} MB of {media.partition(';')[0]} in one go",
            cause="All of it is read and sent for every caller: a few at once take the memory of the server or of the "
            "reader.",
            fix="Give it in pages, by a key and with a bound on each.",
            severity=Severity.MEDIUM,
        )
    return None


async def _wrong_length(session: HttpSession, call: Call, base: str) -> _Wrong | None:
    try:
        seen = await lengths_of(
            base,
            call.path,
            address=session.address_of(base),
            headers=call.headers,
            timeout_s=ANSWER_S_MAX,
            bytes_max=TEXT_BYTES_MAX,
        )
    except (OSError, TimeoutError):
        return None  # it answered a moment ago; silence is judged where it is met
    return _lie(seen) if seen is not None and seen.promised != seen.received else None


def _lie(seen: Lengths) -> _Wrong:
    return _Wrong(
        what=f"says it is {seen.promised:,} bytes long and sends {seen.received:,}",
        cause="Content-Length is not the length of the body: one reader waits for what never comes, another takes the "
        "rest for the next answer on the connection, which may be somebody else's.",
        fix="Let the server count (leave Content-Length away), or set it after the body is final: after templates, "
        "encoding and compression.",
    )


def _silent(said: str) -> _Wrong:
    return _Wrong(
        what="gives no answer",
        cause=said[:1].upper() + said[1:] + ".",
        fix="Read the app's log around this request. Bound everything that is waited for (database, other services), "
        "and answer 503 when the time is over.",
    )


def _circles(been: list[str]) -> _Wrong:
    return _Wrong(
        what="redirects for ever",
        cause=f"It leads in circles: {' -> '.join(been[:8])}.",
        fix="Let one address answer itself: usually two rules (a slash, a language, a sign-in) undo each other.",
    )


def _nowhere(answer: Answer) -> _Wrong:
    return _Wrong(
        what="leads to what is no address",
        cause=f"It answers {answer.status} with Location: {answer.header('location')[:80]!r}.",
        fix="Send a whole address or a path, with everything else in it percent-encoded.",
        evidence=(answer_evidence(answer),),
    )


def _must_be_declared(exam: Exam, route: Route, call: Call, answer: Answer) -> None:
    """Errors: Undecided, Unmeasurable where what came back is not what was declared."""
    evidence = (request_evidence(call), answer_evidence(answer))
    if answer.status in (200, *route.statuses) or (route.auth == "session" and is_signed_out(answer, exam)):
        return
    if route in (DOOR, SITE_DOOR):
        raise Unmeasurable(f"Nobody declared it, and it answers {answer.status}.")
    raise Undecided(
        f"It answered {answer.status}, not {' or '.join(map(str, route.statuses))}.",
        fix="Say in expect what this route answers when all is well, or let its samples make a request that succeeds.",
        evidence=evidence,
    )


def _finding(exam: Exam, subject: str, route: Route, call: Call, wrong: _Wrong | None) -> Finding:
    if wrong is None:
        title = f"{subject} answers in time and whole"
        return exam.finding(subject, Verdict.PASS, title, severity=Severity.LOW, source=route.source)
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject} {wrong.what}",
        severity=wrong.severity,
        cause=wrong.cause,
        fix=wrong.fix,
        source=route.source,
        evidence=(request_evidence(call), *wrong.evidence),
    )

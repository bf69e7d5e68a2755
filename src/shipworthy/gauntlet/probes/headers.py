"""T1, X1: the headers that let a browser protect its user, on every page and after signing in.

Every safe route is asked as whoever may see it, with the Origin of a site that has no business
here. Pages are judged in full; what a signed-in person gets as data is judged for caching,
sniffing and cross-origin reading. The sign-in answer is judged for the cookies it sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.call import Call, prepare, samples_of, subject_of
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.evidence import request_evidence, table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, Unanswered, sign_in
from shipworthy.gauntlet.probes.header_rules import (
    FOREIGN_ORIGIN,
    Lack,
    answer_lacks,
    cache_lacks,
    cookie_lacks,
    cors_lacks,
    nonces_of,
    page_lacks,
)
from shipworthy.gauntlet.probes.pages import DOOR, SITE_DOOR, followed
from shipworthy.gauntlet.probes.wrong_passwords import login_source
from shipworthy.gauntlet.subjects import ask_each

_SHOWN = (
    "content-type",
    "content-security-policy",
    "x-frame-options",
    "x-content-type-options",
    "referrer-policy",
    "strict-transport-security",
    "cache-control",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "server",
    "x-powered-by",
)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A route's answer, the person it was meant for, and a second nonce where it has one."""

    call: Call
    answer: Answer
    person: Credential | None
    nonces_again: frozenset[str] = frozenset()

    @property
    def is_page(self) -> bool:
        return "html" in self.answer.header("content-type")


async def security_headers(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each page and each signed-in answer, and one for the sign-in's cookies."""

    async def ask(subject: str, route: Route) -> Finding:
        return _judged(exam, subject, route.source, await _seen(exam, route))

    found = await ask_each(exam, _asked_routes(exam), ask, source=lambda route: route.source)
    login = exam.manifest.login
    if login is not None and exam.people and exam.wants(login.route):
        found.append(await _cookies(exam))
    return found


def _asked_routes(exam: Exam) -> list[tuple[str, Route]]:
    routes = {
        subject_of(route): route
        for route in exam.manifest.routes
        if route.method == "GET"
        and (route.host != "site" or exam.can("site"))
        and (exam.can("login", "tenants.1") if route.auth == "session" else route.media != "file")
    }
    # Every app has a front door, declared or not.
    routes.setdefault("GET /", DOOR)
    if exam.can("site"):
        routes.setdefault("GET / (site)", SITE_DOOR)
    return list(routes.items())


async def _seen(exam: Exam, route: Route) -> _Seen:
    """Errors: Unmeasurable when it only leads elsewhere; Undecided when an error comes back."""
    person = exam.people[0] if route.auth == "session" and exam.people else None
    samples = await exam.samples_for(exam.people[0]) if exam.people and samples_of(route) else {}
    call = prepare(route, samples)
    call.headers["origin"] = FOREIGN_ORIGIN
    call, answer = await followed(exam, call, person)
    if answer.status >= 400 and route in (DOOR, SITE_DOOR):
        raise Unmeasurable(f"Nobody declared it, and it answers {answer.status}: there is no page.")
    if answer.status >= 400:
        raise Undecided(
            f"It answered {answer.status}, so the headers of its success are not known.",
            fix="Let the samples of this route make a request that succeeds.",
            evidence=(request_evidence(call),),
        )
    again: set[str] = set()
    if nonces_of(answer.header("content-security-policy")):
        _, second = await followed(exam, call, person)
        again = nonces_of(second.header("content-security-policy"))
    return _Seen(call=call, answer=answer, person=person, nonces_again=frozenset(again))


def _judged(exam: Exam, subject: str, source: str, seen: _Seen) -> Finding:
    headers, is_https = seen.answer.headers, exam.handle.base_url.startswith("https:")
    is_private = seen.person is not None
    if seen.is_page:
        lacks = page_lacks(headers, is_https=is_https, is_private=is_private)
    else:
        lacks = answer_lacks(headers, is_https=is_https)
    if is_private:
        lacks += cache_lacks(headers)
    lacks += cors_lacks(headers)
    if seen.nonces_again & nonces_of(seen.answer.header("content-security-policy")):
        lacks.append(Lack("its nonce is the same in two answers", "Make a new random nonce for each answer"))
    kind = "page" if seen.is_page else "answer"
    rows = [(name, value) for name in _SHOWN if (value := seen.answer.header(name))]
    facts: dict[str, Any] = {
        "source": source,
        "evidence": (
            request_evidence(seen.call),
            table_evidence(f"Headers of the answer ({seen.answer.status})", ("header", "value"), rows),
        ),
    }
    return _finding(
        exam, subject, lacks, f"The {kind} {subject} carries the headers that protect its reader", facts
    )


async def _cookies(exam: Exam) -> Finding:
    login = exam.manifest.login
    assert login is not None
    person = exam.people[0]
    try:
        answer = await sign_in(exam.anonymous(), login, person)
    except Unanswered as silent:
        raise Undecided(str(silent)) from silent
    if answer.status not in login.ok:
        raise Undecided(f"Signing in as {person.email} answered {answer.status}.")
    is_https = exam.handle.base_url.startswith("https:")
    cookies = answer.headers.get_list("set-cookie")
    lacks = [lack for cookie in cookies for lack in cookie_lacks(cookie, is_https=is_https)]
    rows = [(c.partition("=")[0], "; ".join(part.strip() for part in c.split(";")[1:])) for c in cookies]
    facts: dict[str, Any] = {
        "source": login_source(exam, login),
        "evidence": (table_evidence("Cookies set (values left out)", ("cookie", "attributes"), rows),),
    }
    held = "sets no cookie" if not cookies else "sets cookies that scripts and other sites cannot use"
    finding = _finding(exam, login.route, lacks, f"{login.route} {held}", facts)
    exam.tell(finding)
    return finding


def _finding(exam: Exam, subject: str, lacks: list[Lack], held: str, facts: dict[str, Any]) -> Finding:
    if not lacks:
        return exam.finding(subject, Verdict.PASS, held, severity=Severity.LOW, **facts)
    more = f" (and {len(lacks) - 1} more)" if len(lacks) > 1 else ""
    first = max(lacks, key=lambda lack: lack.is_grave)
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject}: {first.what}{more}",
        severity=Severity.HIGH if first.is_grave else Severity.MEDIUM,
        cause=_sentence("; ".join(lack.what for lack in lacks)),
        fix="\n".join(dict.fromkeys(lack.fix for lack in lacks)) + ".",
        **facts,
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."

"""P8: guessing a password must end soon, also for whoever guesses in parallel.

First many wrong passwords arrive at the same moment: a throttle that reads its counter before
the others have written it lets them all through. Then one follows the other until the app says
"too many" or the promised number is over. At last the right password is tried where a wrong one
was just refused: a throttle that lets it pass stops nobody, since a guess is either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.manifest import Login
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, HttpSession
from shipworthy.gauntlet.probes.wrong_passwords import (
    is_judged,
    is_throttled,
    login_call,
    login_source,
    statuses_evidence,
    try_at_once,
    try_one,
    wrong_for,
)

AT_ONCE = 30
# A throttle that refills may let the right password in by chance; three times in a row it does not.
RIGHT_TRIES = 3


@dataclass
class _Seen:
    """What the tries brought. `throttled` is the first answer in the row that said "too many"."""

    at_once: list[Answer | None] = field(default_factory=list)
    in_a_row: list[Answer] = field(default_factory=list)
    throttled: Answer | None = None

    def judged_at_once(self, login: Login) -> int:
        return sum(is_judged(answer, login) for answer in self.at_once)

    def judged(self, login: Login) -> int:
        return self.judged_at_once(login) + sum(is_judged(answer, login) for answer in self.in_a_row)


async def login_throttle(exam: Exam) -> Sequence[Finding]:
    """Return one finding about the login route. The last tenant's person is locked out afterwards."""
    login = exam.manifest.login
    assert login is not None, "the check needs the capability 'login'"
    if not exam.wants(login.route):
        return []
    for person in exam.people:  # what runs after this must not need to sign in from this address
        await exam.session(person)
    victim, session = exam.people[-1], exam.anonymous()
    seen = _Seen(at_once=await try_at_once(session, login, victim, times=AT_ONCE))
    while seen.throttled is None and len(seen.in_a_row) < login.attempts_max:
        answer = await try_one(session, login, wrong_for(victim))
        seen.in_a_row.append(answer)
        seen.throttled = answer if is_throttled(answer, login) else None
    return [await _judged(exam, login, victim, session, seen)]


async def _judged(exam: Exam, login: Login, victim: Credential, session: HttpSession, seen: _Seen) -> Finding:
    facts = _facts(exam, login, victim, seen)
    if not seen.judged(login) and seen.throttled is None:
        raise Undecided(
            "No try was answered with a refusal: the app was busy all the time.",
            evidence=facts["evidence"],
        )
    if seen.throttled is None:
        if await _is_let_in(exam, login, victim):
            return _never(exam, login, seen, facts)
        return exam.finding(
            login.route,
            Verdict.PASS,
            f"{login.route} refuses even the right password after {seen.judged(login)} wrong ones",
            cause="It does not say that it throttles; guessing on is useless all the same.",
            **facts,
        )
    if seen.judged_at_once(login) > login.attempts_max:
        return _overrun(exam, login, seen, facts)
    if await _right_one_passes(exam, login, victim, session):
        return _cosmetic(exam, login, facts)
    return exam.finding(
        login.route,
        Verdict.PASS,
        f"{login.route} turns tries away after {seen.judged(login)} wrong passwords, though {AT_ONCE} came at once",
        **facts,
    )


def _facts(exam: Exam, login: Login, victim: Credential, seen: _Seen) -> dict[str, Any]:
    last = seen.throttled or seen.in_a_row[-1]
    return {
        "source": login_source(exam, login),
        "measures": (
            Measure(
                name="wrong passwords compared",
                unit="tries",
                estimate=seen.judged(login),
                bound=login.attempts_max,
                samples=len(seen.at_once) + len(seen.in_a_row),
            ),
            Measure(
                name=f"of {AT_ONCE} at once",
                unit="tries",
                estimate=seen.judged_at_once(login),
                bound=login.attempts_max,
            ),
        ),
        "evidence": (
            request_evidence(login_call(login, victim), "Tried, each time with another wrong password"),
            statuses_evidence(f"{AT_ONCE} at once", seen.at_once),
            statuses_evidence("Then one after the other", seen.in_a_row),
            answer_evidence(last, "The last answer"),
        ),
    }


async def _is_let_in(exam: Exam, login: Login, victim: Credential) -> bool:
    """Say whether the right password signs in now, from a browser the app has never seen."""
    return (await try_one(exam.anonymous(), login, victim)).status in login.ok


async def _right_one_passes(exam: Exam, login: Login, victim: Credential, session: HttpSession) -> bool:
    """Say whether the right password passes every time a wrong one was refused just before."""
    for _ in range(RIGHT_TRIES):
        if not is_throttled(await try_one(session, login, wrong_for(victim)), login):
            return False
        if not await _is_let_in(exam, login, victim):
            return False
    return True


def _never(exam: Exam, login: Login, seen: _Seen, facts: dict[str, Any]) -> Finding:
    tries = seen.judged(login)
    return exam.finding(
        login.route,
        Verdict.FAIL,
        f"{login.route} compares every password it is given: {tries} wrong ones, and none was turned away",
        cause=f"After {tries} wrong passwords for one account the next one is still compared, and the right one "
        f"signs in. No answer was {' or '.join(map(str, login.throttled))} or told to wait (Retry-After).",
        fix="Count each try for the account before its password is compared, in one statement, and answer 429 "
        f"with Retry-After once the budget (at most {login.attempts_max}) is used up.",
        **facts,
    )


def _overrun(exam: Exam, login: Login, seen: _Seen, facts: dict[str, Any]) -> Finding:
    judged = seen.judged_at_once(login)
    return exam.finding(
        login.route,
        Verdict.FAIL,
        f"{login.route} compares {judged} wrong passwords when they come at once",
        cause=f"One after the other they are throttled, but of {AT_ONCE} at the same moment {judged} were compared, "
        f"where {login.attempts_max} are allowed: each read the counter before the others had written it.",
        fix="Count the try first, in the statement that also reads the counter "
        "(insert … on conflict do update … returning), then compare the password.",
        **facts,
    )


def _cosmetic(exam: Exam, login: Login, facts: dict[str, Any]) -> Finding:
    return exam.finding(
        login.route,
        Verdict.FAIL,
        f"{login.route} throttles wrong passwords only: the right one signs in all the same",
        cause=f"{RIGHT_TRIES} times a wrong password was refused as one too many, and the right one right after it "
        "signed in. Whoever guesses on will find it.",
        fix="Turn the try away before the password is compared, whatever it is.",
        **facts,
    )

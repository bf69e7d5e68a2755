"""P8: the door must not tell who lives here.

A wrong password for an address that exists and one for an address that nobody has must get the
same answer: status, text and where it leads; so must asking for a new password, where the target
says how. How long either takes is not judged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.manifest import Login
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer
from shipworthy.gauntlet.probes.wrong_passwords import (
    is_judged,
    login_call,
    login_source,
    nobody_like,
    said,
    try_one,
    wrong_for,
)
from shipworthy.gauntlet.subjects import ask_each

_Said = tuple[int, str, str]


async def no_enumeration(exam: Exam) -> Sequence[Finding]:
    """Return one finding about the login route, and one about the way to a new password where it is declared.

    Costs the last tenant's person one or two tries, and as many mails.
    """
    login = exam.manifest.login
    assert login is not None, "the check needs the capability 'login'"
    doors = [(door.route, door) for door in (login, *_reset(login))]

    async def ask(_name: str, door: Login) -> Finding:
        return await _compared(exam, door)

    return await ask_each(exam, doors, ask, source=lambda door: login_source(exam, door))


def _reset(login: Login) -> tuple[Login, ...]:
    """Return the request for a new password, as a door like the other: it names somebody, and is answered."""
    if not login.reset:
        return ()
    return (replace(login, route=login.reset, form=login.reset_form, page=login.reset_page),)


async def _compared(exam: Exam, login: Login) -> Finding:
    known = wrong_for(exam.people[-1])
    nobody = nobody_like(known)
    for_known, for_nobody = await _asked(exam, login, known), await _asked(exam, login, nobody)
    if said(for_known, known) == said(for_nobody, nobody):
        return _same(exam, login)
    again = await _asked(exam, login, known)
    if said(again, known) != said(for_known, known):
        raise Undecided(
            "Two tries for the same address get different answers, so they cannot be compared with "
            "that for another address.",
            evidence=(answer_evidence(for_known, "The first"), answer_evidence(again, "The second")),
        )
    return _tells(exam, login, nobody, for_known, for_nobody)


async def _asked(exam: Exam, login: Login, person: Credential) -> Answer:
    """Errors: Undecided when the try was turned away before the password was compared."""
    answer = await try_one(exam.anonymous(), login, person)
    if not is_judged(answer, login):
        raise Undecided(
            f"A try was answered {answer.status} instead of a refusal, so it says nothing about the address.",
            fix="Run it alone, on an instance where nobody was locked out: "
            "shipworthy gauntlet --only auth.no_enumeration",
            evidence=(answer_evidence(answer),),
        )
    return answer


def _same(exam: Exam, login: Login) -> Finding:
    return exam.finding(
        login.route,
        Verdict.PASS,
        f"{login.route} answers an address nobody has like one that somebody has",
        source=login_source(exam, login),
        measures=(Measure(name="answers that differ", unit="answers", estimate=0, bound=0, samples=2),),
    )


def _tells(exam: Exam, login: Login, nobody: Credential, for_known: Answer, for_nobody: Answer) -> Finding:
    differs = "status" if for_known.status != for_nobody.status else "text"
    return exam.finding(
        login.route,
        Verdict.FAIL,
        f"{login.route} tells whether an address has an account",
        cause=f"The {differs} of the answer differs: {for_known.status} ({len(for_known.body):,} bytes) for an "
        f"address that exists, {for_nobody.status} ({len(for_nobody.body):,} bytes) for one that nobody has.",
        fix="Answer both from the same place, with the same words, after the same work.",
        source=login_source(exam, login),
        evidence=(
            request_evidence(login_call(login, nobody), "Asked for an address that nobody has"),
            answer_evidence(for_nobody, "Answered for nobody"),
            answer_evidence(for_known, "Answered for an address that exists"),
        ),
    )

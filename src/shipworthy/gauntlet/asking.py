"""Sending a prepared call as somebody, signing in again when the session was ended meanwhile."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.contract.target import Credential
from shipworthy.gauntlet.call import Call
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, HttpSession, Unanswered

PRECONDITION_NEEDED = 428  # RFC 6585: the app will not change what the caller has not seen
_UNKNOWN_VERSION = '"0"'  # for what cannot be read: a neighbour's thing, or one that nobody has
_SIGNED_OUT = (401,)
_REDIRECTS = (302, 303, 307)


async def ask_route(exam: Exam, call: Call, person: Credential | None, *, timeout_s: float = 10.0) -> Answer:
    """Send a call in a person's shared session (None: not signed in) and return the answer.

    An earlier request may have ended the session (sign-out, revocation): then the person signs
    in once more and the call is sent again. A call that needs a precondition gets one.
    Errors:  Undecided when there is no answer, or when signing in is refused.
    """
    try:
        if person is None:
            return await call.send(exam.anonymous(), timeout_s=timeout_s)
        answer = await call.send(await exam.session(person), timeout_s=timeout_s)
        if is_signed_out(answer, exam):
            exam.forget_session(person)
            answer = await call.send(await exam.session(person), timeout_s=timeout_s)
        if answer.status == PRECONDITION_NEEDED:
            session = await exam.session(person)
            answer = await (await conditional(session, call)).send(session, timeout_s=timeout_s)
        return answer
    except Unanswered as silent:
        raise Undecided(str(silent), fix="Read the app's log around this request.") from silent


async def conditional(session: HttpSession, call: Call) -> Call:
    """Return the call with the If-Match that reading the same address first gives (RFC 9110).

    Errors:  Unanswered.
    """
    read = await session.get(call.path, site=call.site)
    version = read.header("etag") or _UNKNOWN_VERSION
    return replace(call, headers={**call.headers, "if-match": version})


def is_signed_out(answer: Answer, exam: Exam) -> bool:
    """Say whether an answer means that its caller is not signed in."""
    if answer.status in _SIGNED_OUT:
        return True
    login = exam.manifest.login
    path = login.route.partition(" ")[2] if login else ""
    return bool(path) and answer.status in _REDIRECTS and answer.header("location").startswith(path)

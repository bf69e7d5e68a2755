"""Trying to sign in with what is wrong, and reading what the answer means."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from shipworthy.contract.finding import Evidence
from shipworthy.contract.manifest import Login
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.call import Call, subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, HttpSession, Unanswered, sign_in

# What differs between two answers that say the same: ids, tokens, nonces, and the echoed address.
_TOKEN = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[A-Za-z0-9_+/=-]{20,}")
_WORDS = "a wrong password of the gauntlet"


def wrong_for(person: Credential) -> Credential:
    """Return the person with a password that is certainly not theirs, another one each time."""
    return replace(person, password=f"{_WORDS} {secrets.token_hex(6)}")


def nobody_like(person: Credential) -> Credential:
    """Return an address at the same host that nobody has, with a wrong password."""
    host = person.email.rpartition("@")[2]
    return replace(wrong_for(person), email=f"nobody-{secrets.token_hex(6)}@{host}")


async def try_one(session: HttpSession, login: Login, person: Credential) -> Answer:
    """Try to sign in. Errors: Undecided when no answer comes."""
    try:
        return await sign_in(session, login, person)
    except Unanswered as silent:
        raise Undecided(str(silent), fix="Read the app's log around this request.") from silent


async def try_at_once(
    session: HttpSession, login: Login, person: Credential, *, times: int
) -> list[Answer | None]:
    """Try so many wrong passwords of a person at the same moment; None where no answer came."""

    async def one() -> Answer | None:
        try:
            return await sign_in(session, login, wrong_for(person))
        except Unanswered:
            return None

    return await asyncio.gather(*(one() for _ in range(times)))


def is_throttled(answer: Answer, login: Login) -> bool:
    """Say whether an answer means: too many tries, come back later."""
    # With a server error Retry-After means that the app is busy, which keeps nobody from guessing.
    told_to_wait = bool(answer.header("retry-after")) and 400 <= answer.status < 500
    return answer.status in login.throttled or told_to_wait


def is_judged(answer: Answer | None, login: Login) -> bool:
    """Say whether the password was compared: the guess was not turned away before."""
    return answer is not None and answer.status < 500 and not is_throttled(answer, login)


def said(answer: Answer, asked_as: Credential) -> tuple[int, str, str]:
    """Return what an answer tells whoever asked, without what differs from one answer to the next."""

    def masked(text: str) -> str:
        for address in (asked_as.email, asked_as.email.replace("@", "%40")):
            text = text.replace(address, "ADDRESS")
        return _TOKEN.sub("TOKEN", text)

    return answer.status, masked(answer.text), masked(answer.header("location"))


def login_source(exam: Exam, login: Login) -> str:
    """Return where the login route is written, when the manifest says so."""
    return next((route.source for route in exam.manifest.routes if subject_of(route) == login.route), "")


def login_call(login: Login, person: Credential) -> Call:
    """Return the request as evidence shows it. Never with a real password."""
    method, _, path = login.route.partition(" ")
    body = {name: value.replace("{email}", person.email) for name, value in login.form.items()}
    return Call(method=method, path=path, json_body=body)


def statuses_evidence(title: str, answers: Iterable[Answer | None]) -> Evidence:
    """Show how often each status was answered."""
    counts = Counter("no answer" if answer is None else str(answer.status) for answer in answers)
    return table_evidence(title, ("status", "answers"), sorted(counts.items()))

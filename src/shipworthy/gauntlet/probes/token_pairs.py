"""Pairs of tokens as a program gets them: issued, refreshed, looked into. Values never reach evidence."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipworthy.contract.manifest import Tokens
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, HttpSession, Unanswered


@dataclass(frozen=True)
class Pair:
    """A pair as it came. `at_s` is when it was asked for (Unix time), `expires_in` what was told."""

    access: str
    refresh: str
    expires_in: float | None
    at_s: float

    def __repr__(self) -> str:
        return "Pair(…)"  # a crash must not write tokens into a report


class TokenClient:
    """A program that gets and refreshes tokens for one person."""

    def __init__(self, exam: Exam, tokens: Tokens, person: Credential) -> None:
        self._exam, self.tokens, self._person = exam, tokens, person

    async def issue(self) -> Pair:
        """Return a new pair. Errors: Undecided when none is given."""
        tokens, person = self.tokens, self._person
        session = await self._exam.fresh_session(person) if tokens.session else self._exam.anonymous()
        known = {"{email}": person.email, "{password}": person.password}
        at_s = time.time()
        answer = await self._send(session, tokens.issue, _filled(tokens.form, known))
        if answer is None or answer.status not in tokens.ok:
            said = answer.status if answer else "nothing"
            raise Undecided(
                f"{tokens.issue} answered {said}, not {' or '.join(map(str, tokens.ok))}, so there is no pair to refresh.",
                fix="Correct issue, form and media in [tokens].",
            )
        return self._pair(answer, at_s)

    async def refresh(self, pair: Pair) -> tuple[Answer | None, Pair | None]:
        """Refresh a pair; return the answer (None when none came) and the new pair where one was given."""
        tokens, at_s = self.tokens, time.time()
        form = _filled(tokens.refresh_form, {"{refresh_token}": pair.refresh})
        answer = await self._send(self._exam.anonymous(), tokens.refresh, form)
        if answer is None or answer.status not in tokens.ok:
            return answer, None
        return answer, self._pair(answer, at_s, before=pair)

    async def opens(self, pair: Pair) -> int | None:
        """Return what the guarded route answers to the access token; None where none is declared."""
        if self.tokens.opens is None:
            return None
        method, _, path = self.tokens.opens.partition(" ")
        session = self._exam.anonymous()
        session.bearer = pair.access
        try:
            return (await session.request(method, path)).status
        except Unanswered as silent:
            raise Undecided(str(silent)) from silent

    async def _send(self, session: HttpSession, route: str, form: dict[str, str]) -> Answer | None:
        method, _, path = route.partition(" ")
        sent: dict[str, Any] = {"json_body": form} if self.tokens.media == "json" else {"form": form}
        try:
            return await session.request(method, path, **sent)
        except Unanswered:
            return None

    def _pair(self, answer: Answer, at_s: float, *, before: Pair | None = None) -> Pair:
        """Errors: Undecided when the answer holds no access token, or the first one no refresh token."""
        document, tokens = answer.json, self.tokens
        access, refresh = _at(document, tokens.access), _at(document, tokens.refreshed)
        if refresh is None and before is not None:
            refresh = before.refresh  # RFC 6749, 6: no new one means that the old one stays
        if not isinstance(access, str) or not isinstance(refresh, str):
            missing = tokens.refreshed if isinstance(access, str) else tokens.access
            raise Undecided(
                f"The answer (status {answer.status}) holds no {missing}.",
                fix="Correct the field names in [tokens].",
            )
        told = _at(document, tokens.expires_in)
        return Pair(access, refresh, float(told) if isinstance(told, (int, float)) else None, at_s)


def claims_of(token: str) -> dict[str, Any] | None:
    """Return what a JWT says, unverified; None for a token that is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None


def _filled(form: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    filled = dict(form)
    for placeholder, value in known.items():
        filled = {name: text.replace(placeholder, value) for name, text in filled.items()}
    return filled


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document

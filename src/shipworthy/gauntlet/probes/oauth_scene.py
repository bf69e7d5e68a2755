"""What every case of the sign-in contract needs: a sign-in under a fault, and proof that a good one works.

A refusal counts only beside a sign-in that succeeds: an app that lets nobody in refuses
everything.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.manifest import OauthClient
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Mode, Undecided
from shipworthy.gauntlet.evidence import answer_evidence, clipped
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, Unanswered
from shipworthy.gauntlet.idp.stub import Stub
from shipworthy.gauntlet.probes.oauth_browser import Arrival, LostOnTheWay, browser

# A circuit breaker or a pause between two readings of the keys may hold good sign-ins up; a
# minute is twice what the careful ones take (30 s).
RECOVERY_S = 60.0
_RETRY_S = 0.5
# The last frames of an uncaught error in the usual languages.
_TRACES = ("Traceback (most recent call last)", "\n    at ", "goroutine 1 [", ".rb:in `", "Stack trace:")
_GATEWAY = (502, 503, 504)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing a sound app does. `what` completes "... is refused"; `fix` says how to get there."""

    name: str
    what: str
    fix: str
    severity: Severity = Severity.HIGH
    conduct: dict[str, Any] | None = None
    modes: tuple[Mode, ...] = ("quick", "full")


class Scene:
    """One declared sign-in of the examined app, with the stub in the provider's place."""

    def __init__(self, exam: Exam, oauth: OauthClient, stub: Stub) -> None:
        self.exam, self.oauth, self.stub = exam, oauth, stub
        self._is_lost = False  # the last try to sign in well failed to the end: the next is short

    async def attempt(self, *, late: bool = False, **conduct: Any) -> Arrival:
        """Sign in with a new browser while the stub behaves like this; then it is good again.

        With `late` it behaves so only when the browser is on its way back: what fails then is
        what the app's server asks for, not what the browser visits.
        Errors:  Undecided when the browser does not get back to the app.
        """
        try:
            await self.stub.behave(**({} if late else conduct))
            async with browser(self.exam, self.oauth, self.stub) as person:
                callback = await person.consent(await person.begin())
                await self.stub.behave(**conduct)
                arrival = await person.come_back(callback)
        except (LostOnTheWay, Unanswered) as lost:
            raise Undecided(f"The sign-in did not get back to the app. {lost}", evidence=_of(lost)) from lost
        finally:
            await self.stub.behave()
        if arrival.answer is not None and arrival.answer.status == 429:
            raise Undecided(
                "The app turned the sign-in away as one too many (429).",
                fix="Give the examined instance a limit that lets a hundred sign-ins a minute through.",
                evidence=(answer_evidence(arrival.answer),),
            )
        return arrival

    async def asked(self) -> dict[str, str]:
        """Return what the app asks the provider for when a browser begins.

        Errors:  Undecided when it sends the browser anywhere else.
        """
        try:
            async with browser(self.exam, self.oauth, self.stub) as person:
                location = await person.begin()
        except (LostOnTheWay, Unanswered) as lost:
            raise Undecided(str(lost), evidence=_of(lost)) from lost
        return dict(parse_qsl(urlsplit(location).query))

    async def recovered(self, *, within_s: float | None = None, **conduct: Any) -> tuple[Arrival, int]:
        """Sign in until it works, for RECOVERY_S at most; return the arrival and how many did not before.

        Errors:  Undecided when none does within `within_s`, with the last one as evidence.
        """
        allowed_s = RECOVERY_S if within_s is None else within_s
        deadline = time.monotonic() + (0 if self._is_lost else allowed_s)
        failed = 0
        while True:
            arrival = await self.attempt(**conduct)
            if arrival.is_signed_in:
                self._is_lost = False
                return arrival, failed
            failed += 1
            if time.monotonic() >= deadline:
                self._is_lost = True
                raise Undecided(
                    f"No good sign-in works within {allowed_s:g} s, so a refusal tells nothing.",
                    fix=f"See the finding {self.oauth.name}.good first.",
                    evidence=evidence_of(arrival),
                )
            await asyncio.sleep(_RETRY_S)

    def finding(self, case: Case, verdict: Verdict, title: str, **facts: Any) -> Finding:
        """Return a finding about this case; one that is not a PASS carries the case's fix."""
        known: dict[str, Any] = {"severity": case.severity, "source": self.oauth.start}
        if verdict is not Verdict.PASS:
            known["fix"] = case.fix
        return self.exam.finding(self.subject(case), verdict, title, **{**known, **facts})

    def subject(self, case: Case) -> str:
        return f"{self.oauth.name}.{case.name}"

    def token_evidence(self) -> tuple[Evidence, ...]:
        """The last ID token the stub gave out, as header and claims."""
        token = self.stub.last_id_token
        if not token:
            return ()
        header, claims, _ = token.split(".")
        text = "\n".join(json.dumps(_part(part), indent=2) for part in (header, claims))
        return (Evidence(kind="text", title="The ID token (header, claims)", text=clipped(text)),)


def uncleanness(answer: Answer | None, silence: str = "") -> str:
    """Return what is wrong with how the app said no; empty when it said it well.

    Well is a page, a redirect, a refusal, or a gateway's error; not silence, and not a crash.
    """
    if answer is None:
        return f"The app did not answer: {silence}."
    if answer.status >= 500 and answer.status not in _GATEWAY:
        return f"The app crashed: it answered {answer.status}."
    if any(trace in answer.text for trace in _TRACES):
        return "The app showed the frames of its error to the person."
    return ""


def evidence_of(arrival: Arrival) -> tuple[Evidence, ...]:
    """What the browser brought back, what the app said, and what a session is shown by."""
    said = (
        answer_evidence(arrival.answer, "The app's answer")
        if arrival.answer
        else Evidence(kind="text", title="The app's answer", text=arrival.silence)
    )
    return (
        Evidence(kind="request", title="The browser came back with", text=f"GET {clipped(arrival.callback)}"),
        said,
        answer_evidence(arrival.proof, "Then the route that proves a session"),
    )


def _of(lost: Exception) -> tuple[Evidence, ...]:
    return (answer_evidence(lost.answer, "Where it stopped"),) if isinstance(lost, LostOnTheWay) else ()


def _part(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))

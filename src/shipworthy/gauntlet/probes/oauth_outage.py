"""The provider is late, gone, or talks nonsense: the app says so in time, and works again afterwards.

The fault begins when the browser is on its way back, so it hits what the app's own server asks
for: the token, and whatever else it has not kept.
"""

from __future__ import annotations

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence
from shipworthy.gauntlet.http import Unanswered
from shipworthy.gauntlet.probes.oauth_browser import LostOnTheWay, browser
from shipworthy.gauntlet.probes.oauth_scene import Case, Scene, evidence_of, uncleanness

_CLEAN = (
    "Give every request to the provider a timeout of a few seconds and a limit on its size, follow no redirect, "
    "and answer a failure with a page that says that the provider cannot be reached."
)


def _outage(name: str, what: str, **conduct: object) -> Case:
    return Case(name=name, what=what, fix=_CLEAN, severity=Severity.MEDIUM, conduct=dict(conduct))


OUTAGES = (
    _outage("slow", "a provider that answers after 30 s", wire="slow", delay_s=30.0),
    _outage("refused", "a provider that is not there", wire="refused"),
    _outage("unavailable", "a provider that answers 503", wire="unavailable"),
    _outage("not_json", "a provider that answers with a web page", wire="not_json"),
    _outage("truncated", "a provider that hangs up in the middle", wire="truncated"),
    _outage("huge", "a provider that answers 10 MB", wire="huge"),
    _outage("redirect_loop", "a provider that redirects in circles", wire="redirect_loop"),
)
AT_START = _outage("down_at_start", "a provider that is not there when the sign-in begins")


async def survived(scene: Scene, case: Case) -> Finding:
    """Return whether the app says in time that it cannot sign anybody in, and can afterwards."""
    assert case.conduct is not None
    arrival = await scene.attempt(late=True, **case.conduct)
    evidence = evidence_of(arrival)
    if arrival.is_signed_in:
        raise Undecided(
            f"Somebody was signed in all the same: {case.what} was not noticed.", evidence=evidence
        )
    wrong = uncleanness(arrival.answer, arrival.silence)
    if not wrong:
        wrong = await _not_recovered(scene)
    if wrong:
        title = f"{_capital(case.what)} takes the sign-in down badly"
        return scene.finding(case, Verdict.FAIL, title, cause=wrong, evidence=evidence)
    title = f"{_capital(case.what)} is told to the person, and sign-ins work again afterwards"
    return scene.finding(case, Verdict.PASS, title, evidence=evidence)


async def survived_at_start(scene: Scene, case: Case) -> Finding:
    """Return whether beginning a sign-in is answered in time while the provider is not there."""
    evidence: tuple[Evidence, ...] = ()
    wrong = ""
    await scene.stub.behave(wire="refused")
    try:
        async with browser(scene.exam, scene.oauth, scene.stub) as person:
            await person.begin()  # sent on with what the app had kept: as good as an answer
    except LostOnTheWay as told:
        wrong = uncleanness(told.answer)
        evidence = (answer_evidence(told.answer, f"{scene.oauth.start} while the provider was down"),)
    except Unanswered as silent:
        wrong = f"{silent}."
    finally:
        await scene.stub.behave()
    wrong = wrong or await _not_recovered(scene)
    if wrong:
        title = "A provider that is down leaves the person without an answer"
        return scene.finding(case, Verdict.FAIL, title, cause=wrong, evidence=evidence)
    title = "A sign-in that begins while the provider is down is answered in time"
    return scene.finding(case, Verdict.PASS, title, evidence=evidence)


async def _not_recovered(scene: Scene) -> str:
    """Return why sign-ins do not work after the outage; empty when they do."""
    try:
        await scene.recovered()
    except Undecided as undecided:
        return f"Afterwards, with the provider well again: {undecided.why}"
    return ""


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]

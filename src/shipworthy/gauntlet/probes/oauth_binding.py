"""That a good sign-in works, what the app asks the provider for, and that it is one browser's affair.

An answer of the provider that a stranger can bring to somebody else's browser signs the victim
in to the stranger's account (login CSRF): what the victim then types in belongs to the stranger.
"""

from __future__ import annotations

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence
from shipworthy.gauntlet.http import Unanswered
from shipworthy.gauntlet.probes.oauth_browser import LostOnTheWay, browser
from shipworthy.gauntlet.probes.oauth_scene import Case, Scene, evidence_of

STATE_CHARS_MIN = 16  # 96 random bits in base64; RFC 6749 10.10 asks for 128 or nearly so

GOOD = Case(
    name="good",
    what="a good sign-in",
    fix="Follow the evidence: the last address the browser reached, and the app's log at that moment.",
    severity=Severity.CRITICAL,
)
REQUEST = Case(
    name="request",
    what="the request to the provider",
    fix="Send a fresh random state and an S256 code_challenge with every sign-in, and keep both with the browser.",
)
STATE_BOUND = Case(
    name="state_bound",
    what="an answer that was meant for another browser",
    fix="Keep state (or its digest) in a cookie of the browser that began, and refuse a way back without it.",
    severity=Severity.CRITICAL,
)


async def good(scene: Scene, case: Case) -> Finding:
    """Return whether a person gets in who was out before."""
    async with browser(scene.exam, scene.oauth, scene.stub) as person:
        before = await person.proof()
    if 200 <= before.status < 300:
        raise Undecided(
            f"{scene.oauth.session} answers {before.status} to somebody who is not signed in.",
            fix="Let oauth.session name a route that succeeds only with a session.",
            evidence=(answer_evidence(before),),
        )
    try:
        arrival, _ = await scene.recovered(within_s=0)
    except Undecided as undecided:
        title = "A good sign-in does not work"
        return scene.finding(case, Verdict.FAIL, title, cause=undecided.why, evidence=undecided.evidence)
    return scene.finding(case, Verdict.PASS, "A good sign-in works", evidence=evidence_of(arrival))


async def request(scene: Scene, case: Case) -> Finding:
    """Return whether what the app asks the provider for cannot be guessed, replayed or intercepted."""
    first, second = await scene.asked(), await scene.asked()
    wrong = []
    if first.get("code_challenge_method") != "S256":
        wrong.append("no PKCE with S256: a code that leaks is enough to sign in")
    if len(first.get("state", "")) < STATE_CHARS_MIN:
        wrong.append(f"state is {first.get('state', '')!r}: it can be guessed")
    for name in ("state", "nonce", "code_challenge"):
        if name in first and first[name] == second.get(name):
            wrong.append(f"{name} is the same for two sign-ins")
    text = "\n".join(f"{name} = {value}" for name, value in first.items())
    evidence = (Evidence(kind="request", title="Asked of the provider", text=text),)
    if wrong:
        title = "What the app asks the provider for does not protect the sign-in"
        return scene.finding(case, Verdict.FAIL, title, cause=". ".join(wrong) + ".", evidence=evidence)
    title = "Every sign-in has a state and a PKCE challenge of its own"
    return scene.finding(case, Verdict.PASS, title, evidence=evidence)


async def state_bound(scene: Scene, case: Case) -> Finding:
    """Return whether the attacker's answer is refused in a browser that is not the attacker's.

    Asked twice: of a browser that knows the app not at all, and of one in the middle of a
    sign-in of its own, for which any valid state might do.
    """
    for has_begun in (False, True):
        try:
            async with (
                browser(scene.exam, scene.oauth, scene.stub) as attacker,
                browser(scene.exam, scene.oauth, scene.stub) as victim,
            ):
                callback = await attacker.consent(await attacker.begin())
                if has_begun:
                    await victim.begin()
                arrival = await victim.come_back(callback)
        except (LostOnTheWay, Unanswered) as lost:
            raise Undecided(f"The sign-in did not get back to the app. {lost}") from lost
        if arrival.is_signed_in:
            whose = "that has begun a sign-in of its own" if has_begun else "that knows nothing of it"
            return scene.finding(
                case,
                Verdict.FAIL,
                "An answer meant for the attacker's browser signs the victim's in",
                cause=f"Code and state of one browser's sign-in were brought to another {whose}, "
                "and it is signed in as the attacker now.",
                evidence=evidence_of(arrival),
            )
    await scene.recovered()
    title = "An answer meant for another browser is refused"
    return scene.finding(case, Verdict.PASS, title, evidence=evidence_of(arrival))

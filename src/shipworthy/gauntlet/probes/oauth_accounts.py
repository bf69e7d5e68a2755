"""Whose account it is: an address the provider tells is not a key to an account of the app.

Addresses change hands, and some providers tell whatever a person typed in (the "nOAuth" class).
The account is (iss, sub); a local account is linked only after it was proven to be the person's.
"""

from __future__ import annotations

from typing import Any

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence
from shipworthy.gauntlet.http import Answer
from shipworthy.gauntlet.probes.oauth_scene import Case, Scene, evidence_of

_LINK = (
    "Find the account by (iss, sub) only. Where the address belongs to an account here, ask for its password "
    "or a code sent to the address before linking the two."
)
TAKEOVERS = (
    Case(
        name="email_unverified",
        what="the address of an account here that the provider has not verified",
        fix=_LINK,
        severity=Severity.CRITICAL,
        conduct={"email_verified": "false"},
    ),
    Case(
        name="email_unsaid",
        what="the address of an account here of which the provider does not say whether it is verified",
        fix=_LINK,
        severity=Severity.CRITICAL,
        conduct={"email_verified": "unsaid"},
    ),
    Case(
        name="email_of_another",
        what="the address of an account here that the provider says is verified",
        fix=_LINK,
        conduct={"email_verified": "true"},
    ),
)
FOREIGN = Case(
    name="foreign_userinfo",
    what="userinfo about somebody else than the ID token",
    fix="Compare the sub of userinfo with the ID token's, and refuse when they differ (OpenID Core 5.3.2).",
)


async def no_takeover(scene: Scene, case: Case) -> Finding:
    """Return whether a stranger at the provider gets into a local account by its address."""
    assert case.conduct is not None
    if not scene.exam.can("login", "tenants.1"):
        return scene.finding(
            case,
            Verdict.NOT_MEASURED,
            f"{case.what[0].upper()}{case.what[1:]}: not measured",
            cause="No account with a password is known, so none could be taken over.",
            fix="Add [login] and a [[credential]] to gauntlet.toml.",
        )
    victim = scene.exam.people[0]
    method, _, path = scene.oauth.session.partition(" ")
    own = await (await scene.exam.session(victim)).request(method, path)
    account = _account(scene, own, victim.email)
    if not account:
        raise _nameless(scene, own, "the address of whoever is signed in")
    # Another stranger for each case: what one linked must not be found by the next.
    stranger = scene.stub.people[-1 - TAKEOVERS.index(case)]
    arrival = await scene.attempt(email=victim.email, person=stranger.sub, **case.conduct)
    evidence = (*evidence_of(arrival), answer_evidence(own, "The same route for the account's owner"))
    if arrival.is_signed_in and _account(scene, arrival.proof, victim.email) == account:
        return scene.finding(
            case,
            Verdict.FAIL,
            f"Whoever tells {case.what} gets into it",
            cause="A stranger at the provider, under a sub the app has never seen, is signed in to "
            f"the account of {victim.email} without having proven anything to its owner's app.",
            evidence=evidence,
        )
    await scene.recovered()
    title = f"Telling {case.what} does not open it"
    return scene.finding(case, Verdict.PASS, title, evidence=evidence)


async def same_person(scene: Scene, case: Case) -> Finding:
    """Return whether the app notices that userinfo speaks of somebody else."""
    before = scene.stub.counts.get("userinfo", 0)
    arrival = await scene.attempt(foreign_userinfo=True)
    evidence = evidence_of(arrival)
    if scene.stub.counts.get("userinfo", 0) == before:
        await scene.recovered()
        title = "The app does not ask userinfo, so nothing foreign can come from it"
        return scene.finding(case, Verdict.PASS, title, evidence=evidence)
    if arrival.is_signed_in:
        title = "Userinfo about somebody else is taken for the person who signs in"
        return scene.finding(case, Verdict.FAIL, title, cause="The two subs differ.", evidence=evidence)
    await scene.recovered()
    return scene.finding(case, Verdict.PASS, "Userinfo about somebody else is refused", evidence=evidence)


def _account(scene: Scene, answer: Answer, email: str) -> Any:
    """Return what names the account in the answer of the session route.

    Without `identity` it is whether the address stands there.
    """
    if not scene.oauth.identity:
        return email.lower() in answer.text.lower()
    found: Any = answer.json
    for name in scene.oauth.identity.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    if found is None:
        raise _nameless(scene, answer, repr(scene.oauth.identity))
    return found


def _nameless(scene: Scene, answer: Answer, missing: str) -> Undecided:
    return Undecided(
        f"{scene.oauth.session} does not say {missing}, so accounts cannot be told apart.",
        fix="Let oauth.identity name the field of the answer that names the account.",
        evidence=(answer_evidence(answer),),
    )

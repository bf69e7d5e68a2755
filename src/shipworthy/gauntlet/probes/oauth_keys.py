"""The provider's keys change, and strangers make the app look for keys that never were.

An app that reads the keys anew for every unknown kid lets anybody turn one request to it into
one to the provider, until the provider shuts it out; one that never does locks everybody out at
the first rotation.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.http import Unanswered
from shipworthy.gauntlet.probes.oauth_browser import LostOnTheWay, browser
from shipworthy.gauntlet.probes.oauth_scene import RECOVERY_S, Case, Scene, evidence_of, uncleanness

STORM = {"quick": 60, "full": 300}
AT_ONCE = 10
# One reading for each of a handful of processes, and one more for each pause of 10 s between two
# (the common pause is 30 s): far below one for each token, whatever the app is made of.
FETCHES_MAX, PAUSE_S = 5, 10.0
CHANGING_TRIES = 5

_READ = "Keep the keys; when a kid is not among them read them again, once, with a pause (30 s) before the next time."
ROTATED = Case(name="rotated", what="a rotation that takes the old keys away at once", fix=_READ)
ROTATED_KEPT = Case(
    name="rotated_kept", what="a rotation that keeps the old keys published", fix=_READ, modes=("full",)
)
THOUSAND = Case(
    name="thousand_keys",
    what="a rotation to a thousand published keys",
    fix="Find the key by its kid; set no limit on the number of keys below what 1 MB holds.",
    severity=Severity.LOW,
    modes=("full",),
)
CHANGING = Case(name="changing_keys", what="keys that change at every reading", fix=_READ, modes=("full",))
KEY_STORM = Case(name="key_storm", what="many tokens that name unknown keys", fix=_READ)
AHEAD = Case(
    name="clock_30_s_ahead",
    what="a provider whose clock is 30 s ahead",
    fix="Allow 60 s of difference when you compare iat, nbf and exp.",
    severity=Severity.LOW,
)


async def rotated(scene: Scene, case: Case) -> Finding:
    """Return whether sign-ins work again after a rotation, and how long they did not."""
    conduct: dict[str, Any] = {"keys": "thousand"} if case is THOUSAND else {}
    before = scene.stub.counts.get("jwks", 0)
    scene.stub.rotate(keep_old=case is ROTATED_KEPT)
    began = time.monotonic()
    try:
        arrival, failed = await scene.recovered(**conduct)
    except Undecided as undecided:
        title = f"After {case.what} nobody can sign in"
        return scene.finding(case, Verdict.FAIL, title, cause=undecided.why, evidence=undecided.evidence)
    took_s = time.monotonic() - began
    measures = (
        Measure(name="until a sign-in works", unit="s", estimate=round(took_s, 2), bound=RECOVERY_S),
        Measure(name="sign-ins that failed before it", unit="sign-ins", estimate=failed),
        _fetches(scene, before),
    )
    title = f"After {case.what} sign-ins work again, {failed} having failed"
    return scene.finding(case, Verdict.PASS, title, measures=measures, evidence=evidence_of(arrival))


async def changing(scene: Scene, case: Case) -> Finding:
    """Return whether keys that are others at every reading end in answers, not in circles."""
    before = scene.stub.counts.get("jwks", 0)
    scene.stub.rotate()
    for _ in range(CHANGING_TRIES):
        arrival = await scene.attempt(keys="new_every_fetch")
        if wrong := uncleanness(arrival.answer, arrival.silence):
            title = "Keys that change at every reading break the app"
            return scene.finding(case, Verdict.FAIL, title, cause=wrong, evidence=evidence_of(arrival))
    fetches = _fetches(scene, before, bound=2 * CHANGING_TRIES)
    facts: dict[str, Any] = {"measures": (fetches,), "evidence": evidence_of(arrival)}
    if fetches.estimate > 2 * CHANGING_TRIES:
        title = f"Keys that change at every reading are read {fetches.estimate:g} times in {CHANGING_TRIES} sign-ins"
        return scene.finding(case, Verdict.FAIL, title, **facts)
    await scene.recovered()
    title = "Keys that change at every reading are read a bounded number of times"
    return scene.finding(case, Verdict.PASS, title, **facts)


async def storm(scene: Scene, case: Case) -> Finding:
    """Return how often the app reads the keys while many tokens name keys that never were."""
    times = STORM[scene.exam.mode]
    await scene.recovered()
    before, began = scene.stub.counts.get("jwks", 0), time.monotonic()
    signed_in = await _stormed(scene, times)
    bound = FETCHES_MAX + int((time.monotonic() - began) / PAUSE_S)
    fetches = _fetches(scene, before, bound=bound)
    after = await scene.attempt()
    facts: dict[str, Any] = {"measures": (fetches,), "evidence": evidence_of(after)}
    if signed_in:
        title = f"{signed_in} of {times} tokens signed by nobody's key sign a person in"
        return scene.finding(case, Verdict.FAIL, title, severity=Severity.CRITICAL, **facts)
    if fetches.estimate > bound:
        title = f"{times} tokens that name unknown keys make the app read the keys {fetches.estimate:g} times"
        cause = "Whoever sends such tokens makes the app attack its own provider, which will shut it out."
        return scene.finding(case, Verdict.FAIL, title, cause=cause, **facts)
    if not after.is_signed_in:
        title = f"After {times} tokens that name unknown keys a good one is refused, too"
        cause = "Its key was known before; strangers can keep everybody out."
        return scene.finding(case, Verdict.FAIL, title, cause=cause, **facts)
    title = f"{times} tokens that name unknown keys make the app read the keys {fetches.estimate:g} times"
    return scene.finding(case, Verdict.PASS, title, **facts)


async def ahead(scene: Scene, case: Case) -> Finding:
    """Return whether a provider's clock may differ by as much as clocks do."""
    arrival = await scene.attempt(clock_ahead_s=30.0)
    evidence = (*evidence_of(arrival), *scene.token_evidence())
    if arrival.is_signed_in:
        title = "A provider whose clock is 30 s ahead is understood"
        return scene.finding(case, Verdict.PASS, title, evidence=evidence)
    title = "A provider whose clock is 30 s ahead can sign nobody in"
    return scene.finding(case, Verdict.FAIL, title, evidence=evidence)


async def _stormed(scene: Scene, times: int) -> int:
    """Bring `times` such tokens to the app, a few at once; return how many signed somebody in."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> bool:
        async with gate, browser(scene.exam, scene.oauth, scene.stub) as person:
            try:
                arrival = await person.come_back(await person.consent(await person.begin()))
            except (LostOnTheWay, Unanswered) as lost:
                raise Undecided(f"The app stopped answering in the storm. {lost}") from lost
            return arrival.is_signed_in

    await scene.stub.behave(token="unknown_kid")  # noqa: S106 - a fault's name, not a password
    try:
        return sum(await asyncio.gather(*(one() for _ in range(times))))
    finally:
        await scene.stub.behave()


def _fetches(scene: Scene, before: int, *, bound: int | None = None) -> Measure:
    fetched = scene.stub.counts.get("jwks", 0) - before
    return Measure(name="readings of the keys", unit="fetches", estimate=fetched, bound=bound)

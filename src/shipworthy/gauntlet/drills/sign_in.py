"""The drill "expire the OAuth keys": the provider signs with new keys and withdraws the old ones.

Every process of the app may notice with one failed sign-in; one that reads the keys anew inside the
request needs none. More than that, and people stand before a closed door until somebody restarts it.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults.keys_expired import expire_keys
from shipworthy.gauntlet.probes.drill_account import Timeline
from shipworthy.gauntlet.probes.oauth_scene import Scene, evidence_of
from shipworthy.gauntlet.subjects import ask_each

STEADY, AFTER = 3, 8
FAILED_PER_PROCESS_MAX = 1
_FIX = "On a key id that is not known, read the provider's keys once more inside the request, at most twice a minute."


async def keys_expired(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each declared sign-in."""
    return await ask_each(
        exam, [(oauth.name, oauth) for oauth in exam.manifest.oauth], lambda name, oauth: _ask(exam, name, oauth),
        source=lambda oauth: oauth.start,
    )  # fmt: skip


async def _ask(exam: Exam, name: str, oauth: object) -> Finding:
    from shipworthy.contract.manifest import OauthClient

    assert isinstance(oauth, OauthClient)
    if exam.provider is None:
        raise Undecided("The app does not sign people in through the examiner's provider.")
    scene, timeline = Scene(exam, oauth, exam.provider), Timeline()
    for _ in range(STEADY):
        arrival = await scene.attempt()
        if not arrival.is_signed_in:
            raise Undecided("A sign-in failed before anything was broken.", evidence=evidence_of(arrival))
    timeline.mark(f"{STEADY} sign-ins, nothing broken")
    expire_keys(exam)
    timeline.mark("the provider signs with new keys; the old ones are withdrawn")
    failed, last_failed = [], -1
    for number in range(AFTER):
        arrival = await scene.attempt()
        if not arrival.is_signed_in:
            failed.append(arrival)
            last_failed = number
    timeline.mark(f"{AFTER - len(failed)} of {AFTER} sign-ins worked")
    processes = sum(process.name == "web" for process in exam.handle.processes) or 1
    allowed = FAILED_PER_PROCESS_MAX * processes
    facts = {
        "measures": (
            Measure(name="failed sign-ins per process", unit="sign-ins", estimate=len(failed) / processes,
                    bound=FAILED_PER_PROCESS_MAX, samples=AFTER),
        ),
        "source": oauth.start,
    }  # fmt: skip
    if len(failed) > allowed:
        back = "none worked again" if last_failed == AFTER - 1 else "then it worked again"
        title = f"{len(failed)} of {AFTER} sign-ins failed after the provider had changed its keys; {back}"
        evidence = (timeline.evidence(), *evidence_of(failed[-1]))
        return exam.finding(name, Verdict.FAIL, title, fix=_FIX, evidence=evidence, **facts)
    title = f"The provider's keys are withdrawn and people go on signing in: {len(failed)} of {AFTER} failed"
    return exam.finding(name, Verdict.PASS, title, evidence=(timeline.evidence(),), **facts)

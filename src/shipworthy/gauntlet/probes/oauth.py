"""C2: the contract with somebody else's sign-in. The stub takes the provider's place and goes wrong.

Each case is one finding: a good sign-in, a wrong token, a stolen answer, a rotation, an outage.
The keys are new in every run. What pauses an app's reading of keys comes last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from shipworthy.contract.finding import Finding
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes import oauth_accounts as accounts
from shipworthy.gauntlet.probes import oauth_binding as binding
from shipworthy.gauntlet.probes import oauth_keys as keys
from shipworthy.gauntlet.probes import oauth_outage as outage
from shipworthy.gauntlet.probes import oauth_refusals as refusals
from shipworthy.gauntlet.probes.oauth_scene import Case, Scene
from shipworthy.gauntlet.subjects import ask_each

Ask = Callable[[Scene, Case], Awaitable[Finding]]
CASES: tuple[tuple[Case, Ask], ...] = (
    (binding.GOOD, binding.good),
    (binding.REQUEST, binding.request),
    (keys.ROTATED, keys.rotated),
    (binding.STATE_BOUND, binding.state_bound),
    *((case, refusals.refused) for case in refusals.WITH_KNOWN_KEYS),
    *((case, refusals.nonce_refused) for case in refusals.WITH_NONCE),
    (keys.AHEAD, keys.ahead),
    *((case, accounts.no_takeover) for case in accounts.TAKEOVERS),
    (accounts.FOREIGN, accounts.same_person),
    *((case, outage.survived) for case in outage.OUTAGES),
    (outage.AT_START, outage.survived_at_start),
    *((case, refusals.refused) for case in refusals.WITH_UNKNOWN_KEYS),
    (keys.KEY_STORM, keys.storm),
    (keys.ROTATED_KEPT, keys.rotated),
    (keys.THOUSAND, keys.rotated),
    (keys.CHANGING, keys.changing),
)


async def sign_in_contract(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each case and declared sign-in."""
    stub = exam.provider
    assert stub is not None, "the check needs the capabilities 'oauth' and 'started'"
    exam.heal_later("the provider misbehaved", stub.behave)
    scenes = [Scene(exam, oauth, stub) for oauth in exam.manifest.oauth]
    subjects = [
        (scene.subject(case), (scene, case, ask))
        for scene in scenes
        for case, ask in CASES
        if exam.mode in case.modes
    ]
    return await ask_each(
        exam,
        subjects,
        lambda _, asked: asked[2](asked[0], asked[1]),
        source=lambda asked: asked[0].oauth.start,
    )

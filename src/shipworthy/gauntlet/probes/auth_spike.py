"""L1: the sign-in spike. What a sign-in costs, what this machine holds, and nobody locked out meanwhile.

First each part alone and gently, for its CPU; then the arithmetic; then the largest rate of the mix that
keeps every part's objective, by search; at last the objectives, judged at the asked rate where it
holds, else below the limit. A rate that no machine of this size could hold is not called a failure of
the app, and not a success: it is NOT MEASURED, with the cores it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.manifest import Journey, NamedLoad
from shipworthy.contract.strict import encode
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.load import named
from shipworthy.gauntlet.load.named.auth_spike import ENTERED, NOT_SIGNED_IN, OWNER_REFUSED, REUSED
from shipworthy.gauntlet.load.plan import LoadPlan, mixed
from shipworthy.gauntlet.load.result import JourneyResult
from shipworthy.gauntlet.load.search import Found, Try, largest_rate
from shipworthy.gauntlet.probes.rate_held import (
    Asked,
    cost_of,
    first_guess,
    limit_of,
    never_held,
    rate_finding,
    rate_to_judge,
    tried,
)
from shipworthy.gauntlet.probes.under_load import (
    QUICK_SHAPE,
    SEED,
    Shape,
    latency_finding,
    offered,
    offered_validly,
    users_of,
)
from shipworthy.judge.capacity import Capacity, Cost
from shipworthy.judge.exceedance import judge_slo

CHECK = "load.auth_spike"
WEIGHTS = {"password": 10.0, "pkce": 40.0, "refresh": 50.0}  # of the playbook's benchmark
WRONG_SHARE = 0.05
_WORDS = {
    "password": "Signing in with a password",
    "pkce": "Signing in through a provider",
    "refresh": "Refreshing a token",
}
_FOLDER = str(Path(named.__file__).parent)
_COST_RATES_PER_S = {"password": 6.0, "pkce": 15.0, "refresh": 30.0}
_LACKING = {
    "password": ("No [login] with a person who can sign in.", "Add [login] and a [[credential]]."),
    "pkce": ("No sign-in through a provider is declared.", "Add an [[oauth]] section."),
    "refresh": ("No tokens are declared.", "Add a [tokens] section."),
}


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long each part of the check takes. Units: seconds, at the declared block lengths."""

    cost_s: float = 6.0
    try_s: float = 8.0
    tries_max: int = 5
    shape: Shape = QUICK_SHAPE


async def auth_spike(exam: Exam, *, pace: Pace = Pace()) -> Sequence[Finding]:
    """Return a finding for each part's latency, the rate, and what must not happen."""
    load = next(load for load in exam.manifest.loads if load.kind == "auth_spike")
    parts = [part for part in WEIGHTS if part in load.slos and part in _offered_by(exam)]
    absent = [_absent(exam, part) for part in load.slos if part not in parts]
    if not parts:
        return absent
    spike = Spike(exam, load, parts, pace)
    costs = await spike.costs()
    limit = limit_of(costs)
    found = await spike.search(limit)
    rate = rate_finding(exam, spike.asked, found, limit, costs)
    return [*await spike.judged(found), rate, *absent]


def _offered_by(exam: Exam) -> set[str]:
    manifest, found = exam.manifest, set[str]()
    if manifest.login and exam.people:
        found.add("password")
        found |= {"refresh"} if manifest.tokens else set()
    if manifest.oauth and exam.provider is not None:
        found.add("pkce")
    return found


def _absent(exam: Exam, part: str) -> Finding:
    why, fix = _LACKING[part]
    title = f"The spike's part {part!r}: not measured"
    return exam.finding(part, Verdict.NOT_MEASURED, title, cause=why, fix=fix)


class Spike:
    """The spike on one instance."""

    def __init__(self, exam: Exam, load: NamedLoad, parts: list[str], pace: Pace) -> None:
        self._exam, self._load, self._parts, self._pace = exam, load, parts, pace
        weights = {**WEIGHTS, **load.weights}
        self._weights = {part: weights[part] for part in parts}
        mix = " : ".join(f"{part} {self._weights[part]:g}" for part in parts)
        self.asked = Asked(rate_per_s=load.rate_per_s, what="sign-ins", mix=mix)

    async def costs(self) -> list[Cost]:
        """Offer each part alone and gently; return what one request costs. None where no process is known."""
        if not self._exam.handle.processes:
            return []
        found, whole = [], sum(self._weights.values())
        for part in self._parts:
            journey = self._journey(part, _COST_RATES_PER_S[part])
            plan = await self.plan((journey,), seconds=self._pace.cost_s)
            share = self._weights[part] / whole
            found.append(await cost_of(self._exam, plan, name=part, share=share))
        return found if any(cost.cpu_ms > 0 for cost in found) else []

    async def search(self, limit: Capacity | None) -> Found:
        """Return the largest rate of the mix at which every part keeps its objective."""
        asked = self.asked.rate_per_s

        async def offer(rate_per_s: float) -> Try:
            self._exam.view.note(f"trying {rate_per_s:.0f} sign-ins a second")
            plan = await self.plan(self.journeys(rate_per_s), seconds=self._pace.try_s)
            return tried(rate_per_s, await offered(self._exam, plan))

        return await largest_rate(
            offer,
            guess_per_s=first_guess(self.asked, limit),
            low_per_s=min(2.0, asked),
            high_per_s=asked,
            tries_max=self._pace.tries_max,
        )

    async def judged(self, found: Found) -> list[Finding]:
        """Judge the objectives at the asked rate where it held, else below the limit that was found."""
        shape, rate = self._pace.shape, rate_to_judge(self.asked, found)
        if rate <= 0:
            return [never_held(self._exam, part, self.asked, found) for part in self._parts]
        plan = await self.plan(self.journeys(rate), shape=shape)
        result = await offered_validly(self._exam, plan, rule=shape.rule)
        at = f" at {rate:.0f} sign-ins/s ({self.asked.mix})"
        latencies = [
            latency_finding(
                self._exam,
                journey,
                judge_slo(journey.blocks, quantile=journey.slo.quantile, rule=shape.rule),
                check=CHECK,
                what=_WORDS[journey.journey],
                at=at,
            )
            for journey in result.journeys
        ]
        return [*latencies, *(f for j in result.journeys if (f := self._observed(j)))]

    def _observed(self, journey: JourneyResult) -> Finding | None:
        """Say what happened that must not, under load; the password part also says that it did not."""
        words = {
            OWNER_REFUSED: "people with the right password were refused while others guessed",
            ENTERED: "wrong passwords were let in",
            NOT_SIGNED_IN: "sign-ins through the provider ended without a session",
            REUSED: "refreshes gave back the token that was sent",
        }
        wrong = {code: n for code, n in journey.observed.items() if code in words}
        if wrong:
            code = max(wrong, key=lambda code: wrong[code])
            title = f"{wrong[code]} of {journey.requests} {words[code]}"
            shown = Evidence(kind="response", title="The first", text=journey.samples.get(code, ""))
            fix = "Count failures for each device and network, never for the account alone; see auth.login_throttle."
            return self._exam.finding(
                "lockout" if code == OWNER_REFUSED else f"{journey.journey}.right",
                Verdict.FAIL,
                title,
                fix=fix if code == OWNER_REFUSED else "",
                evidence=(shown,),
            )
        if journey.journey != "password":
            return None
        title = f"Nobody was locked out: {journey.requests} sign-ins, {WRONG_SHARE:.0%} of them guesses at other accounts"
        return self._exam.finding("lockout", Verdict.PASS, title)

    def journeys(self, rate_per_s: float) -> tuple[Journey, ...]:
        return mixed(
            [self._journey(part, 1.0) for part in self._parts], rate_per_s=rate_per_s, weights=self._weights
        )

    def _journey(self, part: str, rate_per_s: float) -> Journey:
        return Journey(
            name=part,
            slo=self._load.slos[part],
            rate_per_s=rate_per_s,
            login=False,
            code=f"auth_spike.py:{part}",
        )

    async def plan(
        self, journeys: tuple[Journey, ...], *, seconds: float = 0.0, shape: Shape | None = None
    ) -> LoadPlan:
        exam, manifest = self._exam, self._exam.manifest
        wanted = {journey.slo for journey in journeys}
        plan = LoadPlan(
            name=f"{exam.target.name}: sign-in spike",
            base_url=exam.handle.base_url,
            site_url=exam.handle.site_url,
            journeys=journeys,
            slos=tuple(slo for slo in manifest.slos if slo.name in wanted),
            users=await users_of(exam),
            code_folder=_FOLDER,
            facts={
                "login": encode(manifest.login),
                "tokens": encode(manifest.tokens),
                "oauth": asdict(manifest.oauth[0]) if manifest.oauth else None,
                "wrong_share": WRONG_SHARE,
            },
            blocks=max(4, round(seconds)),
            block_s=1.0,
            warmup_s=1.5,
            seed=SEED,
        )
        if shape is None:
            return plan
        return replace(plan, blocks=shape.blocks, block_s=shape.block_s, warmup_s=shape.warmup_s)

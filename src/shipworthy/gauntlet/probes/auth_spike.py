"""L1: the sign-in spike. What a sign-in costs, what this machine holds, and nobody locked out meanwhile.

First each part alone and gently, for its CPU; then the arithmetic; then the largest rate of the mix that
keeps every part's objective, by search; at last the objectives, judged at the asked rate where it
holds, else below the limit. A rate that no machine of this size could hold is not called a failure of
the app, and not a success: it is NOT MEASURED, with the cores it needs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Journey, NamedLoad
from shipworthy.contract.strict import encode
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.load import named
from shipworthy.gauntlet.load.named.auth_spike import ENTERED, NOT_SIGNED_IN, OWNER_REFUSED, REUSED
from shipworthy.gauntlet.load.plan import LoadPlan, mixed
from shipworthy.gauntlet.load.result import JourneyResult, LoadResult
from shipworthy.gauntlet.load.search import Found, Try, largest_rate
from shipworthy.gauntlet.probes.process_tree import cpu_s
from shipworthy.gauntlet.probes.under_load import (
    QUICK_SHAPE,
    SEED,
    Shape,
    latency_finding,
    offered,
    offered_validly,
    users_of,
)
from shipworthy.judge.capacity import Capacity, Cost, capacity, cores_needed
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
# Of the limit that was found: at the limit itself the verdict would be a coin toss.
_SAFE_SHARE = 0.7
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
    spike = _Spike(exam, load, parts, pace)
    costs = await spike.costs()
    limit = capacity(costs, cores=_cores()) if costs else None
    found = await spike.search(limit)
    return [*await spike.judged(found), spike.rate_finding(found, limit, costs), *absent]


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


class _Spike:
    """The spike on one instance."""

    def __init__(self, exam: Exam, load: NamedLoad, parts: list[str], pace: Pace) -> None:
        self._exam, self._load, self._parts, self._pace = exam, load, parts, pace
        weights = {**WEIGHTS, **load.weights}
        self._weights = {part: weights[part] for part in parts}

    @property
    def _mix(self) -> str:
        return " : ".join(f"{part} {self._weights[part]:g}" for part in self._parts)

    async def costs(self) -> list[Cost]:
        """Offer each part alone and gently; return what one request costs. None where no process is known."""
        pids = [process.pid for process in self._exam.handle.processes]
        if not pids:
            return []
        found, whole = [], sum(self._weights.values())
        for part in self._parts:
            # The seconds before: nothing of a start or an earlier load may be counted.
            plan = await self._plan(
                (self._journey(part, _COST_RATES_PER_S[part]),), seconds=self._pace.cost_s
            )
            before = cpu_s(pids)
            result = await offered(self._exam, plan)
            used_s = cpu_s(pids) - before
            found.append(
                Cost(
                    name=part,
                    cpu_ms=max(used_s, 0.0) * 1000 / max(result.offered, 1),
                    share=self._weights[part] / whole,
                )
            )
        return found if any(cost.cpu_ms > 0 for cost in found) else []

    async def search(self, limit: Capacity | None) -> Found:
        """Return the largest rate of the mix at which every part keeps its objective."""
        asked = self._load.rate_per_s
        guess = min(asked, 0.7 * limit.rate_max_per_s) if limit else asked / 4

        async def offer(rate_per_s: float) -> Try:
            self._exam.view.note(f"trying {rate_per_s:.0f} sign-ins a second")
            plan = await self._plan(self._journeys(rate_per_s), seconds=self._pace.try_s)
            return _tried(rate_per_s, await offered(self._exam, plan))

        return await largest_rate(
            offer,
            guess_per_s=guess,
            low_per_s=min(2.0, asked),
            high_per_s=asked,
            tries_max=self._pace.tries_max,
        )

    async def judged(self, found: Found) -> list[Finding]:
        """Judge the objectives at the asked rate where it held, else below the limit that was found."""
        asked, shape = self._load.rate_per_s, self._pace.shape
        rate = asked if found.rate_per_s >= asked else found.rate_per_s * _SAFE_SHARE
        if rate <= 0:
            return [self._never_held(part, found) for part in self._parts]
        plan = await self._plan(self._journeys(rate), shape=shape)
        result = await offered_validly(self._exam, plan, rule=shape.rule)
        at = f" at {rate:.0f} sign-ins/s ({self._mix})"
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

    def rate_finding(self, found: Found, limit: Capacity | None, costs: Sequence[Cost]) -> Finding:
        """Say what was asked, what holds, and what it would take."""
        asked, exam = self._load.rate_per_s, self._exam
        evidence = [_tries(found)]
        measures = [
            Measure(
                name="largest rate held", unit="sign-ins/s", estimate=round(found.rate_per_s, 1), bound=asked
            )
        ]
        arithmetic = ""
        if limit is not None:
            needed = cores_needed(asked, cpu_ms=limit.cpu_ms)
            measures += [
                Measure(name="CPU of one", unit="ms", estimate=round(limit.cpu_ms, 2)),
                Measure(name="at most, every core busy", unit="sign-ins/s", estimate=round(limit.rate_max_per_s, 1)),
                Measure(name="cores the goal needs", unit="cores", estimate=needed, bound=_cores()),
            ]  # fmt: skip
            evidence.append(_arithmetic(costs, limit, asked))
            arithmetic = (
                f"One costs {limit.cpu_ms:.1f} ms of CPU on average, {limit.dearest_share:.0%} of it for "
                f"{limit.dearest}; {_cores()} cores hold {limit.rate_max_per_s:.0f}/s at the very most, and "
                f"{asked:.0f}/s need {needed} cores. "
            )
        facts: dict[str, Any] = {"measures": tuple(measures), "evidence": tuple(evidence)}
        if found.rate_per_s >= asked:
            title = f"{asked:.0f} sign-ins a second hold ({self._mix})"
            return exam.finding("rate", Verdict.PASS, title, cause=arithmetic, **facts)
        held = f"{found.rate_per_s:.0f} sign-ins a second hold here, {asked:.0f} are asked ({self._mix})"
        if limit is not None and limit.rate_max_per_s < asked:
            cause = f"{arithmetic}A machine of this size cannot show it. {_why(found)}"
            fix = "Run it where there are enough cores, or ask for a rate this machine can hold (rate_per_s of the load)."
            return exam.finding("rate", Verdict.NOT_MEASURED, held, cause=cause, fix=fix, **facts)
        cause = f"{arithmetic}{_why(found)}"
        fix = "The cores would allow it: look for what waits (locks, a pool too small, one process where several could work)."
        return exam.finding("rate", Verdict.FAIL, held, cause=cause, fix=fix, **facts)

    def _never_held(self, part: str, found: Found) -> Finding:
        lowest = min((one.rate_per_s for one in found.tries), default=0.0)
        title = f"Not even {lowest:.0f} sign-ins a second keep their objective"
        return self._exam.finding(part, Verdict.FAIL, title, cause=_why(found), evidence=(_tries(found),))

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

    def _journeys(self, rate_per_s: float) -> tuple[Journey, ...]:
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

    async def _plan(
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


def _tried(rate_per_s: float, result: LoadResult) -> Try:
    """Say whether every part stayed within half its budget, so that a short load does not flatter."""
    for journey in result.journeys:
        budget = 1.0 - journey.slo.quantile
        if journey.exceedances > max(1.0, 0.5 * budget * journey.requests):
            worst = max(journey.failures, key=lambda code: journey.failures[code], default="")
            slow = f"{journey.exceedances} of {journey.requests} {journey.journey} too slow or failed"
            note = f"{slow}, p95 {journey.latency_ms(0.95):.0f} ms{f', mostly {worst}' if worst else ''}"
            return Try(rate_per_s=rate_per_s, is_held=False, note=note)
    slowest = max(result.journeys, key=lambda j: j.latency_ms(0.95))
    note = f"p95 of {slowest.journey} {slowest.latency_ms(0.95):.0f} ms"
    return Try(rate_per_s=rate_per_s, is_held=True, note=note)


def _why(found: Found) -> str:
    broken = [one for one in found.tries if not one.is_held]
    if not broken:
        return ""
    lowest = min(broken, key=lambda one: one.rate_per_s)
    return f"At {lowest.rate_per_s:.0f}/s: {lowest.note}."


def _tries(found: Found) -> Evidence:
    rows = [(f"{one.rate_per_s:.0f}", "holds" if one.is_held else "breaks", one.note) for one in found.tries]
    return table_evidence("What was tried", ("sign-ins/s", "", "what was seen"), rows)


def _arithmetic(costs: Sequence[Cost], limit: Capacity, asked: float) -> Evidence:
    rows = [
        (cost.name, f"{cost.share:.0%}", f"{cost.cpu_ms:.2f}", f"{cost.cpu_ms * cost.share:.2f}")
        for cost in costs
    ]
    rows.append(("the mix", "100%", "", f"{limit.cpu_ms:.2f}"))
    rows.append((f"cores for {asked:.0f}/s", "", "", str(cores_needed(asked, cpu_ms=limit.cpu_ms))))
    return table_evidence(
        "Capacity: CPU of all the app's processes, in ms", ("part", "share", "each", "of the mix"), rows
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

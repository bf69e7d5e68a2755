"""C6: does a new version come out step by step under load, and does a bad one go back by itself?

The app runs behind its front, our own load visits it, and versions are deployed by the app's own command.
First bad ones, made bad for certain: they prove that what watches is not blind, and until each of them has
gone back the candidate's own green counts for nothing.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Journey
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.deployable import Deploy, Deployable, deployable
from shipworthy.gauntlet.adapters.instance import StartedInstance, StartFailed
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import clipped, table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.load.plan import LoadPlan
from shipworthy.gauntlet.load.result import LoadResult
from shipworthy.gauntlet.planted_version import LAST_WORDS, Defect, written
from shipworthy.gauntlet.probes.objectives import journeys_plan
from shipworthy.gauntlet.probes.under_load import QUICK_SHAPE, Shape, offered
from shipworthy.gauntlet.run import scratch_directory
from shipworthy.judge.error_rates import gate_error_rates

CANDIDATE, VISITORS = "candidate", "visitors"  # the subjects that are about this version itself
RATE_PER_S = 20.0  # of all journeys together: three versions and the load share a laptop
# A front keeps a session where it is; whoever has none is one with everybody at that address, and here all are at one.
_SOMEBODY = {"Cookie": "sid={uuid}"}
SESSIONS_EACH = 8  # of every seeded person: a share of two sessions is none
_OF_FRONT = "upstream"  # stands in whatever Envoy answers where it reaches no version
SLOW_TIMES = 1.5  # the largest objective of a journey: each answer is beyond its own
SLOW_MS_MAX = 2_000.0  # the load waits five seconds
_PLANTED_STEPS, _STEPS = (25, 50, 100), (1, 5, 25, 50, 100)
_STAGE_S = 2.0  # a step lasts at least this long; how long it really takes is the judge's to say
_PATIENCE_S = 120.0
_DEPLOY_TIMEOUT_S = 240.0
_SHAPE = replace(
    QUICK_SHAPE, blocks=20, warmup_s=1.0
)  # a minute, again and again: nobody knows how long a deploy takes


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A version that is bad for certain, and how its deploy must end."""

    defect: Defect
    words: str
    ends: str
    because: str = ""


PLANTED = (
    Planted(defect="dies", words="that never comes up", ends="failed", because=LAST_WORDS),
    Planted(defect="errors", words="that fails every third request", ends="rolled back"),
    Planted(defect="slow", words="that answers beyond every objective", ends="rolled back"),
)


@dataclass
class Visits:
    """The load that is offered over and over while a version is brought out; a deploy must never outlast it."""

    results: list[LoadResult] = field(default_factory=list)
    _is_over: bool = False
    _coming: asyncio.Task[None] | None = None

    def begin(self, exam: Exam, load: LoadPlan) -> None:
        async def come() -> None:
            while not self._is_over:
                self.results.append(await offered(exam, load))

        self._coming = asyncio.create_task(come())

    async def over(self) -> list[LoadResult]:
        """Let the load that runs be the last, and return what came of all. Errors: Undecided as `offered`."""
        self._is_over = True
        if self._coming is not None:
            await self._coming
        return self.results

    async def give_up(self) -> None:
        """End at once. Errors: Undecided when it had ended by itself: then nobody visited."""
        if self._coming is None:
            return
        if not self._coming.done():
            self._coming.cancel()
            await asyncio.gather(self._coming, return_exceptions=True)
            return
        self._coming.result()


Visit = Callable[[Exam, LoadPlan], AbstractAsyncContextManager[Visits]]


@asynccontextmanager
async def visited(exam: Exam, load: LoadPlan) -> AsyncIterator[Visits]:
    """Have visitors while the block runs."""
    visits = Visits()
    visits.begin(exam, load)
    try:
        yield visits
    finally:
        await visits.give_up()


async def versions_come_and_go(
    exam: Exam, *, shape: Shape = _SHAPE, visit: Visit = visited
) -> Sequence[Finding]:
    """Deploy each planted version and then the candidate; return a finding for each, and one for the visitors."""
    scratch = scratch_directory()
    try:
        exam.view.note(f"starting {exam.target.name} behind a front")
        async with deployable(exam.target, scratch) as app:
            inner = Exam(exam.target, StartedInstance(app.handle, None), mode=exam.mode)
            try:
                load = await _load(exam, inner, shape)
                async for finding in _deployed(exam, app, load, scratch, visit):
                    if exam.wants(finding.subject):
                        exam.tell(finding)
            finally:
                await inner.close()
    except StartFailed as failed:
        raise Undecided(
            f"The app does not run behind a front: {failed}", fix="Repeat with: shipworthy up --deployable"
        ) from failed
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    exam.error_rates.extend(
        r for r in gate_error_rates() if r.rule.startswith("R4") and r not in exam.error_rates
    )
    return exam.told


async def _load(exam: Exam, inner: Exam, shape: Shape) -> LoadPlan:
    journeys = as_visitors(exam.manifest.journeys)
    plan = await journeys_plan(inner, shape, journeys)
    return replace(plan, users=plan.users * SESSIONS_EACH)


def as_visitors(journeys: Sequence[Journey]) -> tuple[Journey, ...]:
    """Return the journeys at their declared proportions, RATE_PER_S together at most, each stranger a session."""
    share = min(1.0, RATE_PER_S / sum(journey.rate_per_s for journey in journeys))
    return tuple(
        replace(
            journey,
            rate_per_s=journey.rate_per_s * share,
            steps=tuple(
                step if journey.login else replace(step, headers={**_SOMEBODY, **step.headers})
                for step in journey.steps
            ),
        )
        for journey in journeys
    )


def _slow_ms(exam: Exam) -> float:
    wanted = {journey.slo for journey in exam.manifest.journeys}
    slowest_ms = max(slo.threshold_ms for slo in exam.manifest.slos if slo.name in wanted)
    return min(SLOW_TIMES * slowest_ms, SLOW_MS_MAX)


async def _deployed(
    exam: Exam, app: Deployable, load: LoadPlan, scratch: Path, visit: Visit
) -> AsyncIterator[Finding]:
    is_proven = True
    async with visit(exam, load):
        for planted in PLANTED:
            python = written(scratch, planted.defect, python=app.python, delay_ms=_slow_ms(exam))
            exam.view.note(f"deploying a version {planted.words}")
            finding = _of_planted(exam, planted, await _deploy(app, steps=_PLANTED_STEPS, python=python))
            is_proven = is_proven and finding.verdict is Verdict.PASS
            yield finding
    exam.view.note(f"deploying {exam.target.name} over {app.before}")
    async with visit(exam, load) as visits:
        deploy = await _deploy(app, steps=_STEPS)
        yield _of_candidate(exam, deploy, before=app.before, is_proven=is_proven)
        results = await visits.over()
    yield _of_visitors(exam, results, before=app.before)


async def _deploy(app: Deployable, *, steps: Sequence[int], python: Path | None = None) -> Deploy:
    return await app.deploy(
        weights=steps,
        stage_s=_STAGE_S,
        patience_s=_PATIENCE_S,
        timeout_s=_DEPLOY_TIMEOUT_S,
        python=python,
    )


def _of_planted(exam: Exam, planted: Planted, deploy: Deploy) -> Finding:
    subject, requests = f"planted {planted.defect}", deploy.noted("decided", "requests")
    zero_s = deploy.noted("weight", "seconds")
    facts = {"measures": _measures(requests, zero_s), "evidence": _evidence(deploy)}
    if deploy.decision == planted.ends and planted.because in deploy.reason:
        after = f" after {requests:.0f} of its requests" if requests else ""
        title = f"A version {planted.words} goes back by itself{after}"
        return exam.finding(subject, Verdict.PASS, title, **facts)
    if deploy.decision == "promoted":
        return exam.finding(
            subject,
            Verdict.FAIL,
            f"A version {planted.words} is brought out all the same",
            cause=f"It was promoted: {deploy.reason}",
            fix="Give what people do an objective ([slo] of the rooms), so that it is judged; see docs/how-to/deploy.md.",
            **facts,
        )
    return exam.finding(
        subject,
        Verdict.INCONCLUSIVE,
        f"Whether a version {planted.words} goes back could not be decided",
        cause=f"The deploy ended otherwise ({deploy.decision}): {deploy.reason}",
        fix="Run it alone on a quieter machine: shipworthy gauntlet --stage s6",
        **facts,
    )


def _of_candidate(exam: Exam, deploy: Deploy, *, before: str, is_proven: bool) -> Finding:
    facts = {"evidence": _evidence(deploy), "measures": _measures(None, deploy.noted("weight", "seconds"))}
    words = f"This version, deployed over {before},"
    if deploy.decision in ("rolled back", "failed"):
        return exam.finding(
            CANDIDATE,
            Verdict.FAIL,
            f"{words} goes back",
            cause=deploy.reason,
            fix="Read the journeys below, then the log of the new version: shipworthy up --deployable, and shipworthy deploy.",
            **facts,
        )
    if deploy.decision != "promoted" or not is_proven:
        cause = deploy.reason if deploy.decision != "promoted" else (
            "It was promoted, but not every planted version went back: this green would mean nothing."
        )  # fmt: skip
        return exam.finding(
            CANDIDATE,
            Verdict.INCONCLUSIVE,
            f"{words} could not be decided upon",
            cause=cause,
            fix="Run it alone on a quieter machine: shipworthy gauntlet --stage s6",
            **facts,
        )
    return exam.finding(CANDIDATE, Verdict.PASS, f"{words} comes out: {deploy.reason}", **facts)


def _of_visitors(exam: Exam, results: Sequence[LoadResult], *, before: str) -> Finding:
    asked = sum(journey.requests for result in results for journey in result.journeys)
    lost, busy = _lost(results)
    failed, refused = sum(lost.values()), sum(busy.values())
    measures = (
        Measure(name="requests", unit="requests", estimate=asked),
        Measure(name="failed", unit="requests", estimate=failed, bound=0),
        Measure(name="refused as busy", unit="requests", estimate=refused),
    )
    told = lost or busy
    cause = ", ".join(f"{what} ({n})" for what, n in sorted(told.items(), key=lambda one: -one[1])[:5])
    if failed:
        return exam.finding(
            VISITORS,
            Verdict.FAIL,
            f"{failed:,} of {asked:,} requests failed while the version came out over {before}",
            cause=cause,
            fix="See whether the version before fails alike: shipworthy gauntlet --stage load.",
            measures=measures,
        )
    if refused:
        return exam.finding(
            VISITORS,
            Verdict.INCONCLUSIVE,
            f"{refused:,} of {asked:,} requests were refused as too many while the version came out",
            cause=f"{cause}: this machine was too busy for three versions at once.",
            fix="Run it alone on a quieter machine: shipworthy gauntlet --stage s6",
            measures=measures,
        )
    title = f"No visitor noticed: {asked:,} requests, none failed while the version came out"
    return exam.finding(VISITORS, Verdict.PASS, title, measures=measures)


def _lost(results: Sequence[LoadResult]) -> tuple[Counter[str], Counter[str]]:
    """Return the requests that failed, and those that the app itself refused as busy; other refusals are answers."""
    lost, busy = Counter[str](), Counter[str]()
    for journey in (journey for result in results for journey in result.journeys):
        for code, count in journey.failures.items():
            is_busy = code == "status_503" and _OF_FRONT not in journey.samples.get(code, "")
            if not code.startswith("status_4"):
                (busy if is_busy else lost)[f"{journey.journey}: {code}"] += count
    return lost, busy


def _measures(requests: float | None, zero_s: float | None) -> tuple[Measure, ...]:
    found = [
        Measure(name="requests until it was decided", unit="requests", estimate=requests)
        if requests
        else None,
        Measure(name="until nobody got it any more", unit="s", estimate=zero_s, bound=2.0)
        if zero_s is not None
        else None,
    ]
    return tuple(measure for measure in found if measure is not None)


def _evidence(deploy: Deploy) -> tuple[Evidence, ...]:
    rows = [
        (journey or "other", arm, tally["requests"], tally["failed"], tally["slow"], tally["probes"])
        for journey, arms in deploy.record.get("journeys", {}).items()
        for arm, tally in sorted(arms.items(), reverse=True)
    ]
    said = Evidence(kind="text", title=f"The deploy: {deploy.decision}", text=clipped(deploy.reason))
    if not rows:
        return (said,)
    header = ("journey", "arm", "requests", "failed", "beyond objective", "probes")
    return (said, table_evidence("Both versions side by side", header, rows))

"""slo: objectives are measured under load and judged by counts; what fails is called a failure.

Covers: under_load.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Journey, Manifest, Slo, Step
from shipworthy.contract.target import Handle, Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.politeness import REQUESTS_PER_S_MAX
from shipworthy.gauntlet.probes.objectives import journeys_plan, judged_under_load
from shipworthy.gauntlet.probes.under_load import Shape, offered
from shipworthy.gauntlet.stages.load import CHECKS
from shipworthy.gauntlet.view import View
from shipworthy.judge.exceedance import QUICK
from tests.gauntlet.conftest import by_subject
from tests.support.ledger import Ledger
from tests.support.strange_server import strange_server

SHORT = Shape(rule=QUICK, blocks=24, block_s=0.25, warmup_s=0.2)
PROMISE = Slo(name="fast", quantile=0.95, threshold_ms=4_000.0, title="Reading about us")


class Watcher(View):
    def __init__(self) -> None:
        self.seconds: list[str] = []

    def second(self, journey: str, second: int, **_numbers: float) -> None:
        self.seconds.append(f"{journey} {second}")


def journey(name: str, path: str, *, slo: str = "fast", **facts: object) -> Journey:
    step = Step(method="GET", path=path, expect=(200,))
    return Journey(name=name, slo=slo, rate_per_s=90.0, steps=(step,), login=False, **facts)  # type: ignore[arg-type]


async def judged(ledger: Ledger, *journeys: Journey, **changes: object) -> tuple[Exam, dict[str, Finding]]:
    exam = ledger.exam(CHECKS[0], journeys=journeys, slos=(PROMISE,), **changes)
    exam.view = Watcher()
    try:
        return exam, by_subject(await judged_under_load(exam, SHORT))
    finally:
        await exam.close()


async def test_a_kept_promise_passes_with_its_interval_and_a_broken_one_fails_by_name(ledger: Ledger) -> None:
    exam, findings = await judged(ledger, journey("about", "/about"), journey("broken", "/nowhere"))
    kept, broken = findings["about"], findings["broken"]
    if exam.invalid_because:  # the run says so itself: on such a machine nothing may be claimed
        pytest.skip(exam.invalid_because[0])
    if kept.verdict is Verdict.INCONCLUSIVE:  # nor where too little is left to judge
        pytest.skip(kept.cause)
    assert (kept.verdict, kept.check) == (Verdict.PASS, "slo.fast")
    share = kept.measures[0]
    assert (share.estimate, share.low, share.bound) == (0.0, 0.0, pytest.approx(0.05))
    assert share.high is not None
    assert share.high < 0.05
    assert share.samples is not None
    assert share.samples > 438
    assert {m.name for m in kept.measures} >= {"p50", "p95", "p99"}

    assert broken.verdict is Verdict.FAIL
    assert broken.measures[0].estimate == 1.0
    assert "404" in broken.cause
    assert broken.evidence
    assert [s.journey for s in exam.series] == ["about", "broken"]
    assert exam.error_rates
    assert isinstance(exam.view, Watcher)
    assert "about 0" in exam.view.seconds


async def test_too_few_requests_are_never_a_pass(ledger: Ledger) -> None:
    few = journey("about", "/about")
    exam, findings = await judged(ledger, Journey(**{**vars(few), "rate_per_s": 8.0}))
    assert findings["about"].verdict is Verdict.INCONCLUSIVE
    assert exam.series


async def test_another_machine_is_offered_no_more_than_it_may_be_asked() -> None:
    async with strange_server() as server:
        moments_s: list[float] = []
        port = server.base_url.rpartition(":")[2]
        handle = Handle(
            base_url=f"http://shop.sample.example:{port}", addresses={"shop.sample.example": "127.0.0.1"}
        )
        target = Target(name="Away", kind="url", manifest=Manifest(app="Away", slos=(PROMISE,)))
        server.when_asked = lambda: moments_s.append(time.monotonic())
        exam = Exam(target, StartedInstance(handle, None))
        exam.begin(PlannedCheck(check=CHECKS[0]))
        plan = await journeys_plan(exam, SHORT, [replace(journey("home", "/"), rate_per_s=11.0)])
        result = await offered(exam, plan)
        with pytest.raises(Unmeasurable, match="offered at most 12"):
            await offered(exam, replace(plan, journeys=(journey("home", "/"),)))
        await exam.close()
    assert result.journeys[0].failures == {}
    assert set(server.hosts) == {f"shop.sample.example:{port}"}
    assert max(sum(at <= m < at + 1 for m in moments_s) for at in moments_s) <= REQUESTS_PER_S_MAX


async def test_a_load_that_cannot_be_offered_is_undecided_with_the_reason(ledger: Ledger) -> None:
    with pytest.raises(Undecided, match="unknown SLO 'nothing'"):
        await judged(ledger, journey("about", "/about", slo="nothing"))

"""Offering a load to the examined instance, and saying what one journey of it found.

A load runs in a process of its own and shows each second. One whose generator fell behind proves nothing:
it is repeated once, then the run is invalid. Knows plans and results, not what a load is for.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import nullcontext
from dataclasses import dataclass, replace

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.evidence import clipped
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.load.plan import CODE_REQUESTS_MAX, LoadPlan, LoadUser, PlanRefused
from shipworthy.gauntlet.load.process import LoadProcessFailed, run_in_process
from shipworthy.gauntlet.load.result import JourneyResult, LoadResult, Progress
from shipworthy.gauntlet.politeness import LOAD_DECLARED_PER_S_MAX
from shipworthy.judge.error_rates import gate_error_rates
from shipworthy.judge.exceedance import QUICK, RELEASE, Rule, SloJudgement
from shipworthy.judge.validity import is_run_valid


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How long to measure, and by which rule to judge."""

    rule: Rule
    blocks: int
    block_s: float
    warmup_s: float = 5.0  # connections, caches and the slow first calls of a fresh process


QUICK_SHAPE = Shape(rule=QUICK, blocks=24, block_s=3.0)  # one look
RELEASE_SHAPE = Shape(rule=RELEASE, blocks=48, block_s=5.0)  # both looks of the rule
SEED = 20_260_101  # any constant: the same arrivals in every run


async def users_of(exam: Exam) -> tuple[LoadUser, ...]:
    """Return the seeded people with the samples of their own data."""
    return tuple(
        [LoadUser(credential=person, samples=await exam.samples_for(person)) for person in exam.people]
    )


async def offered_validly(exam: Exam, plan: LoadPlan, *, rule: Rule) -> LoadResult:
    """Offer a load that is to be judged by `rule`; collect its curves and the rule's error rates.

    Errors:  Undecided when it could not be offered.
    """
    result = await offered(exam, plan)
    if not all(is_valid(journey) for journey in result.journeys):
        exam.view.note("the load generator fell behind; the load is repeated once")
        result = await offered(exam, plan)
    if late := [j.journey for j in result.journeys if not is_valid(j)]:
        exam.invalidate(
            f"the load generator fell behind twice in more than a fifth of the blocks of {', '.join(late)}; "
            "the machine is too busy to measure on"
        )
    for rates in gate_error_rates():
        if rates.rule.startswith(rule.name) and rates not in exam.error_rates:
            exam.error_rates.append(rates)
    for journey in result.journeys:
        exam.series.append(journey.series)
        exam.distributions.append(journey.distribution())
    return result


async def offered(exam: Exam, plan: LoadPlan) -> LoadResult:
    """Run the load in its own process, showing each second; a cancelled check ends it."""
    loop, given_up = asyncio.get_running_loop(), threading.Event()
    if exam.turns is not None:
        plan = _gently(exam, plan)

    def on_second(progress: Progress) -> None:
        if given_up.is_set():
            raise LoadProcessFailed("the check was stopped")
        loop.call_soon_threadsafe(_show, exam, progress)

    try:
        with exam.turns.lent_to_load() if exam.turns else nullcontext():
            result = await asyncio.to_thread(run_in_process, plan, on_second)
    except PlanRefused as refused:
        raise Undecided(f"The load could not be offered: {refused}") from refused
    except LoadProcessFailed as failed:
        raise Undecided(
            str(failed), fix="Run it again; if it stays, the machine may be out of memory."
        ) from failed
    finally:
        given_up.set()
    if result.aborted:
        raise Undecided(
            f"The load was given up in its warm-up: {result.aborted}", fix="Try the journey by hand first."
        )
    return result


def _gently(exam: Exam, plan: LoadPlan) -> LoadPlan:
    """Return the load as another machine may be asked it. Errors: Unmeasurable for one that is too much."""
    steps = [(j.rate_per_s, CODE_REQUESTS_MAX if j.code else len(j.steps)) for j in plan.journeys]
    per_s = sum(rate * number for rate, number in steps)
    if per_s > LOAD_DECLARED_PER_S_MAX:
        raise Unmeasurable(
            f"The journeys ask {per_s:g} requests a second, and another machine is offered at most "
            f"{LOAD_DECLARED_PER_S_MAX:g}.",
            fix="Lower rate_per_s of the journeys, or run a copy of the app on this machine.",
        )
    even = replace(plan.shape, kind="fixed") if plan.shape.kind == "poisson" else plan.shape
    return replace(plan, allow_remote=True, reached_at=exam.handle.addresses, shape=even)


def _show(exam: Exam, progress: Progress) -> None:
    exam.view.progress(progress.second + 1, progress.seconds)
    for tally in progress.journeys:
        exam.view.second(
            tally.journey,
            progress.second,
            requests=tally.requests,
            failures=tally.failures,
            latency_ms_p50=tally.latency_ms_p50,
            latency_ms_p95=tally.latency_ms_p95,
        )


def is_valid(journey: JourneyResult) -> bool:
    return is_run_valid([block.void for block in journey.blocks])


def latency_finding(
    exam: Exam, journey: JourneyResult, judged: SloJudgement, *, check: str, what: str = "", at: str = ""
) -> Finding:
    """Return what was found of one journey.

    `what` calls it something else than its objective does; `at` says under what it was measured.
    """
    slo = journey.slo
    name = what or slo.title or slo.name
    promise = f"{slo.quantile * 100:g} % within {slo.threshold_ms:g} ms{at}"
    title = {
        Verdict.PASS: f"{name}: {promise}",
        Verdict.FAIL: f"{name} breaks its promise of {promise}",
    }.get(judged.verdict, f"{name}: {promise} could not be decided")
    failed = sum(journey.failures.values())
    cause = judged.reason
    if failed:
        worst = max(journey.failures, key=lambda code: journey.failures[code])
        cause += f" {failed} of {journey.requests} requests failed, most often: {worst}."
    return exam.finding(
        journey.journey,
        judged.verdict,
        title,
        check=check,
        cause=cause,
        fix=_fix(judged, failed),
        measures=(
            Measure(
                name="share beyond the threshold",
                unit="share",
                estimate=judged.estimate,
                low=judged.low,
                high=judged.high,
                bound=judged.budget,
                samples=judged.requests,
                method=judged.method,
            ),
            *(_percentile(journey, q, name) for q, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))),
            Measure(name="failed requests", unit="requests", estimate=failed),
            *(Measure(name=code, unit="times", estimate=n) for code, n in journey.observed.items()),
        ),
        evidence=_evidence(journey),
    )


def _percentile(journey: JourneyResult, quantile: float, name: str) -> Measure:
    bound = journey.slo.threshold_ms if abs(quantile - journey.slo.quantile) < 1e-9 else None
    return Measure(
        name=name,
        unit="ms",
        estimate=round(journey.latency_ms(quantile), 2),
        bound=bound,
        samples=journey.requests,
    )


def _fix(judged: SloJudgement, failed: int) -> str:
    if judged.verdict is Verdict.INCONCLUSIVE:
        return "Run it longer (without --quick), or on a quieter machine."
    if judged.verdict is Verdict.FAIL and failed:
        return "Read the app's log at the time of the failures first: failures count as too slow."
    if judged.verdict is Verdict.FAIL:
        return "Look at the slowest seconds in the report's timeline, then at the route's statements (budget.queries_per_route)."
    return ""


def _evidence(journey: JourneyResult) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            kind="response",
            title=f"{journey.failures[code]} times {code}",
            text=clipped(journey.samples.get(code, "")),
        )
        for code in sorted(journey.failures, key=lambda c: -journey.failures[c])[:3]
    )

"""Two versions at once under the same arrivals: is the second one slower, or does it fail more (R2)?

Owns which journeys are compared, and what all of them together come to. A stored number is never a gate: what
disturbs the machine must disturb both (judge/regression.py).
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scipy.stats import binomtest

from shipworthy.contract.manifest import Journey
from shipworthy.contract.target import Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.start import started
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam, Instance
from shipworthy.gauntlet.load.duet import DuetResult
from shipworthy.gauntlet.load.plan import LoadPlan, PlanRefused
from shipworthy.gauntlet.load.process import LoadProcessFailed, run_duet_in_process
from shipworthy.gauntlet.load.result import Progress
from shipworthy.gauntlet.probes.under_load import SEED, users_of
from shipworthy.gauntlet.run import scratch_directory
from shipworthy.gauntlet.view import View
from shipworthy.judge.family import rejected
from shipworthy.judge.regression import DUET, RegressionJudgement, judge_regression
from shipworthy.judge.validity import is_run_valid

BLOCK_S = 3.0
WARMUP_S = 5.0
QUANTILES = (0.5, 0.95)  # the tail beyond needs a run five times as long
FAILURE_SPAN_S = 10  # failures come in clusters: such a span counts once, however many are in it


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One journey: what the rule says of each quantile, and of its failures."""

    journey: str
    by_quantile: dict[str, RegressionJudgement]
    requests: int  # of each version
    base_failed: int
    head_failed: int
    failures: Verdict
    worst_failure: str = ""
    is_valid: bool = True


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The whole. `left_out` are journeys that only one of the versions declares."""

    base: str
    head: str
    journeys: tuple[Compared, ...]
    verdict: Verdict
    is_valid: bool
    left_out: tuple[str, ...] = ()


async def compared(
    base: Target, head: Target, *, names: tuple[str, str], for_s: float, rate_per_s: float | None, view: View
) -> Comparison:
    """Start both versions, offer both the same arrivals, and judge.

    Errors:  StartFailed for a version that does not start; PlanRefused for a load that cannot be offered;
             Undecided when it could not be measured.
    """
    scratch = scratch_directory()
    try:
        view.note(f"starting {names[0]}")
        async with started(base, _room(scratch, "base")) as one:
            view.note(f"starting {names[1]}")
            async with started(head, _room(scratch, "head")) as other:
                return await _measured((base, one), (head, other), names, for_s, rate_per_s, view)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def judged(duet: DuetResult, *, names: tuple[str, str], left_out: Sequence[str] = ()) -> Comparison:
    """Return what a duet shows. Pure.

    One journey that got slower is a regression, once all are counted that might have been called so by
    chance (R8); that nothing got slower is claimed only when each of them says so.
    """
    found = [_compared(duet, journey.journey) for journey in duet.base.journeys]
    certain = rejected(
        {f"{c.journey} {q}": j.p_value for c in found for q, j in c.by_quantile.items()}, alpha=DUET.alpha
    )
    found = [
        replace(
            c, by_quantile={q: _counted(j, f"{c.journey} {q}" in certain) for q, j in c.by_quantile.items()}
        )
        for c in found
    ]
    verdicts = [v for c in found for v in (c.failures, *(j.verdict for j in c.by_quantile.values()))]
    worst = next((v for v in (Verdict.FAIL, Verdict.INCONCLUSIVE) if v in verdicts), Verdict.PASS)
    return Comparison(
        base=names[0],
        head=names[1],
        journeys=tuple(found),
        verdict=worst if found else Verdict.NOT_MEASURED,
        is_valid=all(c.is_valid for c in found),
        left_out=tuple(left_out),
    )


def _counted(judgement: RegressionJudgement, is_certain: bool) -> RegressionJudgement:
    if judgement.verdict is not Verdict.FAIL or is_certain:
        return judgement
    why = f"{judgement.reason} Among so many comparisons that may be chance; measure longer."
    return replace(judgement, verdict=Verdict.INCONCLUSIVE, reason=why)


def _compared(duet: DuetResult, name: str) -> Compared:
    base, head = duet.base.journey(name), duet.head.journey(name)
    pairs = duet.blocks(name)
    failed = (sum(base.failures.values()), sum(head.failures.values()))
    return Compared(
        journey=name,
        by_quantile={f"p{q * 100:g}": judge_regression(pairs, quantile=q) for q in QUANTILES},
        requests=base.requests,
        base_failed=failed[0],
        head_failed=failed[1],
        failures=judge_failures(base.series.failures, head.series.failures),
        worst_failure=max(head.failures, key=lambda code: head.failures[code], default=""),
        is_valid=_is_valid(duet, name),
    )


def _is_valid(duet: DuetResult, name: str) -> bool:
    return is_run_valid([pair.void for pair in duet.blocks(name)])


def judge_failures(base: Sequence[int], head: Sequence[int]) -> Verdict:
    """Return FAIL where the head fails more often than chance makes two equals differ.

    A sign test over spans of seconds, of the failures by the second: how many are in a span says little, since
    one cause fails many. As many as the base, or fewer, is PASS; a few more is INCONCLUSIVE.
    """
    if sum(head) <= sum(base):
        return Verdict.PASS
    spans = range(0, min(len(base), len(head)), FAILURE_SPAN_S)
    differences = [sum(head[at : at + FAILURE_SPAN_S]) - sum(base[at : at + FAILURE_SPAN_S]) for at in spans]
    more, fewer = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    if not more:
        return Verdict.INCONCLUSIVE
    p_value = float(binomtest(more, more + fewer, 0.5, alternative="greater").pvalue)
    return Verdict.FAIL if p_value <= DUET.alpha else Verdict.INCONCLUSIVE


_Arm = tuple[Target, Instance]


async def _measured(
    base: _Arm, head: _Arm, names: tuple[str, str], for_s: float, rate_per_s: float | None, view: View
) -> Comparison:
    exams = [Exam(target, instance, view=view) for target, instance in (base, head)]
    try:
        journeys, left_out = _shared(base[0].manifest.journeys, head[0].manifest.journeys)
        if not journeys:
            raise PlanRefused(
                "there is no journey that both versions declare; declare [[journey]] and [[slo]]"
            )
        one, other = (exam.handle for exam in exams)
        factor = rate_per_s / sum(j.rate_per_s for j in journeys) if rate_per_s else 1.0
        plan = LoadPlan(
            name=base[0].name,
            base_url=one.base_url,
            site_url=one.site_url,
            head_url=other.base_url,
            head_site_url=other.site_url,
            journeys=tuple(replace(j, rate_per_s=j.rate_per_s * factor) for j in journeys),
            slos=base[0].manifest.slos,
            users=await users_of(exams[0]),
            head_users=await users_of(exams[1]),
            login=base[0].manifest.login,
            code_folder=base[0].folder,
            blocks=max(1, round(for_s / BLOCK_S)),
            block_s=BLOCK_S,
            warmup_s=WARMUP_S,
            seed=SEED,
            keeps_blocks=True,
        )
        view.note(f"offering the same arrivals to {names[0]} and {names[1]}")
        duet = await _offered(plan, view)
        if not duet.aborted and not all(_is_valid(duet, j.name) for j in journeys):
            view.note("the load generator fell behind; the load is repeated once")
            duet = await _offered(plan, view)
    finally:
        for exam in exams:
            await exam.close()
    if duet.aborted:
        raise Undecided(
            f"The load was given up in its warm-up: {duet.aborted}", fix="Try the journey by hand first."
        )
    return judged(duet, names=names, left_out=left_out)


def _shared(base: Sequence[Journey], head: Sequence[Journey]) -> tuple[list[Journey], list[str]]:
    """Return the journeys that both declare, as the base does, and the names of the others."""
    ours, theirs = {j.name for j in base}, {j.name for j in head}
    return [j for j in base if j.name in theirs], sorted(ours ^ theirs)


async def _offered(plan: LoadPlan, view: View) -> DuetResult:
    loop, given_up = asyncio.get_running_loop(), threading.Event()

    def on_second(progress: Progress) -> None:
        if given_up.is_set():
            raise LoadProcessFailed("it was stopped")
        loop.call_soon_threadsafe(view.progress, progress.second + 1, progress.seconds)

    try:
        return await asyncio.to_thread(run_duet_in_process, plan, on_second)
    except LoadProcessFailed as failed:
        raise Undecided(str(failed)) from failed
    finally:
        given_up.set()


def _room(scratch: Path, name: str) -> Path:
    room = scratch / name
    room.mkdir()
    return room

"""Which rate of a load a machine holds: what was tried, what it costs, and the finding that states both.

A rate that no machine of this size could hold is not called a failure of the app, and not a success:
it is NOT MEASURED, with the cores it needs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.load.plan import LoadPlan
from shipworthy.gauntlet.load.result import LoadResult
from shipworthy.gauntlet.load.search import Found, Try
from shipworthy.gauntlet.probes.process_tree import cpu_s, idle_cores
from shipworthy.gauntlet.probes.under_load import is_valid, offered
from shipworthy.judge.capacity import Capacity, Cost, capacity, cores_needed

# Of the limit that was found: at the limit itself a verdict would be a coin toss.
SAFE_SHARE = 0.7
_QUIETER = "Run it again on a quieter machine."


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a target asks to be held: so many of `what` a second, in `mix`."""

    rate_per_s: float
    what: str  # "sign-ins"
    mix: str

    @property
    def unit(self) -> str:
        return f"{self.what}/s"


async def cost_of(exam: Exam, plan: LoadPlan, *, name: str, share: float = 1.0) -> Cost:
    """Offer a gentle load and return what one request of it costs all the app's known processes.

    What they do when nobody asks anything is no request's cost, and is taken off.
    """
    pids = [process.pid for process in exam.handle.processes]
    idle = await exam.once("CPU of the idle app", lambda: idle_cores({"app": pids}))
    before, began = cpu_s(pids), time.monotonic()
    result = await offered(exam, plan)
    used_s = cpu_s(pids) - before - idle["app"] * (time.monotonic() - began)
    return Cost(name=name, cpu_ms=max(used_s, 0.0) * 1000 / max(result.offered, 1), share=share)


def limit_of(costs: Sequence[Cost]) -> Capacity | None:
    """Return what this machine holds at the very most; None where no cost is known."""
    return capacity(costs, cores=cores()) if any(cost.cpu_ms > 0 for cost in costs) else None


def first_guess(asked: Asked, limit: Capacity | None) -> float:
    """Return the rate to begin the search at."""
    return min(asked.rate_per_s, SAFE_SHARE * limit.rate_max_per_s) if limit else asked.rate_per_s / 4


def tried(rate_per_s: float, result: LoadResult) -> Try:
    """Say whether every part stayed within half its budget, so that a short load does not flatter."""
    for journey in result.journeys:
        budget = 1.0 - journey.slo.quantile
        if journey.exceedances > max(1.0, 0.5 * budget * journey.requests):
            worst = max(journey.failures, key=lambda code: journey.failures[code], default="")
            slow = f"{journey.exceedances} of {journey.requests} {journey.journey} too slow or failed"
            note = f"{slow}, p95 {journey.latency_ms(0.95):.0f} ms{f', mostly {worst}' if worst else ''}"
            is_certain = all(is_valid(journey) for journey in result.journeys)
            return Try(rate_per_s=rate_per_s, is_held=False, note=note, is_certain=is_certain)
    slowest = max(result.journeys, key=lambda j: j.latency_ms(0.95))
    note = f"p95 of {slowest.journey} {slowest.latency_ms(0.95):.0f} ms"
    return Try(rate_per_s=rate_per_s, is_held=True, note=note)


def rate_to_judge(asked: Asked, found: Found) -> float:
    """Return the rate at which objectives are judged: the asked one where it held, else below the limit."""
    return asked.rate_per_s if found.rate_per_s >= asked.rate_per_s else found.rate_per_s * SAFE_SHARE


def rate_finding(
    exam: Exam, asked: Asked, found: Found, limit: Capacity | None, costs: Sequence[Cost]
) -> Finding:
    """Say what was asked, what holds, and what it would take."""
    rate, what = asked.rate_per_s, asked.what
    evidence = [_tries(found, asked)]
    measures = [
        Measure(name="largest rate held", unit=asked.unit, estimate=round(found.rate_per_s, 1), bound=rate)
    ]
    arithmetic = ""
    if limit is not None:
        needed = cores_needed(rate, cpu_ms=limit.cpu_ms)
        measures += [
            Measure(name="CPU of one", unit="ms", estimate=round(limit.cpu_ms, 2)),
            Measure(name="at most, every core busy", unit=asked.unit, estimate=round(limit.rate_max_per_s, 1)),
            Measure(name="cores the goal needs", unit="cores", estimate=needed, bound=cores()),
        ]  # fmt: skip
        evidence.append(_arithmetic(costs, limit, rate))
        dearest = (
            f" on average, {limit.dearest_share:.0%} of it for {limit.dearest}" if len(costs) > 1 else ""
        )
        arithmetic = (
            f"One costs {limit.cpu_ms:.1f} ms of CPU{dearest}; at the very most {_counted(cores())} would hold "
            f"{limit.rate_max_per_s:.0f}/s, and {rate:.0f}/s need {_counted(needed)}. "
        )
    facts: dict[str, Any] = {"measures": tuple(measures), "evidence": tuple(evidence)}
    if found.rate_per_s >= rate:
        title = f"{rate:.0f} {what} a second hold ({asked.mix})"
        return exam.finding("rate", Verdict.PASS, title, cause=arithmetic, **facts)
    held = f"{found.rate_per_s:.0f} {what} a second hold here, {rate:.0f} are asked ({asked.mix})"
    if limit is not None and limit.rate_max_per_s < rate:
        cause = f"{arithmetic}A machine of this size cannot show it. {_why(found)}"
        fix = "Run it where there are enough cores, or ask for a rate this machine can hold (rate_per_s of the load)."
        return exam.finding("rate", Verdict.NOT_MEASURED, held, cause=cause, fix=fix, **facts)
    cause = f"{arithmetic}{_why(found)}"
    if not _is_certain(found):
        return exam.finding("rate", Verdict.INCONCLUSIVE, held, cause=cause, fix=_QUIETER, **facts)
    fix = "The cores would allow it: look for what waits (locks, a pool too small, one process where several could work)."
    return exam.finding("rate", Verdict.FAIL, held, cause=cause, fix=fix, **facts)


def never_held(exam: Exam, part: str, asked: Asked, found: Found) -> Finding:
    """Say of a part that not even the lowest rate kept its objective."""
    lowest = min((one.rate_per_s for one in found.tries), default=0.0)
    title = f"Not even {lowest:.0f} {asked.what} a second keep their objective"
    facts: dict[str, Any] = {"cause": _why(found), "evidence": (_tries(found, asked),)}
    if not _is_certain(found):
        return exam.finding(part, Verdict.INCONCLUSIVE, f"{title} here", fix=_QUIETER, **facts)
    return exam.finding(part, Verdict.FAIL, title, **facts)


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _counted(n: int) -> str:
    return f"{n} core{'s' if n != 1 else ''}"


def _lowest_broken(found: Found) -> Try | None:
    return min((one for one in found.tries if not one.is_held), key=lambda one: one.rate_per_s, default=None)


def _is_certain(found: Found) -> bool:
    lowest = _lowest_broken(found)
    return lowest is None or lowest.is_certain


def _why(found: Found) -> str:
    lowest = _lowest_broken(found)
    if lowest is None:
        return ""
    doubt = (
        "" if lowest.is_certain else " The load generator itself was late, so this says nothing of the app."
    )
    return f"At {lowest.rate_per_s:.0f}/s: {lowest.note}.{doubt}"


def _tries(found: Found, asked: Asked) -> Evidence:
    rows = [(f"{one.rate_per_s:.0f}", "holds" if one.is_held else "breaks", one.note) for one in found.tries]
    return table_evidence("What was tried", (asked.unit, "", "what was seen"), rows)


def _arithmetic(costs: Sequence[Cost], limit: Capacity, rate_per_s: float) -> Evidence:
    rows = [
        (cost.name, f"{cost.share:.0%}", f"{cost.cpu_ms:.2f}", f"{cost.cpu_ms * cost.share:.2f}")
        for cost in costs
    ]
    rows.append(("the mix", "100%", "", f"{limit.cpu_ms:.2f}"))
    rows.append((f"cores for {rate_per_s:.0f}/s", "", "", str(cores_needed(rate_per_s, cpu_ms=limit.cpu_ms))))
    return table_evidence(
        "Capacity: CPU of all the app's processes, in ms", ("part", "share", "each", "of the mix"), rows
    )

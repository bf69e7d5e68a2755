"""P1-P3: the declared latency objectives, measured under one open-loop load and judged by R1.

All journeys run at once, as they do in life. A verdict comes from counts of requests beyond
the threshold in blocks of seconds, never from a percentile; the percentiles stand beside it
for reading.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Journey
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.load.plan import LoadPlan
from shipworthy.gauntlet.probes.under_load import (
    QUICK_SHAPE,
    RELEASE_SHAPE,
    SEED,
    Shape,
    latency_finding,
    offered_validly,
    users_of,
)
from shipworthy.judge.exceedance import judge_slo


async def objectives_under_load(exam: Exam) -> list[Finding]:
    """Offer every journey at its declared rate and judge each against its objective."""
    return await judged_under_load(exam, RELEASE_SHAPE if exam.mode == "full" else QUICK_SHAPE)


async def judged_under_load(exam: Exam, shape: Shape) -> list[Finding]:
    """Offer the journeys in this shape; collect their curves; return one finding per journey."""
    wanted = [j for j in exam.manifest.journeys if exam.wants(j.name)]
    plan = await journeys_plan(exam, shape, wanted)
    result = await offered_validly(exam, plan, rule=shape.rule)
    return [
        latency_finding(
            exam,
            journey,
            judge_slo(journey.blocks, quantile=journey.slo.quantile, rule=shape.rule),
            check=f"slo.{journey.slo.name}",
        )
        for journey in result.journeys
    ]


async def journeys_plan(exam: Exam, shape: Shape, journeys: Sequence[Journey]) -> LoadPlan:
    """Return the load of these journeys at their declared rates."""
    manifest = exam.manifest
    return LoadPlan(
        name=exam.target.name,
        base_url=exam.handle.base_url,
        site_url=exam.handle.site_url,
        journeys=tuple(journeys),
        slos=manifest.slos,
        users=await users_of(exam),
        login=manifest.login,
        code_folder=exam.target.folder,
        blocks=shape.blocks,
        block_s=shape.block_s,
        warmup_s=shape.warmup_s,
        seed=SEED,
    )

"""A load by itself: the declared journeys of a target, offered as somebody asks for them, without an exam.

Owns what may be changed about the declared load (which journeys, how fast, how long, in what shape, which
part of it) and nothing of how it is offered or judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from shipworthy.contract.manifest import Journey
from shipworthy.contract.target import Target
from shipworthy.gauntlet.exam import Exam, Instance
from shipworthy.gauntlet.load.arrivals import Shape
from shipworthy.gauntlet.load.plan import PlanRefused, check
from shipworthy.gauntlet.load.result import LoadResult
from shipworthy.gauntlet.probes.objectives import journeys_plan
from shipworthy.gauntlet.probes.under_load import QUICK_SHAPE, SEED, offered
from shipworthy.gauntlet.view import View

BLOCK_S = 3.0  # as the quick gauntlet's, so that the same rule can judge them
WARMUP_S = 3.0


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for. Left out, it is what the target declares.

    Units:   `rate_per_s` is that of all journeys together, shared as they were declared; seconds.
    """

    journeys: tuple[str, ...] = ()
    rate_per_s: float | None = None
    duration_s: float = 72.0
    shape: Shape = field(default_factory=Shape)
    seed: int = SEED
    shard: tuple[int, int] = (0, 1)


async def offer_alone(target: Target, instance: Instance, wish: Wish, view: View) -> LoadResult:
    """Offer the load to a running instance and return what came of it, each block's histogram kept.

    Errors:  PlanRefused for a wish that cannot be offered; Undecided when it could not be measured.
    """
    exam = Exam(target, instance, view=view)
    try:
        shape = replace(
            QUICK_SHAPE, blocks=max(1, round(wish.duration_s / BLOCK_S)), block_s=BLOCK_S, warmup_s=WARMUP_S
        )
        plan = replace(
            await journeys_plan(exam, shape, _wanted(target.manifest.journeys, wish)),
            shape=wish.shape,
            seed=wish.seed,
            shard=wish.shard,
            keeps_blocks=True,
        )
        check(plan)
        return await offered(exam, plan)
    finally:
        await exam.close()


def _wanted(declared: tuple[Journey, ...], wish: Wish) -> tuple[Journey, ...]:
    """Errors: PlanRefused naming the journeys there are."""
    names = ", ".join(j.name for j in declared) or "none"
    unknown = [name for name in wish.journeys if name not in {j.name for j in declared}]
    if unknown or not declared:
        said = f"there is no journey {unknown[0]!r}" if unknown else "the target declares no journey"
        raise PlanRefused(f"{said}; declared: {names}")
    wanted = [j for j in declared if not wish.journeys or j.name in wish.journeys]
    if wish.rate_per_s is None:
        return tuple(wanted)
    factor = wish.rate_per_s / sum(j.rate_per_s for j in wanted)
    return tuple(replace(j, rate_per_s=j.rate_per_s * factor) for j in wanted)

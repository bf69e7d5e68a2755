"""Real deploys: real processes behind a real front under load, one fault a deploy."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.canary.fleet import Kept, kept
from benchmarks.canary.version import Version
from benchmarks.canary.visitors import Visitors, visiting
from shipworthy.delivery.plan import Plan

RATE_PER_S = 300.0
KINDS = {
    "2x slower": "slow",
    "3 % errors": "errors3",
    "slow only on invoices": "slow-invoices",
    "broken for one tenant": "one-tenant",
}
OTHERS = {"dead": "dead", "30 % errors": "errors30"}
HEALTHY = "healthy"
# Stages as short as a benchmark allows; the judge's bounds are the product's.
PLAN = Plan(weights=(1, 5, 25, 50, 100), stage_s=4.0, stage_requests_min=10, patience_s=150.0)


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One deploy: how it ended, how many requests the canary got until then, and what was dropped meanwhile."""

    kind: str
    decision: str
    reason: str
    requests: int
    took_s: float
    weight_zero_s: float | None
    after_zero: bool  # a request sent after the weight was 0 was answered by the canary
    dropped: int


async def deploys(
    *, rounds: int, healthy: int, told: Callable[[Deployed], None]
) -> tuple[list[Deployed], Visitors]:
    """Deploy each of KINDS `rounds` times, OTHERS half as often and a healthy version `healthy` times, under load."""
    order = [kind for number in range(rounds) for kind in (*KINDS, *(OTHERS if number % 2 == 0 else ()))]
    order += [HEALTHY] * healthy
    done = []
    with tempfile.TemporaryDirectory(prefix="shipworthy-canary-") as folder:
        async with (
            kept(Path(folder), Version("v0")) as fleet,
            visiting(fleet.port, rate_per_s=RATE_PER_S, seed=7) as visitors,
        ):
            await asyncio.sleep(2.0)  # connections, and the first sessions
            for number, kind in enumerate(order, 1):
                done.append(await _deployed(fleet, visitors, kind, number))
                told(done[-1])
    return done, visitors


async def _deployed(fleet: Kept, visitors: Visitors, kind: str, number: int) -> Deployed:
    fault = {**KINDS, **OTHERS}.get(kind, "none")
    version = Version(f"v{number}-{fault}", fault)
    began_s, dropped = time.monotonic(), len(visitors.dropped)
    outcome = await fleet.deploy(version, PLAN)
    ended_s = time.monotonic()
    await asyncio.sleep(1.0)  # a request that comes late would show
    return Deployed(
        kind=kind,
        decision=outcome.decision,
        reason=outcome.reason,
        requests=outcome.judged_requests,
        took_s=ended_s - began_s,
        weight_zero_s=outcome.weight_zero_s,
        after_zero=outcome.decision != "promoted" and visitors.late_by.get(version.name, 0.0) > ended_s,
        dropped=len(visitors.dropped) - dropped,
    )

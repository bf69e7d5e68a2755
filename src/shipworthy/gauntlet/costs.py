"""What an app costs: the CPU of one request of each journey by process, memory, and the bytes of a row.

Each journey is offered alone and gently, so that what one costs is not what it waits for. What the processes do when
nobody asks anything is no request's cost, and is taken off.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shipworthy.contract.manifest import Journey
from shipworthy.contract.target import Target
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.exam import Exam, Instance
from shipworthy.gauntlet.load.plan import PlanRefused, check
from shipworthy.gauntlet.probes.objectives import journeys_plan
from shipworthy.gauntlet.probes.process_tree import anonymous_bytes, cpu_s, idle_cores
from shipworthy.gauntlet.probes.tables import app_tables
from shipworthy.gauntlet.probes.under_load import QUICK_SHAPE, offered
from shipworthy.gauntlet.view import QUIET, View

GENTLE_PER_S = 10.0  # signing its people in is counted with it, and must not weigh
# A fresh app works off what its example data asked for; what it does then is no habit of it.
IDLE_CORES_MAX, IDLE_TRIES = 0.25, 15
ROWS_MIN = 100  # below it a table's first pages say nothing of a row


@dataclass(frozen=True, kw_only=True)
class JourneyCost:
    """Units: `cpu_ms` a request, by the process that spent it; `failed` of `requests`."""

    journey: str
    cpu_ms: Mapping[str, float]
    requests: int
    failed: int


@dataclass(frozen=True, kw_only=True)
class RowCost:
    """Units: `bytes` a row, its indexes and what it holds out of line included."""

    table: str
    rows: int
    bytes: float


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Units: `memory_bytes` of each process's own, after the load; `idle_cores` of each when nobody asks."""

    journeys: tuple[JourneyCost, ...]
    memory_bytes: Mapping[str, int]
    idle_cores: Mapping[str, float]
    rows: tuple[RowCost, ...] = ()
    notes: tuple[str, ...] = ()


async def costs_of(target: Target, instance: Instance, *, seconds: float, view: View = QUIET) -> Costs:
    """Measure an instance that runs; takes `seconds` and a few more for each journey.

    Errors:  Unmeasurable when no process of it is known; PlanRefused when no journey is declared; Undecided when the
             load could not be offered.
    """
    exam = Exam(target, instance, view=view)
    try:
        pids: dict[str, list[int]] = {}
        for process in exam.handle.processes:
            pids.setdefault(process.name, []).append(process.pid)
        if not pids:
            raise Unmeasurable(
                "No process of the app is known, so what it uses cannot be counted.",
                fix="Let the target be started by a command on this machine ([target] start).",
            )
        if not target.manifest.journeys:
            raise PlanRefused("the target declares no journey; declared: none")
        idle = await idle_cores(pids)
        for _ in range(IDLE_TRIES):
            if sum(idle.values()) <= IDLE_CORES_MAX:
                break
            idle = await idle_cores(pids)
        journeys = [
            await _journey(exam, journey, pids, idle, seconds=seconds) for journey in target.manifest.journeys
        ]
        rows, notes = await _rows(exam)
        if sum(idle.values()) > IDLE_CORES_MAX:
            notes = (*notes, "The app never came to rest, so what one request costs is told less exactly.")
        return Costs(
            journeys=tuple(journeys),
            memory_bytes={name: anonymous_bytes(own) for name, own in pids.items()},
            idle_cores=idle,
            rows=rows,
            notes=notes,
        )
    finally:
        await exam.close()


async def _journey(
    exam: Exam,
    journey: Journey,
    pids: Mapping[str, Sequence[int]],
    idle: Mapping[str, float],
    *,
    seconds: float,
) -> JourneyCost:
    shape = replace(QUICK_SHAPE, blocks=max(1, round(seconds / QUICK_SHAPE.block_s)))
    plan = await journeys_plan(exam, shape, [replace(journey, rate_per_s=GENTLE_PER_S)])
    check(plan)
    before, began = _used_s(pids), time.monotonic()
    result = await offered(exam, plan)
    took_s = time.monotonic() - began
    used = {name: after - before[name] - idle[name] * took_s for name, after in _used_s(pids).items()}
    (seen,) = result.journeys
    asked = max(result.offered, 1)
    return JourneyCost(
        journey=journey.name,
        cpu_ms={name: max(cpu, 0.0) * 1000 / asked for name, cpu in used.items()},
        requests=seen.requests,
        failed=sum(seen.failures.values()),
    )


def _used_s(pids: Mapping[str, Sequence[int]]) -> dict[str, float]:
    return {name: cpu_s(own) for name, own in pids.items()}


async def _rows(exam: Exam) -> tuple[tuple[RowCost, ...], tuple[str, ...]]:
    if not exam.can("database.admin"):
        return (), (
            "What a row takes was not measured: no administrator's address of the database is known.",
        )
    found = []
    async with exam.database("admin").connection() as connection:
        for table in await app_tables(connection, exam.manifest.tables, exam.manifest.scope):
            rows, whole = await connection.fetchrow(
                f"select count(*), pg_total_relation_size($1::oid) from {table.quoted}",  # noqa: S608 - quoted
                table.oid,
            )
            if rows >= ROWS_MIN:
                found.append(RowCost(table=table.name, rows=rows, bytes=whole / rows))
    return tuple(sorted(found, key=lambda row: row.table)), ()

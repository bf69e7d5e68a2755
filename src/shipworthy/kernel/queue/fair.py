"""Whose turn it is: start-time fair queueing over measured cost. Pure arithmetic; knows no database.

Each tenant (or realm) is a flow. A job's place in line is its start: the virtual time at which its flow would begin it
if all flows were served alike. A flow that comes back from idling joins where the others are, so it neither waits behind
a flood nor hoards credit. What a job costs is known only after it ran: the next starts of its flow are moved by the
difference. Only the first few of a flow stand in line, so that the differences reach the rest.

Source:  Goyal, Vin, Cheng, "Start-time fair queueing" (SIGCOMM 1996).
Units:   virtual milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

TOP = 2**31 - 1  # the priority of a start at the base; pgqueuer's is a 32-bit integer, highest first
UNPLACED = 0  # the priority of a job that has no place yet: after all that have one
# Jobs of one flow in line: as many as may run at once. What is in line was placed by what its flow cost until then, so
# a longer line is a longer memory of a wrong guess (16 at four unlike flows: Jain's index 0.86; 6: 0.98, 2026-11).
WINDOW = 6
_COST_FIRST_MS = 50  # of a flow of which nothing is known
_MEMORY = 5  # a cost counts a fifth, the ones before it the rest


@dataclass(frozen=True, slots=True)
class Flow:
    """Where a flow's next job starts, and what its jobs cost lately."""

    finish_ms: int = 0
    cost_ms: int = _COST_FIRST_MS


@dataclass(frozen=True, slots=True)
class Waiting:
    """One of the first jobs of a flow; `start_ms` None while it has no place in line."""

    job_id: int
    flow: str
    start_ms: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """The places that were given, the flows as they are then, and the virtual time."""

    starts_ms: Mapping[int, int]
    flows: Mapping[str, Flow]
    virtual_ms: int


def line_up(waiting: Sequence[Waiting], flows: Mapping[str, Flow], *, virtual_ms: int) -> Line:
    """Give every job a place that has none. Within a flow the order is theirs."""
    virtual_ms = _moved(waiting, flows, virtual_ms)
    starts_ms: dict[int, int] = {}
    after = dict(flows)
    for job in waiting:
        if job.start_ms is None:
            flow = after.get(job.flow, Flow())
            start_ms = max(virtual_ms, flow.finish_ms)
            starts_ms[job.job_id] = start_ms
            after[job.flow] = Flow(start_ms + flow.cost_ms, flow.cost_ms)
    return Line(starts_ms, after, virtual_ms)


def charged(flow: Flow, costs_ms: Iterable[int]) -> Flow:
    """Return a flow after jobs of it ran: what they cost more (or less) than was thought moves its next start."""
    finish_ms, cost_ms = flow.finish_ms, flow.cost_ms
    for measured_ms in costs_ms:
        finish_ms += measured_ms - cost_ms
        cost_ms = max(1, (cost_ms * (_MEMORY - 1) + measured_ms) // _MEMORY)
    return Flow(max(0, finish_ms), cost_ms)


def priority_of(start_ms: int, *, base_ms: int) -> int:
    """Return a start as pgqueuer's priority. What lies too far ahead of the base is last of those with a place."""
    return max(UNPLACED + 1, TOP - max(0, start_ms - base_ms))


def start_of(priority: int, *, base_ms: int) -> int | None:
    return None if priority <= UNPLACED else base_ms + TOP - priority


def _moved(waiting: Sequence[Waiting], flows: Mapping[str, Flow], virtual_ms: int) -> int:
    """Return the virtual time: the least start among the flows that wait, never less than before."""
    least: dict[str, int] = {}
    for job in waiting:
        known = flows.get(job.flow)
        if job.start_ms is not None:
            least[job.flow] = min(least.get(job.flow, job.start_ms), job.start_ms)
        elif job.flow not in least and known is not None and known.finish_ms >= virtual_ms:
            least[job.flow] = known.finish_ms  # it has been waiting all along
    return max(virtual_ms, min(least.values(), default=virtual_ms))

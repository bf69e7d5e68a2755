"""How a worker takes jobs: in the fair order, and of no tenant more at once than it may have running.

pgqueuer keeps the jobs and runs them; the order is ours (`fair.py`), written into its priority by whichever worker looks
first, and so is the statement that takes them, because pgqueuer's own knows no tenants. A job that nobody has placed yet
is still taken when nothing else waits.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job

from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Database, Tx
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.queue.fair import WINDOW, Flow, Waiting, charged, line_up, priority_of, start_of
from shipworthy.kernel.telemetry.log import log

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")

_LOOK_S = 0.1  # how often the line is looked at while there is work
_ANYWHERE = Scope(uuid.UUID(int=0))
SPAN_MS = 2**30  # how far the virtual time goes before the priorities of all that wait are moved


class Line:
    """The line of jobs as one worker sees it: it notes what its jobs cost and gives places to those that have none."""

    def __init__(self, database: Database, *, span_ms: int = SPAN_MS) -> None:
        self._database, self._span_ms = database, span_ms
        self._costs_ms: dict[str, list[int]] = {}
        self._look_at_s = 0.0

    def charge(self, flow: str, cost_ms: int) -> None:
        """Note what a job of a flow cost; it counts from the next look on."""
        self._costs_ms.setdefault(flow, []).append(cost_ms)

    async def look(self) -> None:
        """Look at the line, unless somebody just did. A look that fails costs the order, never a job."""
        now_s = time.monotonic()
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + _LOOK_S
        try:
            await self.arrange()
        except Refusal as away:
            log.warning("the line of jobs was not arranged", extra={"reason": away.code})

    async def arrange(self) -> int:
        """Give places to the first jobs of every flow; return how many. One worker at a time does."""
        costs_ms, self._costs_ms = self._costs_ms, {}
        try:
            async with self._database.begin(_ANYWHERE) as tx:
                if not (await tx.one(q.job_line_try))["is_mine"]:
                    self._keep(costs_ms)
                    return 0
                return await self._arranged(tx, costs_ms)
        except BaseException:
            self._keep(costs_ms)
            raise

    async def _arranged(self, tx: Tx, costs_ms: Mapping[str, list[int]]) -> int:
        line = await tx.one(q.job_line_get)
        rows = await tx.all(q.job_line_first, window=WINDOW)
        names = sorted({row["flow"] for row in rows} | costs_ms.keys())
        if not names:
            return 0
        flows = {
            r["flow"]: Flow(r["finish_ms"], r["cost_ms"]) for r in await tx.all(q.job_flows, flows=names)
        }
        before = dict(flows)
        for name, costs in costs_ms.items():
            flows[name] = charged(flows.get(name, Flow()), costs)
        base_ms = line["base_ms"]
        waiting = [Waiting(r["id"], r["flow"], start_of(r["priority"], base_ms=base_ms)) for r in rows]
        placed = line_up(waiting, flows, virtual_ms=line["virtual_ms"])
        base_ms = await self._moved(tx, base_ms, placed.virtual_ms)
        if placed.starts_ms:
            priorities = [priority_of(start, base_ms=base_ms) for start in placed.starts_ms.values()]
            await tx.run(q.job_line_place, ids=list(placed.starts_ms), priorities=priorities)
        changed = {name: flow for name, flow in placed.flows.items() if before.get(name) != flow}
        if changed:
            await tx.run(
                q.job_flows_write,
                flows=list(changed),
                finishes_ms=[flow.finish_ms for flow in changed.values()],
                costs_ms=[flow.cost_ms for flow in changed.values()],
            )
        if placed.virtual_ms != line["virtual_ms"]:
            await tx.run(q.job_line_move, virtual_ms=placed.virtual_ms, base_ms=base_ms)
        return len(placed.starts_ms)

    async def _moved(self, tx: Tx, base_ms: int, virtual_ms: int) -> int:
        """Rebase before the priorities run out: everything that waits moves up by as much. Return the new base."""
        if virtual_ms - base_ms < self._span_ms:
            return base_ms
        await tx.run(q.job_line_rebase, by_ms=virtual_ms - base_ms)
        await tx.run(q.job_line_move, virtual_ms=virtual_ms, base_ms=virtual_ms)
        await tx.run(q.job_flows_forget, before_ms=virtual_ms)
        return virtual_ms

    def _keep(self, costs_ms: Mapping[str, list[int]]) -> None:
        for flow, costs in costs_ms.items():
            self._costs_ms.setdefault(flow, [])[:0] = costs


class FairQueries(Queries):
    """pgqueuer's statements, with the one that takes jobs replaced by ours."""

    def __init__(self, driver: Any, line: Line, *, flow_jobs_max: int) -> None:
        super().__init__(driver)
        self._line, self._flow_jobs_max = line, flow_jobs_max

    async def dequeue(
        self,
        batch_size: Any,  # the name is pgqueuer's
        entrypoints: Mapping[Any, Any],
        queue_manager_id: Any,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Job]:
        """Take up to `batch_size` jobs, as `Queries.dequeue` does."""
        await self._line.look()
        values = {
            "kinds": list(entrypoints),
            "worker": queue_manager_id,
            "most": batch_size,
            "worker_jobs_max": global_concurrency_limit or 2**31 - 1,
            "flow_jobs_max": self._flow_jobs_max,
            "silent": heartbeat_timeout,
        }
        rows = await self.driver.fetch(q.job_claim.sql, *q.job_claim.arguments(values))
        return [Job.model_validate(dict(row)) for row in rows]

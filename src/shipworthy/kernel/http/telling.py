"""What is told of a request when it is over: its metrics, and its trace where there is one."""

from __future__ import annotations

import time

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.route import Route
from shipworthy.kernel.telemetry.spans import Attributes
from shipworthy.kernel.telemetry.trace import current


def tell(
    ctx: Ctx,
    route: Route | None,
    method: str,
    status: int,
    *,
    started_s: float,
    failure: BaseException | None,
) -> None:
    """Count the request and give its spans away. A failure counts as one when we are to blame (5xx)."""
    runtime, trace = ctx.runtime, current()
    name = f"{route.method} {route.path}" if route else "unmatched"
    if runtime.settings.telemetry.metrics:
        queries = ctx.tx.queries_run if ctx.tx else 0
        sampled = ctx.trace_id if trace else ""
        runtime.metrics.request(name, status, time.perf_counter() - started_s, queries, trace_id=sampled)
    blamed = failure if status >= 500 else None
    if trace is not None or blamed is not None:
        facts: Attributes = {"http.request.method": method, "http.response.status_code": status}
        if route is not None:
            facts["http.route"] = route.path
        if ctx.scope.tenant_id is not None:
            facts["app.tenant.id"] = str(ctx.scope.tenant_id)
        runtime.tracer.end(trace, trace_id=ctx.trace_id, name=name, facts=facts, failure=blamed)

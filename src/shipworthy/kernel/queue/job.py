"""Kinds of jobs, and enqueueing one in the caller's transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.source import line_of_code
from shipworthy.kernel.telemetry.trace import current

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """A kind of job. `handler(ctx, source)` may run more than once for one source and must
    have one effect; `writes` names the table whose unique row makes it so."""

    kind: str
    handler: Callable[[Ctx, str], Awaitable[None]]
    title: str
    timeout_s: float = 30.0
    attempts_max: int = 5
    writes: str | None = None
    writes_kind: str | None = None
    source_column: str | None = None
    meter: str | None = None  # of kernel/quotas: the handler counts what it used
    triggered_by: str | None = None  # "POST /invoices/{invoice_id}/finalise"

    @property
    def source(self) -> str:
        return line_of_code(self.handler)


class Payload(msgspec.Struct):
    """What a job carries: ids only. `span` is what enqueued it, where that was sampled."""

    realm: str
    tenant: str
    source: str
    trace: str
    span: str = ""


async def enqueue(ctx: Ctx, kind: str, source: object, *, tx: Tx | None = None, after_s: int = 0) -> bool:
    """Queue `kind` for `source` in the caller's transaction: it exists if and only if the change does.

    The key tenant:kind:source keeps one waiting or running job per source; returns False when
    there was one. A source that may change again must carry its version. Before a tenant is known
    (a mail to somebody who signs up) the job belongs to the realm, and runs in its scope. It is not
    begun before `after_s` have passed; whose turn it is then, the workers say (`fair.py`).
    """
    transaction = tx or ctx.db
    realm_id, tenant_id = transaction.scope.realm_id, transaction.scope.tenant_id
    trace = current()
    span_id = trace.current_id if trace else ""
    payload = Payload(str(realm_id), str(tenant_id or ""), str(source), ctx.trace_id, span_id)
    queued = await transaction.maybe(
        q.job_enqueue,
        kind=kind,
        payload=msgspec.json.encode(payload),
        dedupe_key=f"{tenant_id or realm_id}:{kind}:{source}",
        headers={"trace_id": ctx.trace_id},
        after_s=after_s,
    )
    return queued is not None

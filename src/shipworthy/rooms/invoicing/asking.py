"""Services of others that the room asks in jobs: one way out each, and asking again later and later where one is silent."""

from __future__ import annotations

import time

from shipworthy.kernel.breaker import Breaker
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.egress import Egress
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.telemetry.log import log

TRIES_MAX = 20
_TIMEOUT_S = 10.0
_WAIT_S_MAX = 3600


class NoAnswer(Exception):
    """The service did not answer, or not so that it could be understood; asking later may help."""


def egress_to(runtime: Runtime, service: str) -> Egress:
    """The one way to a service of this process: its breaker counts everybody's failures."""
    made = Egress(
        loopback_allowed=runtime.settings.http.public_scheme == "http",
        breaker=Breaker(clock=time.monotonic),
        timeout_s=_TIMEOUT_S,
    )
    egress: Egress = runtime.state.setdefault(f"invoicing.{service}", made)
    return egress


def pause_s(tries: int) -> int:
    """Return how long to wait before a question is asked again, in seconds: twice as long each time, at most an hour."""
    return min(5 << min(tries, 12), _WAIT_S_MAX)


async def asked_again(
    ctx: Ctx, job: str, source: str, *, attempt: int, service: str, silent: NoAnswer
) -> bool:
    """Queue a question that got no answer once more, later each time; False when it was asked often enough."""
    log.warning(
        "service did not answer", extra={"trace_id": ctx.trace_id, "reason": f"{service}: {silent}"[:200]}
    )
    tries = attempt + 1
    if tries >= TRIES_MAX:
        return False
    await enqueue(ctx, job, f"{source}/{tries}", after_s=pause_s(tries))
    return True

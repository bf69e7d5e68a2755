"""Admission: how often one network may ask, by GCRA; asked before anything is done for a request.

Whoever asks from this very machine is the operator, or a proxy that does not say for whom it asks: counted as one
network it would shut everybody out, so it is not counted (set http.trusted_proxies, and the proxy says). Health is asked
before, kept pages are answered before, robots.txt and sitemaps are never counted.

A crawler that is verified has no limit here. One that only says it is one has everybody's, and beyond them hears 503 with
Retry-After: a search engine comes back later then, where a 403 or 429 would cost pages their place in its index.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.edge.crawlers import Standing
from shipworthy.kernel.edge.events import Happened
from shipworthy.kernel.edge.gcra import Rate
from shipworthy.kernel.edge.networks import is_here, network_of
from shipworthy.kernel.edge.refusals import busy_now, too_often
from shipworthy.kernel.edge.section import EdgeSection
from shipworthy.kernel.edge.traps import is_trap

NETWORK, PAGE, TENANT = "network", "page", "tenant"
_NEVER_COUNTED = re.compile(r"/(?:robots\.txt|sitemap[\w-]*\.xml(?:\.gz)?|favicon\.ico|\.well-known/.*)")


class Admission:
    """Counts requests as the settings say."""

    def __init__(self, settings: EdgeSection) -> None:
        self._rates = {
            NETWORK: _rate(settings.network_requests_per_minute, settings.network_requests_burst),
            PAGE: _rate(settings.page_requests_per_minute, settings.page_requests_burst),
            TENANT: _rate(settings.tenant_requests_per_minute, settings.tenant_requests_burst),
        }

    async def admit(self, ctx: Ctx, scope: Any, headers: Mapping[str, str], *, limit: str = NETWORK) -> None:
        """Count a request of its network, and see whether it fell into a trap.

        Errors:  TooMany `edge.too_often` or Busy `edge.busy`, saying when to come back.
        Cost:    4 us with the limits in memory.
        """
        if is_here(ctx.client):
            return
        standing = ctx.runtime.edge.crawlers.standing(
            headers.get("user-agent", ""), ctx.client, request_id=ctx.trace_id
        )
        if standing is Standing.VERIFIED:
            return
        if is_trap(scope["path"]):
            _spring(ctx, scope)
        rate = self._rates[limit]
        if rate is not None and _NEVER_COUNTED.fullmatch(scope["path"]) is None:
            is_crawler = standing is not Standing.NONE
            await _count(ctx, scope, limit, network_of(ctx.client), rate, is_crawler=is_crawler)

    async def admit_tenant(self, ctx: Ctx, scope: Any) -> None:
        """Count a request of the tenant it acts for. Errors: as admit."""
        rate = self._rates[TENANT]
        if rate is not None and ctx.scope.tenant_id is not None:
            await _count(ctx, scope, TENANT, str(ctx.scope.tenant_id), rate, is_crawler=False)


async def _count(ctx: Ctx, scope: Any, limit: str, of: str, rate: Rate, *, is_crawler: bool) -> None:
    parts = ctx.runtime.edge
    wait_s = await parts.limits.wait_s(parts.keys(limit, of), rate)
    if not wait_s:
        return
    of_whom = "tenant" if limit == TENANT else "network"
    says = f"more than {rate.per_minute:g} requests a minute of one {of_whom}"
    _tell(ctx, scope, f"limit.{limit}", says, is_refused=True)
    raise busy_now(wait_s) if is_crawler else too_often(wait_s)


def _spring(ctx: Ctx, scope: Any) -> None:
    ctx.runtime.edge.suspicion.mark(network_of(ctx.client), ctx.now().timestamp())
    _tell(ctx, scope, "trap.address", "an address that nobody asks for who means well", is_refused=False)


def _tell(ctx: Ctx, scope: Any, rule: str, says: str, *, is_refused: bool) -> None:
    happened = Happened(
        rule=rule,
        says=says,
        part="address",
        method=scope["method"],
        path=scope["path"],
        network=network_of(ctx.client),
    )
    ctx.runtime.edge.events.tell(happened, trace_id=ctx.trace_id, is_refused=is_refused)


def _rate(per_minute: int, burst: int) -> Rate | None:
    return Rate(per_minute, burst) if per_minute else None

"""What crawlers fetch of a tenant's website: counted in memory, written down every few seconds, refused when it is too much.

People are never counted nor refused. While a budget runs out, programs that cannot show who they are are told to come
back (429); verified crawlers are served until it is used up, and are then told 503 with Retry-After, which a search
engine takes for a pause and not for the loss of a page. robots.txt is always answered.

Bound:  what one process sends within `EVERY_S` seconds may come on top of a limit, because limits are read as often.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from typing import Any, Literal

from shipworthy.kernel.context import Scope
from shipworthy.kernel.edge.crawlers import Standing
from shipworthy.kernel.errors import Busy
from shipworthy.kernel.http.wire import client_of, headers_of
from shipworthy.kernel.quotas.budget import commit, standing_of
from shipworthy.kernel.quotas.meters import CRAWL_BYTES
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.telemetry.log import log
from shipworthy.rooms.site.answers import refusal
from shipworthy.rooms.site.shelf import Form

EVERY_S = 5.0
_SCARCE = {
    status: refusal(
        status,
        "This website has used up what crawlers may fetch of it. Come back later.",
        (b"retry-after", b"3600"),
    )
    for status in (429, 503)
}

State = Literal["soft", "full"]


class Crawled:
    """What one process sent to crawlers and has not written down, and which tenants' budgets run out."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._bytes: Counter[uuid.UUID] = Counter()
        # A batch keeps its name until it is certainly written: a commit that was not heard of counts once.
        self._batches: dict[uuid.UUID, tuple[str, int]] = {}
        self._process, self._number = uuid.uuid4().hex[:12], 0
        self._states: dict[uuid.UUID, State] = {}

    def count(self, tenant_id: uuid.UUID, size_bytes: int) -> None:
        self._bytes[tenant_id] += size_bytes

    def is_scarce(self, tenant_id: uuid.UUID) -> bool:
        """Say whether it must be asked who a crawler is before it is served."""
        return tenant_id in self._states

    def refusal(self, tenant_id: uuid.UUID, user_agent: str, scope: Any) -> tuple[int, Form] | None:
        """Return what a crawler is refused with, None where it is served. Who it is is found out only where it matters."""
        state = self._states.get(tenant_id)
        if state is None:
            return None
        hops = self._runtime.settings.http.trusted_proxies
        client = client_of(scope, headers_of(scope), hops)
        is_verified = self._runtime.edge.crawlers.standing(user_agent, client) is Standing.VERIFIED
        if is_verified and state == "soft":
            return None
        status = 503 if is_verified else 429
        return status, _SCARCE[status]

    async def write_down(self) -> None:
        """Write what was counted, and look how the budgets stand that it came from."""
        for tenant_id, size_bytes in self._bytes.items():
            if size_bytes and tenant_id not in self._batches:
                self._number += 1
                self._batches[tenant_id] = (f"crawl:{self._process}:{self._number}", size_bytes)
                self._bytes[tenant_id] = 0
        for tenant_id in [*self._batches, *(self._states.keys() - self._batches.keys())]:
            try:
                await self._write(tenant_id)
            except Busy as away:
                log.warning("what crawlers fetched is written down later", extra={"reason": away.code})
        self._bytes = +self._bytes

    async def write_down_forever(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self.write_down()

    async def _write(self, tenant_id: uuid.UUID) -> None:
        now = self._runtime.now()
        async with self._runtime.database.begin(Scope(self._runtime.realm_id, tenant_id)) as tx:
            if tenant_id in self._batches:
                source, size_bytes = self._batches[tenant_id]
                await commit(tx, CRAWL_BYTES, source, size_bytes, now=now)
            standing = await standing_of(tx, CRAWL_BYTES, self._runtime.settings.quotas, now=now)
        self._batches.pop(tenant_id, None)
        if standing.is_full or standing.is_soft:
            self._states[tenant_id] = "full" if standing.is_full else "soft"
        else:
            self._states.pop(tenant_id, None)

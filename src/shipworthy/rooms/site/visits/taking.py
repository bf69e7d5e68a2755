"""Taking a page's word for a visit: small, seldom, from this site, and from nobody who is a program.

Whatever is sent, the answer is the same empty one: nobody learns what is counted.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from shipworthy.kernel.edge.gcra import Rate
from shipworthy.kernel.edge.limits import MemoryLimits
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.wire import ClientGone, client_of, headers_of, read_body
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.site.addresses import requested_path
from shipworthy.rooms.site.hosts import Site
from shipworthy.rooms.site.visits.counted import Counted, VisitTally
from shipworthy.rooms.site.visits.vitals import span_of

_BODY_BYTES_MAX = 2_048
_BODY_TIMEOUT_S = 5.0
_RATE = Rate(per_minute=60, burst=60)  # from one network, of one site
_NETWORKS_MAX = 20_000
_FROM = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?")
_PROGRAM = re.compile(
    r"bot|crawl|spider|slurp|headless|lighthouse|preview|monitor|scan|fetch|python|curl|wget|http",
    re.IGNORECASE,
)


class Visit(msgspec.Struct, frozen=True):
    """What the script says. Units: milliseconds; `cls` in thousandths."""

    path: str = ""
    referrer: str = msgspec.field(default="", name="from")
    lcp: int = 0
    inp: int = 0
    cls: int = 0


class Visits:
    """Takes visits and hands them to the tally."""

    def __init__(self, runtime: Runtime, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime = runtime
        self.tally = VisitTally(runtime)
        self._limits = MemoryLimits(clock=clock, keys_max=_NETWORKS_MAX)

    async def take(self, scope: Any, receive: Any, site: Site) -> int:
        """Count a visit when it is one; return the status: 204, or 413 for a body no page sends."""
        headers = headers_of(scope)
        try:
            body = await read_body(receive, headers, bytes_max=_BODY_BYTES_MAX, timeout_s=_BODY_TIMEOUT_S)
        except Refusal:
            return 413
        except ClientGone:
            return 204  # nobody reads it
        self._count(
            headers, body, client_of(scope, headers, self._runtime.settings.http.trusted_proxies), site
        )
        return 204

    def _count(self, headers: Mapping[str, str], body: bytes, client: str, site: Site) -> None:
        if not (site.is_primary and is_countable(headers)):  # a preview is not a visit
            return
        if self._limits.wait_now_s(site.sender_key(client), _RATE):
            return
        visit = read_visit(body)
        if visit is not None:
            self.tally.count(counted(visit, site, self._runtime.now().date()))


def is_countable(headers: Mapping[str, str]) -> bool:
    """Say whether this is a person on our own page who did not ask to be left alone."""
    agent = headers.get("user-agent", "")
    is_person = agent.startswith("Mozilla/") and not _PROGRAM.search(agent)
    is_willing = headers.get("sec-gpc") != "1" and headers.get("dnt") != "1"
    is_fetched_ahead = "prefetch" in headers.get("sec-purpose", "") or "prerender" in headers.get(
        "sec-purpose", ""
    )
    origin = headers.get("origin", "")
    is_ours = origin.rpartition("//")[2] == headers.get("host")
    return is_person and is_willing and is_ours and not is_fetched_ahead


def read_visit(body: bytes) -> Visit | None:
    """Return what a body says, or None for what the script never sends."""
    try:
        visit = msgspec.json.decode(body, type=Visit)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    path = requested_path(visit.path.encode("utf-8", "replace"))
    return None if path is None else msgspec.structs.replace(visit, path=path)


def counted(visit: Visit, site: Site, day: date) -> Iterator[Counted]:
    """Yield what a visit adds to: the page's views, the site it came from, and the spans of its timings."""
    site_id = (site.tenant_id, site.site_id, day)
    yield Counted(*site_id, "view", visit.path, "")
    if visit.referrer and _FROM.fullmatch(visit.referrer):
        yield Counted(*site_id, "referrer", visit.path, visit.referrer.partition(":")[0])
    for kind, value in (("lcp", visit.lcp), ("inp", visit.inp), ("cls", visit.cls)):
        if value > 0 or kind == "cls":
            yield Counted(*site_id, kind, visit.path, str(span_of(kind, value)))

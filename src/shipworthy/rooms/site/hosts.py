"""Hosts: whose site the name in a request shows. Known hosts are answered from memory."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from shipworthy.kernel.context import Scope
from shipworthy.kernel.edge.networks import network_of
from shipworthy.kernel.errors import Busy
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.flights import Flights
from shipworthy.rooms.site.freshness import Freshness
from shipworthy.rooms.site.render import origin
from shipworthy.rooms.site.tags import EVERYTHING

_TTL_S = 10.0  # until a host that was given or taken away is noticed
PATIENCE_S = 0.5  # how long a visitor waits for news of what is known already
_HOSTS_MAX = 20_000
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """What a host shows. `prefix` begins the keys of its answers: another role sends other ones.

    A site lives on its primary host; an alias leads there; on the preview host its people look at what is
    not published yet, and nothing of that host may reach an index.
    """

    tenant_id: uuid.UUID
    site_id: uuid.UUID
    origin: str  # of the host the site lives on, whichever host was asked
    role: Literal["primary", "alias", "preview"]
    crawlers: str  # whom its robots.txt lets in
    locale: str  # of the words around its text
    prefix: bytes
    freshness: Freshness

    @property
    def is_primary(self) -> bool:
        return self.role == "primary"

    def sender_key(self, client: str) -> bytes:
        """What limits count of who sends something here: one address of IPv4, or a /64."""
        return self.site_id.bytes + network_of(client, 32, 64).encode()


class Hosts:
    """The hosts this process was asked for, and the freshness of their sites."""

    def __init__(self, runtime: Runtime, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime = runtime
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Site | None]] = OrderedDict()
        self._fresh: dict[uuid.UUID, Freshness] = {}
        self._flights: Flights[Site | None] = Flights()

    def known(self, host_header: bytes) -> Site | None:
        """Return the site of a Host header when that was found out lately; else None."""
        known = self._known.get(host_header)
        return known[1] if known is not None and known[0] > self._clock() else None

    async def find(self, host_header: bytes) -> Site | None:
        """Return the site of a Host header, or None for a host nobody has here.

        While the database is away or slow, what was true is the best there is.
        Errors:  Busy for a host that was never asked for before.
        """
        known = self._known.get(host_header)
        if known is not None and known[0] > self._clock():
            return known[1]
        host = host_header.decode("latin-1").lower().partition(":")[0]
        if not _HOST.fullmatch(host):
            return None
        try:
            async with asyncio.timeout(None if known is None else PATIENCE_S):
                site = await self._flights.once(host, self._look_up(host))
        except (Busy, TimeoutError):
            if known is None:
                raise
            site = known[1]
        self._known[host_header] = (self._clock() + _TTL_S, site)
        while len(self._known) > _HOSTS_MAX:
            self._known.popitem(last=False)
        return site

    def ask_again(self, site_id: uuid.UUID) -> None:
        """Ask the database for this site's hosts when they are asked for next."""
        for header, (_, site) in list(self._known.items()):
            if site is not None and site.site_id == site_id:
                self._known[header] = (0.0, site)

    def freshness_of(self, site_id: uuid.UUID) -> Freshness | None:
        """Return the freshness of a site; None for one that nobody asked this process for."""
        return self._fresh.get(site_id)

    def everything_changed(self) -> None:
        """Nothing that was read so far is known to be true still."""
        for freshness in self._fresh.values():
            freshness.changed((EVERYTHING,))

    async def _look_up(self, host: str) -> Site | None:
        async with self._runtime.database.begin(Scope(self._runtime.realm_id)) as tx:
            row = await tx.maybe(q.domain_get, host=host)
        if row is None or row["primary_host"] is None:
            return None
        async with self._runtime.database.begin(Scope(self._runtime.realm_id, row["tenant_id"])) as tx:
            said = await tx.one(q.site_said, site_id=row["site_id"])
        crawlers, locale = said["crawlers"], said["locale"] or self._runtime.settings.app.locale
        return Site(
            tenant_id=row["tenant_id"],
            site_id=row["site_id"],
            origin=origin(self._runtime.settings, row["primary_host"]),
            role=row["role"],
            crawlers=crawlers,
            locale=locale,
            prefix=row["site_id"].bytes
            + f"{row['role']} {crawlers} {locale} {row['primary_host']} ".encode(),
            freshness=self._fresh.setdefault(row["site_id"], Freshness()),
        )

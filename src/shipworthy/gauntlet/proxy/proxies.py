"""`Proxies` and `Proxy`: the examiner's handles of the proxies that stand before an app's needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from shipworthy.contract.strict import encode
from shipworthy.gauntlet.companion import Companion, start_companion
from shipworthy.gauntlet.proxy.front import LOOPBACK
from shipworthy.gauntlet.proxy.toxic import Toxic


@dataclass(frozen=True, kw_only=True)
class ProxyState:
    """What a proxy sees. `unreached` counts the connections that could not be made onward."""

    toxics: tuple[str, ...]  # in force
    connections: int  # now
    accepted: int  # so far
    unreached: int


class Proxy:
    """The proxy before one dependency."""

    def __init__(self, companion: Companion, name: str, port: int) -> None:
        self._companion, self.name, self.port = companion, name, port

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    async def aim(self, upstream: str = "") -> None:
        """Stand before this address ("host:port") from now on; without one, before what it was opened for."""
        await self._companion.ask("aim", name=self.name, upstream=upstream)

    async def add(self, toxic: Toxic, *, lease_s: float) -> str:
        """Put a toxic into force, also on connections that exist; return its name.

        It ends with `remove`, with its lease, or with the examiner, whichever comes first.
        Errors:  ValueError for a lease that cannot be kept; CompanionGone.
        """
        answer = await self._companion.ask("add", name=self.name, toxic=encode(toxic), lease_s=lease_s)
        return str(answer["toxic"])

    async def remove(self, toxic: str) -> None:
        """Take a toxic out of force. Harmless when its lease ended first."""
        await self._companion.ask("remove", name=self.name, toxic=toxic)

    async def clear(self) -> None:
        """Be a plain pass-through."""
        await self._companion.ask("clear", name=self.name)

    async def state(self) -> ProxyState:
        answer = await self._companion.ask("state", name=self.name)
        return ProxyState(
            toxics=tuple(answer["toxics"]),
            connections=answer["connections"],
            accepted=answer["accepted"],
            unreached=answer["unreached"],
        )


class Proxies:
    """All proxies of a run, in one process."""

    def __init__(self, companion: Companion) -> None:
        self._companion = companion
        self._opened: dict[str, Proxy] = {}

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._opened)

    @property
    def pid(self) -> int:
        return self._companion.pid

    def __getitem__(self, name: str) -> Proxy:
        return self._opened[name]

    def get(self, name: str) -> Proxy | None:
        return self._opened.get(name)

    def died(self) -> str:
        """Return why the proxies are gone, and with them all an app needs; empty while they run."""
        return self._companion.died()

    async def open(self, name: str, *, upstream: str = "", told_by: Path | None = None) -> Proxy:
        """Open a proxy before `upstream` ("host:port"), or before what a file will say (front.told_by).

        Without either it resets what comes, until it is aimed.
        """
        answer = await self._companion.ask(
            "open", name=name, upstream=upstream, told_by=str(told_by) if told_by else None
        )
        self._opened[name] = Proxy(self._companion, name, answer["port"])
        return self._opened[name]

    async def serve(self, pids: Iterable[int]) -> None:
        """Go on without us for as long as one of these processes lives."""
        await self._companion.ask("serve", pids=list(pids))


@asynccontextmanager
async def proxies_running() -> AsyncIterator[Proxies]:
    """Run the process of the proxies until the block ends.

    Cost:    two interpreters' start, 0.1 s; 12 MB. What a hop costs is in benchmarks/proxy.py.
    """
    companion = await start_companion("shipworthy.gauntlet.proxy", what="The process of the proxies")
    try:
        yield Proxies(companion)
    finally:
        await companion.end()

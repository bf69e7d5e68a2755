"""What the edge keeps through the life of a process, made by the composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from shipworthy import __version__
from shipworthy.kernel.edge.challenge import Challenges
from shipworthy.kernel.edge.crawlers import Crawlers, read_ranges
from shipworthy.kernel.edge.events import EDGE_FILE, Events, Happened
from shipworthy.kernel.edge.limits import Keys, Limits, MemoryLimits
from shipworthy.kernel.edge.limits_postgres import PostgresLimits
from shipworthy.kernel.edge.networks import network_of
from shipworthy.kernel.edge.resolver import SystemResolver
from shipworthy.kernel.edge.suspicion import Suspicion
from shipworthy.kernel.telemetry.export import Exporter, to_collector, to_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from shipworthy.kernel.app import Installation
    from shipworthy.kernel.db.tx import Database
    from shipworthy.kernel.http.metrics import Metrics
    from shipworthy.kernel.settings import Settings


@dataclass(frozen=True, slots=True)
class EdgeParts:
    """What guard, admission and rooms share. `events_file` is where events are kept; None: at a collector."""

    events: Events
    limits: Limits
    keys: Keys
    crawlers: Crawlers
    suspicion: Suspicion
    challenges: Challenges
    events_file: Path | None


@asynccontextmanager
async def edge_running(
    settings: Settings,
    installation: Installation,
    database: Database,
    metrics: Metrics,
    *,
    scrub: Callable[[str], str],
    now: Callable[[], datetime],
) -> AsyncIterator[EdgeParts]:
    """Open the parts, and close them with the block: what is still to be written is written."""
    url = settings.telemetry.otlp_url
    file = installation.state / EDGE_FILE
    exporter = Exporter(
        to_collector(url, service=settings.app.name, version=__version__) if url else to_file(file)
    )
    async with AsyncExitStack() as until_then:
        await until_then.enter_async_context(exporter.running())
        resolver, folder = SystemResolver(), settings.edge.crawler_ranges_dir
        until_then.callback(resolver.close)
        events, suspicion = Events(metrics, keep=exporter.keep, scrub=scrub), Suspicion()
        crawlers = Crawlers(
            resolver=resolver,
            clock=monotonic,
            ranges=read_ranges(Path(folder)) if folder else None,
            on_spoofed=_spoofed(events, suspicion, now),
        )
        until_then.push_async_callback(crawlers.close)
        yield EdgeParts(
            events=events,
            limits=await _limits(settings, installation, database, until_then),
            keys=Keys(signing_key=installation.signing_key, realm_id=installation.realm_id),
            crawlers=crawlers,
            suspicion=suspicion,
            challenges=Challenges(signing_key=installation.signing_key),
            events_file=None if url else file,
        )


def _spoofed(
    events: Events, suspicion: Suspicion, now: Callable[[], datetime]
) -> Callable[[str, str, str], None]:
    def spoofed(crawler: str, client: str, request_id: str) -> None:
        """Somebody used a crawler's name: suspect at the sign-in, and otherwise like everybody."""
        network = network_of(client)
        suspicion.mark(network, now().timestamp())
        says = f"it says it is {crawler}'s crawler, and its address is somebody else's"
        happened = Happened(rule="crawler.spoofed", says=says, part="header user-agent", network=network)
        events.tell(happened, trace_id=request_id, is_refused=False)

    return spoofed


async def _limits(
    settings: Settings, installation: Installation, database: Database, until_then: AsyncExitStack
) -> Limits:
    if settings.edge.limits == "postgres":
        return PostgresLimits(database, realm_id=installation.realm_id)
    if settings.edge.limits == "memory":
        return MemoryLimits(clock=monotonic)
    from shipworthy.kernel.edge.limits_valkey import ValkeyLimits  # 0.1 s to import, for those who have it

    assert installation.valkey_url, "who describes an installation gives what its settings need"
    shared = ValkeyLimits(installation.valkey_url)
    until_then.push_async_callback(shared.close)
    return shared

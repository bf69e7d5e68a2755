"""The composition root: settings and rooms in, an ASGI application or a worker out."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from shipworthy import __version__
from shipworthy.kernel.audit.anchors import anchor_forever
from shipworthy.kernel.audit.keys import AuditKeys
from shipworthy.kernel.audit.sealer import seal_forever
from shipworthy.kernel.context import utc_now
from shipworthy.kernel.db.migrate import RoomMigrations
from shipworthy.kernel.db.tx import Database, open_database
from shipworthy.kernel.edge.parts import edge_running
from shipworthy.kernel.edge.switches import EDGE_FLAGS
from shipworthy.kernel.files.links import FileLinks, key_of
from shipworthy.kernel.files.store import open_files
from shipworthy.kernel.flags.file import FLAGS_FILE
from shipworthy.kernel.flags.flags import Flags
from shipworthy.kernel.http.edge import Edge
from shipworthy.kernel.http.metrics import Metrics
from shipworthy.kernel.http.pages import Pages
from shipworthy.kernel.http.static import StaticFiles
from shipworthy.kernel.mail.outbox import Mailer
from shipworthy.kernel.movable_clock import MovableClock
from shipworthy.kernel.objectives.declared import edges_s
from shipworthy.kernel.own import declared
from shipworthy.kernel.quotas.keeper import keep_forever
from shipworthy.kernel.room import Room
from shipworthy.kernel.runtime import Runtime, uuid7
from shipworthy.kernel.sessions.memory import MemorySessions
from shipworthy.kernel.sessions.store import PostgresSessions, SessionStore
from shipworthy.kernel.settings import Settings
from shipworthy.kernel.telemetry.export import TRACES_FILE, Exporter, to_collector, to_file
from shipworthy.kernel.telemetry.scrub import Scrubber
from shipworthy.kernel.telemetry.spans import Tracer


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Where one installation's parts are: what settings do not say because it differs by machine."""

    realm_id: uuid.UUID
    database_url: str
    state: Path
    signing_key: bytes
    file_keys: tuple[
        bytes, ...
    ] = ()  # sign and open the addresses of files; empty: one made of the signing key
    audit_keys: tuple[
        bytes, ...
    ] = ()  # sign and prove anchors of the audit; empty: one made of the signing key
    audit_trusted: tuple[bytes, ...] = ()  # public keys that signed anchors once
    valkey_url: str | None = None  # where sessions.store is "valkey"
    direct_url: str | None = None  # past the pooler, where db.pooling is "transaction"
    flags_file: Path | None = None  # for whom features are on (kernel/flags); None: the declared defaults
    runbook_folder: Path = Path("runbook")  # of the app's folder
    clock_file: Path | None = None  # a drill may move the clock (movable_clock.py); None: nobody may


@asynccontextmanager
async def running(
    settings: Settings,
    rooms: tuple[Room, ...],
    installation: Installation,
    *,
    process: str = "web",
    **overrides: Any,
) -> AsyncIterator[Runtime]:
    """Open what a process needs, start the rooms, and close it all again. Tests pass `now=…`."""
    if installation.clock_file is not None:
        overrides = {"now": MovableClock(installation.clock_file), **overrides}
    database = await open_database(
        installation.database_url,
        connections_max=settings.db.pool_size,
        acquire_timeout_s=settings.db.acquire_timeout_s,
        direct_url=installation.direct_url,
    )
    static = static_files(rooms)
    pages = Pages({r.name: r.templates for r in rooms}, static_url=static.url)
    pages.function("idem", lambda: str(uuid7()))
    flags = Flags(
        installation.flags_file or installation.state / FLAGS_FILE,
        [*EDGE_FLAGS, *(flag for room in rooms for flag in room.flags)],
    )
    metrics = overrides.pop("metrics", None) or Metrics(edges_s(rooms, settings))
    scrub = scrubber_of(rooms, installation).text
    try:
        async with (
            _sessions(settings, database, installation, overrides) as sessions,
            _tracing(settings, installation, process, scrub=scrub) as tracer,
            edge_running(
                settings, installation, database, metrics, scrub=scrub, now=overrides.get("now", utc_now)
            ) as edge,
        ):
            runtime = Runtime(
                settings=settings,
                database=database,
                sessions=sessions,
                pages=pages,
                files=open_files(settings.files.url, default_folder=installation.state / "files"),
                file_links=FileLinks(
                    keys=installation.file_keys or (key_of(installation.signing_key),),
                    realm_id=installation.realm_id,
                ),
                audit_keys=AuditKeys(
                    installation.audit_keys or (installation.signing_key,), trusted=installation.audit_trusted
                ),
                flags=flags,
                mailer=Mailer(settings.mail),
                edge=edge,
                rooms=rooms,
                realm_id=installation.realm_id,
                folder=installation.state,
                runbook_folder=installation.runbook_folder,
                signing_key=installation.signing_key,
                tracer=tracer,
                traces_file=None if settings.telemetry.otlp_url else installation.state / TRACES_FILE,
                metrics=metrics,
                **overrides,
            )
            async with _rooms_started(runtime):
                yield runtime
    finally:
        flags.close()
        await database.close()


def scrubber_of(rooms: tuple[Room, ...], installation: Installation) -> Scrubber:
    """Return the scrubber that knows which fields the rooms and their routes declare personal."""
    personal = [name for room in declared(rooms) for name in room.personal]
    personal += [name for room in declared(rooms) for each in room.routes for name in each.personal]
    return Scrubber(personal=personal, key=installation.signing_key)


@asynccontextmanager
async def _tracing(
    settings: Settings, installation: Installation, process: str, *, scrub: Callable[[str], str]
) -> AsyncIterator[Tracer]:
    said = settings.telemetry
    write = to_file(installation.state / TRACES_FILE)
    if said.otlp_url:
        write = to_collector(said.otlp_url, service=settings.app.name, version=__version__)
    exporter = Exporter(write)
    async with exporter.running():
        yield Tracer(
            share=said.sample_percent / 100,
            service=process,
            keep=exporter.keep,
            scrub=scrub,
        )


@asynccontextmanager
async def _rooms_started(runtime: Runtime) -> AsyncIterator[None]:
    try:
        for room in runtime.rooms:
            if room.on_start:
                await room.on_start(runtime)
        yield
    finally:
        for room in reversed(runtime.rooms):
            if room.on_stop:
                await room.on_stop(runtime)


def web_app(runtime: Runtime) -> Edge:
    """Return the ASGI application of a running runtime."""
    lane = next((r.raw_lane for r in runtime.rooms if r.raw_lane), None)
    return Edge(
        runtime,
        routes=tuple(route for room in declared(runtime.rooms) for route in room.routes),
        lane=lane(runtime) if lane else None,
        static=static_files(runtime.rooms),
        metrics=runtime.metrics,
    )


class LifespanApp:
    """An ASGI application that opens and closes its runtime with the server's lifespan."""

    def __init__(self, settings: Settings, rooms: tuple[Room, ...], installation: Installation) -> None:
        self._settings, self._rooms, self._installation = settings, rooms, installation
        self._edge: Edge | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            assert self._edge is not None, "the server sends no request before the lifespan has begun"
            await self._edge(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    def at_once(self, request: Mapping[str, Any]) -> tuple[bytes, bytes] | None:
        """Return an answer that is ready, for the wire; None when the request goes the usual way."""
        return self._edge.at_once(request) if self._edge is not None else None

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()  # lifespan.startup
        try:
            async with running(self._settings, self._rooms, self._installation) as runtime:
                self._edge = web_app(runtime)
                await send({"type": "lifespan.startup.complete"})
                await receive()  # lifespan.shutdown
        except Exception as failed:
            await send({"type": "lifespan.startup.failed", "message": str(failed)})
            raise
        await send({"type": "lifespan.shutdown.complete"})


async def run_worker(
    settings: Settings,
    rooms: tuple[Room, ...],
    installation: Installation,
    *,
    stop: asyncio.Event,
    on_ready: Callable[[], None],
) -> None:
    """Run jobs, seal audit chains and anchor them, and keep budgets until `stop` is set."""
    from shipworthy.kernel.queue.worker import work  # pgqueuer takes a second to import

    async with running(settings, rooms, installation, process="worker") as runtime:
        sealing = asyncio.create_task(seal_forever(runtime.database, stop=stop))
        anchoring = asyncio.create_task(anchor_forever(runtime, stop=stop))
        keeping = asyncio.create_task(keep_forever(runtime, stop=stop))
        kinds = [kind for room in declared(rooms) for kind in room.jobs]
        # The queue listens and keeps prepared statements: it never goes by a pooler.
        await work(
            installation.direct_url or installation.database_url, runtime, kinds, stop=stop, on_ready=on_ready
        )
        stop.set()
        await asyncio.gather(sealing, anchoring, keeping)


def static_files(rooms: tuple[Room, ...]) -> StaticFiles:
    return StaticFiles({r.name: r.static for r in rooms})


def migrations_of(rooms: tuple[Room, ...]) -> tuple[RoomMigrations, ...]:
    return tuple(RoomMigrations(r.name, r.migrations) for r in rooms)


@asynccontextmanager
async def _sessions(
    settings: Settings, database: Database, installation: Installation, overrides: dict[str, Any]
) -> AsyncIterator[SessionStore]:
    now, new_id = overrides.get("now", utc_now), overrides.get("new_id", uuid7)
    if settings.sessions.store == "memory":
        yield MemorySessions(settings.sessions, now=now, new_id=new_id)
        return
    record = partial(
        PostgresSessions, database, settings.sessions, realm_id=installation.realm_id, now=now, new_id=new_id
    )
    if settings.sessions.store == "postgres":
        yield record()
        return
    from shipworthy.kernel.sessions.valkey import ValkeyLookup  # 0.1 s to import, for those who have it

    assert installation.valkey_url, "who describes an installation gives what its settings need"
    shared = ValkeyLookup(
        installation.valkey_url, realm_id=installation.realm_id, signing_key=installation.signing_key, now=now
    )
    try:
        yield record(shared=shared)
    finally:
        await shared.close()

"""The manifest of an app, written from what its rooms declare."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence

from shipworthy import __version__
from shipworthy.contract import manifest
from shipworthy.kernel.db.migrate import KERNEL_MIGRATIONS
from shipworthy.kernel.db.queries import NamedQuery
from shipworthy.kernel.edge.switches import EDGE_FLAGS
from shipworthy.kernel.http.binding import schema_of
from shipworthy.kernel.own import OWN, declared
from shipworthy.kernel.room import Room
from shipworthy.kernel.route import Route
from shipworthy.kernel.settings import Settings

_INDEX = re.compile(r"^create\s+(?:unique\s+)?index\s+(\w+)\s+on\s+(\w+)[^;]*;", re.IGNORECASE | re.MULTILINE)

# What a drill may do to an instance that `up` started: its supervisor and its own retries heal each.
FAULTS_ALLOWED = (
    "process.kill",
    "process.stop",
    "database.lock",
    "network.latency",
    "network.bandwidth",
    "network.reset",
    "network.blackhole",
    "network.down",
    "mail.down",
    "disk.full",
    "cpu.squeeze",
    "memory.squeeze",
    "keys.expired",
    "clock.shift",
)


def describe(settings: Settings, rooms: Sequence[Room]) -> manifest.Manifest:
    """Return everything the examiner may know of this app."""
    queries = [query for room in (OWN, *rooms) for query in room.queries]
    return manifest.Manifest(
        app=settings.app.name,
        runtime=f"shipworthy {__version__}",
        rooms=tuple(room.name for room in rooms),
        login=next((room.login for room in rooms if room.login), None),
        oauth=tuple(client for room in rooms for client in room.oauth),
        tokens=next((tokens for room in rooms if (tokens := room.tokens(settings))), None),
        migrations=_migrations(rooms),
        routes=_routes(rooms, for_operators=False),
        operator_routes=_routes(rooms, for_operators=True),
        queries=tuple(_query(query) for query in queries),
        indexes=_indexes(rooms),
        tables=tuple(table for room in (OWN, *rooms) for table in room.tables),
        samples=tuple(sample for room in declared(rooms) for sample in room.samples),
        jobs=tuple(_job(room, job) for room in declared(rooms) for job in room.jobs),
        slos=tuple(slo for room in rooms for slo in room.slos(settings)),
        journeys=tuple(journey for room in rooms for journey in room.journeys),
        flows=tuple(flow for room in rooms for flow in room.flows),
        budgets=_budgets(settings, rooms),
        oracles=tuple(oracle for room in rooms for oracle in room.oracles),
        loads=tuple(load for room in rooms for load in room.loads),
        flags=(*EDGE_FLAGS, *(flag for room in rooms for flag in room.flags)),
        personal=tuple(name for room in rooms for name in room.personal),
        faults_allowed=FAULTS_ALLOWED,
    )


def _routes(rooms: Sequence[Room], *, for_operators: bool) -> tuple[manifest.Route, ...]:
    return tuple(
        _route(room.name, route)
        for room in declared(rooms)
        for route in room.routes
        if (route.auth == "operator") == for_operators
    )


def _migrations(rooms: Sequence[Room]) -> manifest.Migrations:
    command = f"{shlex.quote(sys.executable)} -m shipworthy migrate"
    return manifest.Migrations(
        up=f"{command} up",
        down=f"{command} down --yes --steps {{steps}}",
        env={"SHIPWORTHY_DB_URL_ADMIN": "{database}"},
        bookkeeping=("schema_migration",),
        files=tuple(
            str(folder / "*.up.sql") for folder in (KERNEL_MIGRATIONS, *(r.migrations for r in rooms))
        ),
    )


def _route(room_name: str, route: Route) -> manifest.Route:
    return manifest.Route(
        name=f"{room_name}.{route.handler.__name__}",
        room=room_name,
        method=route.method,
        path=route.path,
        title=route.title,
        auth=route.auth,
        permission=route.permission,
        step_up_s=route.step_up_s,
        media=route.media,
        idempotency=route.idempotency,
        effect=route.effect,
        body=schema_of(route.body),
        returns=schema_of(route.returns),
        query=schema_of(route.query),
        example=dict(route.example) if route.example is not None else None,
        headers=dict(route.headers),
        params=dict(route.params),
        statuses=(route.status,) if route.media != "html" else (200, 303),
        slo=route.slo,
        queries_max=route.queries_max,
        body_bytes_max=route.body_bytes_max,
        audit=route.audit,
        personal=route.personal,
        meter=route.meter,
        flag=route.flag,
        source=route.source,
    )


def _query(query: NamedQuery) -> manifest.Query:
    return manifest.Query(
        name=query.full_name,
        room=query.room,
        purpose=query.purpose,
        sql=query.sql,
        role=query.role,
        scope="realm" if query.scope == "realm" else "tenant",
        index=query.index,
        rows_max=query.rows_max,
        params=query.samples,
        writes=query.writes,
        source=query.source,
    )


def _job(room: Room, job: object) -> manifest.Job:
    from shipworthy.kernel.queue.job import JobKind

    assert isinstance(job, JobKind)
    return manifest.Job(
        kind=job.kind,
        room=room.name,
        title=job.title,
        timeout_s=job.timeout_s,
        attempts_max=job.attempts_max,
        writes=job.writes,
        writes_kind=job.writes_kind,
        source_column=job.source_column,
        meter=job.meter,
        triggered_by=job.triggered_by,
        source=job.source,
    )


def _budgets(settings: Settings, rooms: Sequence[Room]) -> tuple[manifest.Budget, ...]:
    common = (
        manifest.Budget(kind="bundle_bytes", bound=settings.budget.bundle_bytes),
        manifest.Budget(kind="cold_start_s", bound=settings.budget.cold_start_s),
    )
    return common + tuple(budget for room in rooms for budget in room.budgets(settings))


def _indexes(rooms: Sequence[Room]) -> tuple[manifest.Index, ...]:
    found = []
    for room, folder in [("kernel", KERNEL_MIGRATIONS), *((r.name, r.migrations) for r in rooms)]:
        for path in sorted(folder.glob("*.up.sql")):
            text = path.read_text(encoding="utf-8")
            for match in _INDEX.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                definition = " ".join(match.group(0).split())
                found.append(
                    manifest.Index(
                        name=match.group(1),
                        table=match.group(2),
                        definition=definition,
                        source=f"{room}/{path.name}:{line}",
                    )
                )
    return tuple(found)

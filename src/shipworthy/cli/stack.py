"""The whole app on one machine: database, migrations, example data, mail inbox, web, worker.

`Stack` is what `up` runs. It hands each child its part of the installation by environment and
rewrites the handle file whenever a process is started again.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from shipworthy.cli.children import backup_child, mail_child, web_child, worker_child
from shipworthy.cli.front import Behind
from shipworthy.cli.project import VALKEY, Project, require_valkey_url
from shipworthy.cli.through import Through
from shipworthy.contract.strict import encode
from shipworthy.contract.target import Credential, Handle, Process
from shipworthy.kernel.app import Installation, migrations_of, running
from shipworthy.kernel.db.migrate import LOGIN_ROLES
from shipworthy.kernel.db.setup import prepare_database, role_url
from shipworthy.kernel.room import SeedTenant
from shipworthy.kernel.seed import demo_tenants, seed_demo, seed_volume, tenant_id_of
from shipworthy.kernel.telemetry.export import TRACES_FILE
from shipworthy.local.ports import free_port, require_port
from shipworthy.local.postgres import EmbeddedPostgres, PostgresAddress
from shipworthy.local.processes import Child, Supervisor
from shipworthy.local.statedir import StateDir
from shipworthy.local.valkey import valkey_child, valkey_url

DATABASE = "app"
# What an installation keeps in its state directory, and all that is told to its processes.
SECRETS = ("realm_seed", "signing_key", "demo_password", *(f"role_{role}" for role in LOGIN_ROLES))


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a person may choose at `up`."""

    state: Path
    port: int
    seed: str  # none | demo | volume
    handle: Path | None = None
    host: str = "localhost"  # the console's, as people type it
    database_url: str | None = None  # of the administrator: a database that runs and is filled already
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    through: Through = field(default_factory=Through)
    deployable: bool = False  # stand behind a front, so that `deploy` can replace what runs
    say: Callable[[str], None] = lambda _line: None


@dataclass(frozen=True, kw_only=True)
class Running:
    """What runs, for a person and for the handle."""

    base_url: str
    mail_page: str
    tenants: tuple[SeedTenant, ...]


@asynccontextmanager
async def stack(project: Project, options: Options) -> AsyncIterator[Running]:
    """Run the app until the block ends; everything started is stopped, in order.

    Errors:  LocalServiceError, MigrationRefused or Refusal: one sentence each, nothing left running.
    """
    began = time.monotonic()
    state = StateDir(options.state).ensure()
    # Who runs this app already is told before who holds its port: that is the same process then.
    state.lock().release()
    port = require_port(options.port, what="app")
    if options.handle is not None:
        _require_folder(options.handle.parent)
    async with _database(project, state, options, port) as database:
        environment = _environment(project, state, options, database.url, port)
        realm_id = uuid.UUID(environment["SHIPWORTHY_REALM"])
        tenants = demo_tenants(realm_id, state.secret("demo_password")) if options.seed != "none" else []
        async with _processes(
            project, state, options, port, environment, database, tenants, began
        ) as mail_page:
            yield Running(
                base_url=f"http://{options.host}:{port}", mail_page=mail_page, tenants=tuple(tenants)
            )


@dataclass
class _Database:
    url: str
    pid: int | None
    on_change: Callable[[], None] = lambda: None


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise click.UsageError(
            f"there is no folder {folder} for the handle. Make it, or choose another --handle"
        )


@asynccontextmanager
async def _database(
    project: Project, state: StateDir, options: Options, port: int
) -> AsyncIterator[_Database]:
    """Yield the administrator's address of a migrated, seeded database."""
    if options.database_url:
        lock = state.lock()
        try:
            yield _Database(options.database_url, None)
        finally:
            lock.release()
        return
    given = os.environ.get("SHIPWORTHY_DB_URL_ADMIN")
    if project.settings.db.provider == "url":
        if not given:
            raise click.UsageError('db.provider is "url": set SHIPWORTHY_DB_URL_ADMIN to postgresql://…/NAME')
        lock = state.lock()
        try:
            await prepare(project, state, given, options, port)
            yield _Database(given, None)
        finally:
            lock.release()
        return
    options.say("database: starting")
    server = EmbeddedPostgres(state.path)
    starting = asyncio.ensure_future(asyncio.to_thread(server.start))
    try:
        address = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # The thread goes on: what it starts must be there before it can be stopped in order.
        await asyncio.wait([starting])
        await asyncio.to_thread(server.stop)
        raise
    database = _Database(address.url(DATABASE), address.pid)

    def restarted(again: PostgresAddress) -> None:
        database.pid = again.pid
        database.on_change()

    keeper = asyncio.create_task(server.keep_running(on_change=restarted))
    try:
        await prepare(project, state, database.url, options, port)
        yield database
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await asyncio.to_thread(server.stop)


async def prepare(project: Project, state: StateDir, admin_url: str, options: Options, port: int) -> None:
    """Create, migrate and fill the database `admin_url` names; safe to run again.

    Errors:  MigrationRefused or Refusal.
    """
    installation = installation_of(state, admin_url)
    realm_id = installation.realm_id
    applied = await prepare_database(
        admin_url,
        passwords={role: state.secret(f"role_{role}") for role in LOGIN_ROLES},
        rooms=migrations_of(project.rooms),
        realm_id=realm_id,
        realm_name=project.settings.app.name,
    )
    options.say(
        f"database: ready, {len(applied)} migrations applied" if applied else "database: ready, up to date"
    )
    if options.seed == "none":
        return
    tenants = demo_tenants(realm_id, state.secret("demo_password"))
    settings = replace(
        project.settings,
        http=replace(project.settings.http, public_port=port),
        sessions=replace(project.settings.sessions, store="postgres"),  # nobody signs in here
    )
    async with running(settings, project.rooms, installation) as runtime:
        if await seed_demo(runtime, tenants):
            options.say(f"example data: {', '.join(t.name for t in tenants)}")
    if options.seed == "volume":
        options.say("volume: filling tables")
        await seed_volume(admin_url, realm_id, project.rooms, large_tenant=tenant_id_of(realm_id, tenants[0]))


def installation_of(state: StateDir, admin_url: str) -> Installation:
    """Return the installation of a state directory as its own administrator sees it. Call with the lock held."""
    return Installation(
        realm_id=_realm_of(state),
        database_url=role_url(admin_url, "app", state.secret("role_app")),
        state=state.path,
        signing_key=state.secret("signing_key").encode(),
    )


def _realm_of(state: StateDir) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, state.secret("realm_seed"))


def _environment(
    project: Project, state: StateDir, options: Options, admin_url: str, port: int
) -> dict[str, str]:
    """Return what children need to know. Secrets travel by environment, never by argument."""
    urls = {role: role_url(admin_url, role, state.secret(f"role_{role}")) for role in LOGIN_ROLES}
    is_pooled = project.settings.db.pooling == "transaction"
    return {
        **options.environment,
        **({"SHIPWORTHY_HOST": options.host} if options.host != Options.host else {}),
        "SHIPWORTHY_STATE": str(state.path),
        "SHIPWORTHY_PUBLIC_PORT": str(port),
        "SHIPWORTHY_REALM": str(_realm_of(state)),
        "SHIPWORTHY_SIGNING_KEY": state.secret("signing_key"),
        **{f"SHIPWORTHY_DB_URL_{role.upper()}": url for role, url in urls.items()},
        **{f"SHIPWORTHY_DB_URL_{role.upper()}_DIRECT": url for role, url in urls.items() if is_pooled},
    }


@asynccontextmanager
async def _processes(
    project: Project,
    state: StateDir,
    options: Options,
    port: int,
    environment: Mapping[str, str],
    database: _Database,
    tenants: list[SeedTenant],
    began: float,
) -> AsyncIterator[str]:
    started_in_s: float | None = None

    def write_handle(pids: Mapping[str, int]) -> None:
        if options.handle is None or started_in_s is None:
            return
        handle = _handle(project, state, port, environment, database, tenants, pids, started_in_s)
        handle = replace(
            handle,
            mail_url=_mail_page(page_port),
            through=options.through.addresses,
            clock_file=of_app.get("SHIPWORTHY_CLOCK_FILE"),
        )
        try:
            _write_handle(options.handle, handle)
        except OSError as failed:  # a full disk must not end the watch over the children
            options.say(f"the handle {options.handle} could not be written: {failed.strerror}")

    supervisor = Supervisor(on_change=write_handle, on_report=options.say)
    database.on_change = lambda: write_handle(supervisor.pids)
    mail_port, page_port = free_port(), free_port()
    valkey, told = _session_store(project, state, environment)
    environment = {**environment, **told, "SHIPWORTHY_MAIL_PORT": str(mail_port)}
    options.through.tell(
        state.path, database_url=database.url, mail_port=mail_port, valkey_url=environment.get(VALKEY)
    )
    of_app = _of_app(state, options, environment)
    (state.path / TRACES_FILE).touch(mode=0o600)  # whoever has the handle reads it like a log
    starting: list[asyncio.Task[int]] = []
    stopping: list[Behind] = []
    try:
        for child in _services(project, state, environment, database, mail_port, page_port):
            await supervisor.start(child)
        if valkey is not None:
            await supervisor.start(valkey)
        options.say("web and worker: starting")
        web_began = time.monotonic()
        if options.deployable:
            behind = Behind(project, state, port, of_app, supervisor, options.say)
            stopping.append(behind)
            await behind.start(database_url=database.url)
            started_in_s = time.monotonic() - web_began
        else:
            web = asyncio.create_task(supervisor.start(web_child(project.home, state, port, of_app)))
            worker = asyncio.create_task(supervisor.start(worker_child(project.home, state, of_app)))
            starting += [web, worker]
            await web
            started_in_s = time.monotonic() - web_began
            await worker
        write_handle(supervisor.pids)
        options.say(f"ready in {time.monotonic() - began:.1f} s")
        yield _mail_page(page_port)
    finally:
        # A start that is still under way ends its own child; only then is everything known to stop.
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)
        database.on_change = lambda: None
        for behind in stopping:
            await behind.stop()
        await supervisor.stop()


def _services(
    project: Project,
    state: StateDir,
    environment: Mapping[str, str],
    database: _Database,
    mail_port: int,
    page_port: int,
) -> Iterator[Child]:
    """What runs beside the app, in the order of its start."""
    if project.settings.backup.continuous and database.pid is not None:
        # Started first and so stopped last: nothing is written any more when it ends.
        yield backup_child(project.home, state, environment)
    yield mail_child(state, mail_port, page_port)


def _of_app(state: StateDir, options: Options, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of web and worker: through whom they go, and whose clock they keep."""
    of_app = options.through.of_children(environment)
    of_app.pop("SHIPWORTHY_CLOCK_FILE", None)
    if options.handle is not None:  # only who asked for a handle can move the clock by it
        of_app["SHIPWORTHY_CLOCK_FILE"] = str(state.path / "clock")
        (state.path / "clock").unlink(missing_ok=True)
    return of_app


def _mail_page(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


def _session_store(
    project: Project, state: StateDir, environment: Mapping[str, str]
) -> tuple[Child | None, dict[str, str]]:
    """Return the Valkey to start, where the app wants one and nobody named another, and its address."""
    if project.settings.sessions.store != "valkey":
        return None, {}
    if VALKEY in environment:
        require_valkey_url(environment[VALKEY])
        return None, {}
    port, password = free_port(), secrets.token_urlsafe(24)
    child = valkey_child(state, port=port, password=password)
    return child, {VALKEY: valkey_url(port=port, password=password)}


def _handle(
    project: Project,
    state: StateDir,
    port: int,
    environment: Mapping[str, str],
    database: _Database,
    tenants: list[SeedTenant],
    pids: Mapping[str, int],
    started_in_s: float,
) -> Handle:
    realm_id = uuid.UUID(environment["SHIPWORTHY_REALM"])
    processes = [Process(name=name, pid=pid) for name, pid in pids.items()]
    if database.pid is not None:
        processes.append(Process(name="database", pid=database.pid))
    urls = {role: environment[f"SHIPWORTHY_DB_URL_{role.upper()}"] for role in LOGIN_ROLES}
    return Handle(
        base_url=f"http://127.0.0.1:{port}",
        site_url=f"http://{tenants[0].site_host}:{port}"
        if tenants and "site" in [r.name for r in project.rooms]
        else None,
        pid=os.getpid(),
        processes=tuple(processes),
        database_urls={"admin": database.url, **urls},
        tenants=tuple(
            Credential(
                email=t.email,
                password=t.password,
                tenant_id=str(tenant_id_of(realm_id, t)),
                realm_id=str(realm_id),
                tenant=t.name,
                marker=t.marker,
            )
            for t in tenants
        ),
        started_in_s=round(started_in_s, 3),
        log_files=tuple(str(path) for path in (*sorted(state.logs.glob("*.log")), state.path / TRACES_FILE)),
    )


def _write_handle(path: Path, handle: Handle) -> None:
    """Write whole and rename: a reader sees the old handle or the new one. It holds passwords."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(encode(handle), file)
    draft.replace(path)

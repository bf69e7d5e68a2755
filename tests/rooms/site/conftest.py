"""The website room, running: people who write, visitors who read, and a wire that can be cut."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shipworthy.kernel.app import running, web_app
from shipworthy.kernel.queue.worker import run_job
from shipworthy.kernel.room import SeedTenant
from shipworthy.kernel.sessions.store import NewSession
from shipworthy.kernel.settings import HttpSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.site.jobs import JOBS
from shipworthy.rooms.site.room import ROOM
from tests.support.app import RunningApp, app_running, make_settings
from tests.support.client import Answer, Client

PORT = 8123
PATIENCE_S = 20.0  # until a test says that something never happened


class Clock:
    """Time that is moved, not waited for."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def app(cluster: PostgresAddress, tmp_path: Path, clock: Clock) -> AsyncIterator[RunningApp]:
    async with site_app(cluster, tmp_path, now=clock) as running:
        yield running


@pytest.fixture
async def acme(app: RunningApp) -> Author:
    return await author(app)


@asynccontextmanager
async def site_app(cluster: PostgresAddress, state: Path, **overrides: Any) -> AsyncIterator[RunningApp]:
    settings = overrides.pop("settings", None) or make_settings((ROOM,), http=HttpSection(public_port=PORT))
    async with app_running(cluster, (ROOM,), state, settings=settings, **overrides) as running:
        yield running


@dataclass
class Visitor:
    """Somebody who asks the lane. Paths are what stands in the request line, untouched."""

    asgi: Any
    host: str

    async def ask(self, path: str, *, method: str = "GET", host: str | None = None, **headers: str) -> Answer:
        raw_path, _, query = path.partition("?")
        sent = {
            "host": self.host if host is None else host,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        scope = {
            "type": "http",
            "method": method,
            "path": raw_path,
            "raw_path": raw_path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()],
            "client": ("127.0.0.1", 50_000),
        }
        messages: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            messages.append(message)

        await self.asgi(scope, receive, send)
        start, body = messages
        shown = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        return Answer(start["status"], shown, body["body"])

    async def text(self, path: str) -> str:
        """Return the page as a browser reads it."""
        answer = await self.ask(path, accept_encoding="gzip")
        assert answer.status == 200, f"{path} answered {answer.status}"
        return gzip.decompress(answer.body).decode()

    async def until_hit(self, path: str = "/") -> Answer:
        """Ask until the answer comes from memory: the process listens and has it."""
        return await until(lambda: self.ask(path), lambda answer: answer.header("x-cache") == "hit")


@dataclass
class Author:
    """Somebody signed in. Every request gets an idempotency key of its own unless it brings one."""

    app: RunningApp
    client: Client
    tenant_id: uuid.UUID
    slug: str

    @property
    def host(self) -> str:
        """Where the tenant's site lives once it has a first page."""
        return f"{self.slug}.localhost"

    @property
    def visitor(self) -> Visitor:
        return Visitor(self.app.asgi, self.host)

    async def get(self, path: str, **kwargs: Any) -> Answer:
        return await self.client.get(path, **kwargs)

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"idempotency-key": uuid.uuid4().hex, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return await self.client.request(method, path, json_body=body, headers=sent)

    async def submit(self, address: str, /, **fields: str) -> Answer:
        """Send a form as a browser does."""
        return await self.client.post(address, form={"_idempotency_key": uuid.uuid4().hex, **fields})

    async def write(self, title: str = "Welcome", **fields: Any) -> dict[str, Any]:
        """Write a draft."""
        answer = await self.send("POST", "/api/pages", {"title": title, **fields})
        assert answer.status == 201, answer.text
        page: dict[str, Any] = answer.json
        return page

    async def edit(self, page: dict[str, Any], **changes: Any) -> dict[str, Any]:
        names = ("title", "path", "description", "body", "in_menu")
        body = {name: page[name] for name in names} | changes
        answer = await self.send(
            "PUT", f"/api/pages/{page['page_id']}", body, if_match=f'"{page["version"]}"'
        )
        assert answer.status == 200, answer.text
        edited: dict[str, Any] = answer.json
        return edited

    async def publish(self, page: dict[str, Any]) -> dict[str, Any]:
        answer = await self.send("POST", f"/api/pages/{page['page_id']}/publish")
        assert answer.status == 200, answer.text
        published: dict[str, Any] = answer.json
        return published

    async def unpublish(self, page: dict[str, Any]) -> dict[str, Any]:
        answer = await self.send("POST", f"/api/pages/{page['page_id']}/unpublish")
        assert answer.status == 200, answer.text
        drafted: dict[str, Any] = answer.json
        return drafted

    async def show(self, title: str = "Welcome", path: str = "/", **fields: Any) -> dict[str, Any]:
        """Write a page and publish it."""
        return await self.publish(await self.write(title, path=path, **fields))


async def author(
    app: RunningApp, tenant: str = "Acme", *, role: str = "owner", tenant_id: uuid.UUID | None = None
) -> Author:
    """A new person, in a new tenant or in one that is there."""
    tenant_id = tenant_id or await app.add_tenant(tenant)
    (row,) = await app.admin("select slug from tenant where tenant_id = $1", tenant_id)
    token = await app.runtime.sessions.create(
        NewSession(
            user_id=app.runtime.new_id(),
            device_id=app.runtime.new_id(),
            device_name="Test",
            email=f"{tenant.lower()}@example.test",
            tenant_id=tenant_id,
            tenant_name=tenant,
            role=role,
        )
    )
    client = app.client()
    client.cookies["sid"] = token
    return Author(app, client, tenant_id, row["slug"])


class Counted:
    """Asks routes by their declared names, and holds the statements that each runs against what it declares."""

    _SESSION = 2  # a session's look-up and touch run outside the request's transaction

    def __init__(self) -> None:
        self._routes = {f"{route.method} {route.path}": route for route in ROOM.routes}
        self.seen: set[str] = set()

    async def ask(
        self,
        person: Author,
        name: str,
        *,
        body: Any = None,
        form: Any = None,
        headers: Any = None,
        **ids: Any,
    ) -> Answer:
        method, _, path = name.partition(" ")
        for parameter, value in ids.items():
            path = path.replace(f"{{{parameter}}}", str(value))
        before = await self._ran(person, name)
        if form is not None:
            answer = await person.submit(path, **form)
        else:
            answer = await person.send(method, path, body, **(headers or {}))
        assert answer.status in (200, 201, 204, 303), f"{name}: {answer.status} {answer.text[:200]}"
        ran, bound = await self._ran(person, name) - before + self._SESSION, self._routes[name].queries_max
        assert bound is not None and ran <= bound, f"{name} runs {ran} statements and declares {bound}"
        self.seen.add(name)
        return answer

    async def _ran(self, person: Author, name: str) -> float:
        text = (await person.get("/-/metrics")).text
        found = re.search(rf'http_server_queries_total{{route="{re.escape(name)}"}} ([0-9.]+)', text)
        return float(found[1]) if found else 0.0


async def site_of(person: Author) -> uuid.UUID:
    (row,) = await person.app.admin("select site_id from site where tenant_id = $1", person.tenant_id)
    return uuid.UUID(str(row["site_id"]))


async def seeded(
    app: RunningApp, name: str = "Acme Plumbing", slug: str = "acme"
) -> tuple[Author, SeedTenant]:
    """Somebody whose tenant has the demo's website, at `slug`.localhost."""
    person = await author(app, name.partition(" ")[0])
    tenant = SeedTenant(
        name=name,
        email=f"owner@{slug}.example",
        password="",
        marker=f"{slug.capitalize()}-5ca1ab1e",
        site_host=f"{slug}.localhost",
        user_id=uuid.uuid4(),
    )
    ctx = app.ctx(tenant_id=person.tenant_id)
    async with ctx.begin() as tx:
        ctx.tx = tx
        assert ROOM.seed
        await ROOM.seed(ctx, tenant)
    person.slug = slug
    return person, tenant


async def queued(app: RunningApp) -> list[bytes]:
    """Take all waiting jobs; return the payloads of those that make sitemaps, oldest first."""
    rows = await app.admin("delete from pgqueuer returning id, entrypoint, payload")
    kept = [row for row in rows if row["entrypoint"] == JOBS[0].kind]
    return [row["payload"] for row in sorted(kept, key=lambda row: row["id"])]


async def work(app: RunningApp, payloads: list[bytes] | None = None) -> list[str]:
    """Make sitemaps as the worker's own role does; for all jobs that wait unless told which. Return their sources."""
    jobs = await queued(app) if payloads is None else payloads
    async with app.role("worker") as database:
        runtime = replace(app.runtime, database=database, state={})  # another process
        for payload in jobs:
            await run_job(JOBS[0], runtime, payload, attempt=0)
    return [json.loads(payload)["source"] for payload in jobs]


async def until(ask: Callable[[], Any], is_so: Callable[[Any], bool]) -> Any:
    """Ask until it is so. Bounded: a thing that never happens fails the test."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so(answer := await ask()):
            await asyncio.sleep(0.01)
    return answer


class Wire:
    """A TCP relay to the database that can be cut (refuses) or held (silence)."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Close everything and refuse what comes."""
        assert self._server
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold(self) -> None:
        """Let bytes neither in nor out, and close nothing: the network lost the database."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def stop(self) -> None:
        self.release()
        await self.cut()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._writers |= {writer, back}
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        except OSError:
            pass
        finally:
            self._tasks.discard(task)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()
            self._writers.discard(writer)


@pytest.fixture
async def wire(cluster: PostgresAddress) -> AsyncIterator[Wire]:
    relay = Wire(cluster.port)
    await relay.start()
    yield relay
    await relay.stop()


@asynccontextmanager
async def another_process(
    app: RunningApp, *, port: int | None = None, **overrides: Any
) -> AsyncIterator[Any]:
    """Run a second web process on the same database, through a wire where a port is given; yield its ASGI app."""
    url = app.installation.database_url
    if port is not None:
        url = url.replace(f":{app.address.port}/", f":{port}/")
    settings = overrides.pop("settings", app.runtime.settings)
    installation = replace(app.installation, database_url=url)
    async with running(settings, (ROOM,), installation, **overrides) as runtime:
        yield web_app(runtime)

"""The ledger: a small app of nobody's house, with two tenants, that can be given defects.

Plain Starlette and SQL on the roles and policies our bootstrap makes, served on a real socket
in this event loop. `faults` switches defects of the app on; defects of the database are
planted by SQL through `Ledger.admin` before the examiner looks.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path

from shipworthy.contract.manifest import Index, Login, Manifest, Query, Route, Sample, Table
from shipworthy.contract.target import Credential, Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.kernel.db.migrate import bootstrap
from shipworthy.local.postgres import PostgresAddress

PASSWORDS = {role: f"{role}-password-of-tests" for role in ("app", "worker", "reader", "auditor")}
REALM = uuid.UUID(int=7)
ACME = Credential(email="ann@acme.test", password="pw-a", tenant_id=str(uuid.UUID(int=0xA)), realm_id=str(REALM), tenant="Acme", marker="Acme-4711")  # fmt: skip
GLOBEX = Credential(email="gus@globex.test", password="pw-g", tenant_id=str(uuid.UUID(int=0xB)), realm_id=str(REALM), tenant="Globex", marker="Globex-0815")  # fmt: skip
BOOKS = {ACME.tenant_id: 1_500, GLOBEX.tenant_id: 12}

SCHEMA = """
create table book (
  tenant_id uuid not null default my_tenant(), book_id uuid not null, title text not null, status text not null,
  price numeric not null default 1, at timestamptz not null, primary key (tenant_id, book_id));
select protect('book', 'tenant');
create index book_tenant_status_at_idx on book (tenant_id, status, at desc, book_id);
create table note (
  tenant_id uuid not null default my_tenant(), note_id uuid not null, book_id uuid not null, text text not null,
  primary key (tenant_id, note_id), foreign key (tenant_id, book_id) references book);
select protect('note', 'tenant');
create index note_tenant_book_idx on note (tenant_id, book_id, note_id);
create table reader_card (
  realm_id uuid not null default my_realm(), card_id uuid not null, email text not null,
  primary key (realm_id, card_id), unique (realm_id, email));
select protect('reader_card', 'realm');
"""
SEED = """
insert into book (tenant_id, book_id, title, status, at)
  select $1, gen_random_uuid(), $2 || ' book ' || n, case n % 3 when 0 then 'open' else 'closed' end,
         timestamptz '2026-01-01' + n * interval '1 minute' from generate_series(1, $3::int) n
"""
SEED_NOTES = "insert into note (tenant_id, note_id, book_id, text) select tenant_id, gen_random_uuid(), book_id, title from book"

VERSION = '"v1"'
BOOK_LIST = "select /* ledger.book_list */ book_id, title from book where status = $1 order by at desc, book_id limit 20"
BOOK_GET = "select /* ledger.book_get */ book_id, title from book where book_id = $1"
NOTES_OF_BOOK = (
    "select /* ledger.notes_of_book */ note_id, text from note where book_id = $1 order by note_id limit 50"
)
NOTES_OF_BOOKS = "select /* ledger.notes_of_books */ book_id, count(*) from note where book_id = any($1) group by book_id limit 50"
NOTE_ADD = "insert /* ledger.note_add */ into note (note_id, book_id, text) values ($1, $2, $3)"


def ledger_manifest(**changes: Any) -> Manifest:
    """What the ledger declares of itself."""
    some_book = "(select book_id from book order by book_id limit 1)"
    manifest = Manifest(
        app="Ledger",
        login=Login(route="POST /login", form={"email": "{email}", "password": "{password}"}, ok=(204,)),
        routes=(
            _route("GET", "/books", queries_max=2),
            _route("GET", "/books/{book_id}", queries_max=2, params={"book_id": "book_id"}),
            _route("POST", "/books/{book_id}/notes", queries_max=2, params={"book_id": "book_id"}, statuses=(201,),
                   example={"text": "seen"}, effect="create"),
            _route("POST", "/notes", queries_max=2, statuses=(201,), example={"book_id": "$book_id", "text": "seen"},
                   effect="create"),
            _route("POST", "/preview", queries_max=0, example={"book_id": "$book_id", "text": "Seen"}),
            _route("PUT", "/books/{book_id}", queries_max=1, params={"book_id": "book_id"}, example={"at": "x"},
                   effect="change"),
            _route("GET", "/about", auth="public", queries_max=0),
            _route("GET", "/me", queries_max=0),
        ),
        queries=(
            _query("book_list", BOOK_LIST, index="book_tenant_status_at_idx", rows_max=20, params=("'open'",)),
            _query("book_get", BOOK_GET, index="book_pkey", rows_max=1, params=(some_book,)),
            _query("notes_of_book", NOTES_OF_BOOK, index="note_tenant_book_idx", rows_max=50, params=(some_book,)),
            _query("note_add", NOTE_ADD, index=None, rows_max=0, params=("gen_random_uuid()", some_book, "'x'"), writes=True),
        ),
        indexes=(
            Index(name="book_tenant_status_at_idx", table="book", source="ledger/0001.sql:5",
                  definition="create index book_tenant_status_at_idx on book (tenant_id, status, at desc, book_id);"),
            Index(name="note_tenant_book_idx", table="note", source="ledger/0001.sql:10",
                  definition="create index note_tenant_book_idx on note (tenant_id, book_id, note_id);"),
        ),
        tables=(
            Table(name="book", scope="tenant", column="tenant_id"),
            Table(name="note", scope="tenant", column="tenant_id"),
            Table(name="reader_card", scope="realm", column="realm_id"),
        ),
        samples=(Sample(name="book_id", sql="select book_id from book order by book_id limit 1"),),
    )  # fmt: skip
    return replace(manifest, **changes)


def _route(method: str, path: str, **facts: Any) -> Route:
    return Route(
        name=f"ledger.{path}", room="ledger", method=method, path=path, source="ledger/app.py:1", **facts
    )


def _query(name: str, sql: str, *, index: str | None, **facts: Any) -> Query:
    return Query(
        name=f"ledger.{name}",
        room="ledger",
        purpose="A query.",
        sql=sql,
        index=(index,) if index else (),
        source="ledger/queries.sql:7",
        **facts,
    )


@dataclass
class Ledger:
    """A running ledger: its target, its handle, and the superuser's hand."""

    target: Target
    instance: StartedInstance
    faults: set[str]

    async def admin(self, sql: str, *values: object) -> list[Any]:
        connection = await asyncpg.connect(self.instance.handle.database_urls["admin"])
        try:
            rows: list[Any] = await connection.fetch(sql, *values)
            return rows
        finally:
            await connection.close()

    def exam(self, check: Check, *, subject: str | None = None, **changes: Any) -> Exam:
        """An exam that is about to run `check`, on the ledger's manifest with `changes`."""
        target = replace(self.target, manifest=replace(self.target.manifest, **changes))
        exam = Exam(target, self.instance)
        exam.begin(PlannedCheck(check=check, subject=subject))
        return exam


_TEMPLATES: dict[int, str] = {}


@asynccontextmanager
async def ledger_running(
    cluster: PostgresAddress, *, faults: set[str] | None = None
) -> AsyncIterator[Ledger]:
    """Serve a ledger on a database of its own, cloned from a seeded template."""
    name = await _fresh_database(cluster)
    urls = {role: cluster.url(name, user=role, password=word) for role, word in PASSWORDS.items()}
    pool = await asyncpg.create_pool(urls["app"], min_size=1, max_size=4)
    admin = await asyncpg.create_pool(cluster.url(name), min_size=0, max_size=1)
    app = _App(pool, admin, faults if faults is not None else set())
    try:
        async with served(app.asgi()) as base_url:
            handle = Handle(
                base_url=base_url, database_urls={"admin": cluster.url(name), **urls}, tenants=(ACME, GLOBEX)
            )
            target = Target(name="Ledger", kind="command", manifest=ledger_manifest())
            yield Ledger(target, StartedInstance(handle, None), app.faults)
    finally:
        await pool.close()
        await admin.close()
        await _run(cluster.url(), f'drop database if exists "{name}" with (force)')


@asynccontextmanager
async def served(asgi: Any) -> AsyncIterator[str]:
    """Serve an ASGI application on a free port of this machine; yield its base URL."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(asgi, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # pytest's signals stay pytest's


class _App:
    """The ledger's handlers. `faults`: n_plus_one, grows, forbidden_not_missing, echoes_neighbour,
    asks_past_row_security, answers_anybody."""

    def __init__(self, pool: Any, admin: Any, faults: set[str]) -> None:
        self.pool, self.admin, self.faults = pool, admin, faults
        self.sessions: dict[str, Credential] = {}

    def asgi(self) -> Starlette:
        return Starlette(
            routes=[
                Path("/login", self.login, methods=["POST"]),
                Path("/books", self.books),
                Path("/books/{book_id}", self.book),
                Path("/books/{book_id}", self.touch, methods=["PUT"]),
                Path("/preview", self.preview, methods=["POST"]),
                Path("/books/{book_id}/notes", self.add_note, methods=["POST"]),
                Path("/notes", self.add_note, methods=["POST"]),
                Path("/about", self.about),
                Path("/me", self.me),
            ]
        )

    async def login(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        person = next(
            (p for p in (ACME, GLOBEX) if (p.email, p.password) == (form.get("email"), form.get("password"))),
            None,
        )
        if person is None:
            return JSONResponse({"detail": "wrong"}, 401)
        token = uuid.uuid4().hex
        self.sessions[token] = person
        answer = Response(status_code=204)
        answer.set_cookie("sid", token)
        return answer

    async def books(self, request: Request) -> Response:
        if "answers_anybody" in self.faults and self._person(request) is None:
            return JSONResponse([row["title"] for row in await self.admin.fetch(BOOK_LIST, "open")])
        async with self._scope(request) as tx:
            if tx is None:
                return _signed_out()
            found = await tx.fetch(BOOK_LIST, "open")
            if "n_plus_one" in self.faults:
                for row in found:
                    await tx.fetch(NOTES_OF_BOOK, row["book_id"])
            else:
                await tx.fetch(NOTES_OF_BOOKS, [row["book_id"] for row in found])
            if "grows" in self.faults:  # each statement another, as dynamic SQL makes them
                for n in range(min(20, await tx.fetchval("select count(*) from book") // 10)):
                    await tx.fetch(f"select {', '.join(['title'] * (n + 1))} from book limit 1")
        shown = [row["title"] for row in found]
        if "echoes_neighbour" in self.faults:
            shown.append(GLOBEX.marker)
        return JSONResponse(shown)

    async def book(self, request: Request) -> Response:
        book_id = request.path_params["book_id"]
        async with self._scope(request) as tx:
            if tx is None:
                return _signed_out()
            unscoped = "asks_past_row_security" in self.faults
            row = await (self.admin if unscoped else tx).fetchrow(BOOK_GET, book_id)
        if row is not None:
            return JSONResponse({"title": row["title"]}, headers={"etag": VERSION})
        if "forbidden_not_missing" in self.faults and await self.admin.fetchrow(BOOK_GET, book_id):
            return JSONResponse({"detail": "not yours"}, 403)
        return _missing()

    async def add_note(self, request: Request) -> Response:
        body = await request.json()
        book_id = request.path_params.get("book_id") or body["book_id"]
        async with self._scope(request) as tx:
            if tx is None:
                return _signed_out()
            unscoped = "asks_past_row_security" in self.faults
            if await (self.admin if unscoped else tx).fetchrow(BOOK_GET, book_id) is None:
                return _missing()
            if unscoped:
                return JSONResponse({}, 201)
            await tx.execute(NOTE_ADD, uuid.uuid4(), book_id, body["text"])
        return JSONResponse({}, 201)

    async def touch(self, request: Request) -> Response:
        """Take a change only from who has read: 428 without a version, 412 with another one."""
        if self._person(request) is None:
            return _signed_out()
        if "if-match" not in request.headers:
            return JSONResponse({"detail": "read it first"}, 428)
        async with self._scope(request) as tx:
            if tx is None:
                return _signed_out()
            if await tx.fetchrow(BOOK_GET, request.path_params["book_id"]) is None:
                return _missing()
        return JSONResponse({}, 200 if request.headers["if-match"] == VERSION else 412)

    async def preview(self, request: Request) -> Response:
        body = await request.json()
        return JSONResponse({"text": body["text"]}) if self._person(request) else _signed_out()

    async def about(self, _request: Request) -> Response:
        return JSONResponse({"about": "a ledger"})

    async def me(self, request: Request) -> Response:
        return JSONResponse({}) if self._person(request) else _signed_out()

    def _person(self, request: Request) -> Credential | None:
        return self.sessions.get(request.cookies.get("sid", ""))

    @asynccontextmanager
    async def _scope(self, request: Request) -> AsyncIterator[Any]:
        person = self._person(request)
        if person is None:
            yield None
            return
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                f"set local app.tenant_id = '{person.tenant_id}'; set local app.realm_id = '{person.realm_id}'"
            )
            yield connection


def _missing() -> Response:
    return JSONResponse({"detail": "no such book"}, 404)


def _signed_out() -> Response:
    return JSONResponse({"detail": "sign in"}, 401)


async def _fresh_database(cluster: PostgresAddress) -> str:
    if cluster.pid not in _TEMPLATES:
        template = f"ledger_{uuid.uuid4().hex[:8]}"
        await _run(cluster.url(), f'create database "{template}"')
        await bootstrap(cluster.url(template), passwords=PASSWORDS)
        await _seed(cluster.url(template))
        _TEMPLATES[cluster.pid] = template
    name = f"test_{uuid.uuid4().hex[:12]}"
    await _run(
        cluster.url(), f'create database "{name}" template "{_TEMPLATES[cluster.pid]}" strategy file_copy'
    )
    return name


async def _seed(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("set role owner;" + SCHEMA + "reset role;")
        for person in (ACME, GLOBEX):
            await connection.execute(
                SEED, uuid.UUID(person.tenant_id), person.marker, BOOKS[person.tenant_id]
            )
        await connection.execute(SEED_NOTES)
        await connection.execute("insert into reader_card values ($1, gen_random_uuid(), 'a@b.test')", REALM)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()


async def _run(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()

"""The shop: a small app of nobody's house that takes orders and bills, with defects to switch on.

Plain Starlette and SQL. It runs in the test's own event loop, or as processes of its own that
are started again when they die. Nothing here is guarded or escaped; it is examined for what it does twice, loses or miscounts.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Job, Login, Manifest, Oracle, Route, Sample, Table
from shipworthy.contract.target import Handle, Process, Target
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.local.ports import free_port
from shipworthy.local.postgres import PostgresAddress
from shipworthy.local.processes import accepts_connections
from tests.support.ledger import served
from tests.support.shop_app import ANN, GUS, TRIES_MAX, ShopApp

SCHEMA = """
create table orders (tenant_id uuid not null, order_id uuid primary key, note text not null);
create table order_key (tenant_id uuid not null, key text, digest text not null, status int, body text,
  primary key (tenant_id, key));
create table receipt (tenant_id uuid not null, kind text not null default 'bill', order_id uuid not null);
create table job (job_id bigserial primary key, tenant_id uuid not null, order_id uuid not null,
  taken_at timestamptz, taken int not null default 0);
"""  # fmt: skip


def shop_manifest(**changes: Any) -> Manifest:
    """What the shop declares of itself."""
    manifest = Manifest(
        app="Shop",
        login=Login(route="POST /login", form={"email": "{email}", "password": "{password}"}, ok=(204,),
                    attempts_max=TRIES_MAX + 3, reset="POST /forgot", reset_form={"email": "{email}"}),
        routes=(
            _route("POST", "/login", auth="public", effect="change"),
            _route("POST", "/orders", idempotency="key", effect="create", statuses=(201,),
                   example={"note": "two of each"}),
            _route("POST", "/orders/{order_id}/bill", effect="change", params={"order_id": "order_id"}, example={}),
            _route("POST", "/invoices", effect="change", statuses=(201,), example={"lines": []}),
        ),
        tables=(
            Table(name="orders", scope="tenant", column="tenant_id"),
            Table(name="order_key", scope="tenant", column="tenant_id"),
            Table(name="receipt", scope="tenant", column="tenant_id"),
            Table(name="job", scope="worker"),
        ),
        samples=(Sample(name="order_id", sql="select order_id from orders limit 1"),),
        jobs=(
            Job(kind="order.bill", room="shop", writes="receipt", writes_kind="bill", source_column="order_id",
                triggered_by="POST /orders/{order_id}/bill", source="shop/jobs.py:1"),
        ),
        oracles=(
            Oracle(
                kind="invoice_totals",
                create="POST /invoices",
                body={"lines": [{"text": "", "amount": "1", "price": "1.00", "rate": 1900, "unit": "h"}]},
                fields={"lines": "lines", "description": "text", "quantity": "amount", "unit_price": "price",
                        "tax_rate_bp": "rate", "net_minor": "sums.net", "tax_minor": "sums.tax",
                        "gross_minor": "sums.gross"},
            ),
        ),
        faults_allowed=("process.kill", "database.lock"),
    )  # fmt: skip
    return replace(manifest, **changes)


def _route(method: str, path: str, **facts: Any) -> Route:
    return Route(name=f"shop.{path}", room="shop", method=method, path=path, source="shop/web.py:1", **facts)


@dataclass
class Shop:
    """A running shop: its handle as it is now, and its defects, which a test may switch."""

    handle: Handle
    defects: set[str]

    def died(self) -> str:
        return ""

    def exam(self, check: Check, *, subject: str | None = None, **changes: Any) -> Exam:
        """An exam that is about to run `check`, on the shop's manifest with `changes`."""
        target = Target(name="Shop", kind="shipworthy", manifest=shop_manifest(**changes), health="/health")
        exam = Exam(target, self)
        exam.begin(PlannedCheck(check=check, subject=subject))
        return exam

    async def ask(self, check: Check, **changes: Any) -> dict[str, Finding]:
        """Run a check as the examiner would; return its findings by what they are about."""
        exam = self.exam(check, **changes)
        try:
            findings = list(await check.run(exam))
        finally:
            failed = await exam.heal()
            await exam.close()
        assert not failed
        found = {finding.subject: finding for finding in findings}
        assert len(found) == len(findings), [finding.id for finding in findings]
        return found

    async def admin(self, sql: str, *values: object) -> list[Any]:
        return await _sql(self.handle.database_urls["admin"], sql, *values)


@asynccontextmanager
async def shop_running(cluster: PostgresAddress, *, has_database: bool = True) -> AsyncIterator[Shop]:
    """Serve a shop in this event loop, on a database of its own."""
    async with _database(cluster) as url:
        app = ShopApp(await asyncpg.create_pool(url, min_size=1, max_size=20), set())
        try:
            async with served(app.asgi()) as base_url:
                urls = {"admin": url, "app": url} if has_database else {}
                yield Shop(Handle(base_url=base_url, database_urls=urls, tenants=(ANN, GUS)), app.defects)
        finally:
            await app.pool.close()


@asynccontextmanager
async def shop_with_process(cluster: PostgresAddress, name: str, *defects: str) -> AsyncIterator[Shop]:
    """Run a shop of which one part, "web" or "worker", is a process that is started again when it dies.

    A web that is no process is served in this event loop.
    """
    async with _database(cluster) as url, contextlib.AsyncExitStack() as stack:
        port = free_port()
        base_url = f"http://127.0.0.1:{port}"
        if name != "web":
            pool = await asyncpg.create_pool(url, min_size=1, max_size=10)
            stack.push_async_callback(pool.close)
            base_url = await stack.enter_async_context(served(ShopApp(pool, set(defects)).asgi()))
        handle = Handle(base_url=base_url, database_urls={"admin": url, "app": url}, tenants=(ANN, GUS))
        shop = Shop(handle, set(defects))
        command = [sys.executable, "-m", "tests.support.shop_app", name, url, str(port), *defects]
        process = await _started(shop, name, command)
        keeping = asyncio.create_task(_kept_running(shop, name, command, process))
        stack.push_async_callback(_ended, keeping)
        if name == "web":
            await _until_it_accepts(port)
        yield shop


async def _started(shop: Shop, name: str, command: list[str]) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(*command)
    shop.handle = replace(shop.handle, processes=(Process(name=name, pid=process.pid),))
    return process


async def _kept_running(
    shop: Shop, name: str, command: list[str], process: asyncio.subprocess.Process
) -> None:
    """Start the process again whenever it ends, with its pid in the handle, as a supervisor does."""
    try:
        while True:
            await process.wait()
            shop.handle = replace(shop.handle, processes=())
            process = await _started(shop, name, command)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _until_it_accepts(port: int) -> None:
    for _ in range(1_500):
        if await accepts_connections(port):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the shop did not start")


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def _database(cluster: PostgresAddress) -> AsyncIterator[str]:
    name = f"shop_{uuid.uuid4().hex[:12]}"
    await _sql(cluster.url(), f'create database "{name}" strategy file_copy')
    try:
        await _sql(cluster.url(name), SCHEMA)
        yield cluster.url(name)
    finally:
        await _sql(cluster.url(), f'drop database if exists "{name}" with (force)')


async def _sql(url: str, sql: str, *values: object) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        if sql.lstrip().startswith("select"):
            rows: list[Any] = await connection.fetch(sql, *values)
            return rows
        await connection.execute(sql, *values)
        return []
    finally:
        await connection.close()

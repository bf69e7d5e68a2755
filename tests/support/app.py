"""A whole app in this process, on a database of its own cloned from a migrated template."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from shipworthy.kernel.app import Installation, migrations_of, running, web_app
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.migrate import bootstrap, migrate_up
from shipworthy.kernel.db.tx import Database, open_database
from shipworthy.kernel.room import Room
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.settings import AppSection, Settings
from shipworthy.local.postgres import PostgresAddress
from tests.support.client import Client

PASSWORDS = {role: f"{role}-password-of-tests" for role in ("app", "worker", "reader", "auditor")}
_TEMPLATES: dict[tuple[int, tuple[str, ...]], str] = {}


@dataclass
class RunningApp:
    """What a test may touch: HTTP through `client()`, and the database as any role."""

    runtime: Runtime
    asgi: Any
    address: PostgresAddress
    database_name: str
    installation: Installation

    def client(self, host: str = "localhost", *, address: str = "127.0.0.1") -> Client:
        return Client(self.asgi, host=host, address=address)

    def url(self, role: str) -> str:
        if role == "admin":
            return self.address.url(self.database_name)
        return self.address.url(self.database_name, user=role, password=PASSWORDS[role])

    async def admin(self, sql: str, *values: object) -> list[Any]:
        """Run SQL as the superuser, past row security: for arranging and for looking."""
        connection = await asyncpg.connect(self.url("admin"))
        try:
            return await connection.fetch(sql, *values)
        finally:
            await connection.close()

    def ctx(self, *, tenant_id: uuid.UUID | None = None) -> Ctx:
        return Ctx(scope=Scope(self.runtime.realm_id, tenant_id), runtime=self.runtime, trace_id="0" * 32)

    @asynccontextmanager
    async def role(self, role: str) -> AsyncIterator[Database]:
        database = await open_database(self.url(role), connections_max=2, acquire_timeout_s=5)
        try:
            yield database
        finally:
            await database.close()

    async def add_tenant(self, name: str = "Acme") -> uuid.UUID:
        tenant_id = uuid.uuid4()
        await self.admin(
            "insert into tenant (realm_id, tenant_id, name, slug) values ($1, $2, $3, $4)",
            self.runtime.realm_id,
            tenant_id,
            name,
            f"{name.lower()}-{tenant_id.hex[:6]}",
        )
        return tenant_id


def make_settings(rooms: tuple[Room, ...], **sections: Any) -> Settings:
    return Settings(app=AppSection(name="Test app", rooms=tuple(r.name for r in rooms)), **sections)


@asynccontextmanager
async def app_running(
    address: PostgresAddress,
    rooms: tuple[Room, ...],
    state: Path,
    *,
    settings: Settings | None = None,
    pooled: Callable[[str], str] | None = None,
    **overrides: Any,
) -> AsyncIterator[RunningApp]:
    """Run `rooms` on a fresh database, by the address that `pooled` makes of its; drop it afterwards."""
    name = await fresh_database(address, rooms)
    realm_id = uuid.uuid4()
    url = address.url(name, user="app", password=PASSWORDS["app"])
    installation = Installation(
        realm_id=realm_id,
        database_url=pooled(url) if pooled else url,
        direct_url=url if pooled else None,
        state=state,
        signing_key=b"tests",
    )
    try:
        admin = await asyncpg.connect(address.url(name))
        await admin.execute("insert into realm (realm_id, name) values ($1, 'test')", realm_id)
        await admin.close()
        async with running(settings or make_settings(rooms), rooms, installation, **overrides) as runtime:
            yield RunningApp(runtime, web_app(runtime), address, name, installation)
    finally:
        await _admin(address, f'drop database if exists "{name}" with (force)')


async def fresh_database(address: PostgresAddress, rooms: tuple[Room, ...]) -> str:
    """Clone the migrated template of these rooms (made at the first call); return its name."""
    key = (address.pid, tuple(r.name for r in rooms))
    if key not in _TEMPLATES:
        template = f"template_{'_'.join(key[1]) or 'kernel'}_{uuid.uuid4().hex[:6]}"
        await _admin(address, f'create database "{template}"')
        await bootstrap(address.url(template), passwords=PASSWORDS)
        await migrate_up(address.url(template), migrations_of(rooms))
        _TEMPLATES[key] = template
    name = f"test_{uuid.uuid4().hex[:12]}"
    await _admin(address, f'create database "{name}" template "{_TEMPLATES[key]}" strategy file_copy')
    return name


async def _admin(address: PostgresAddress, sql: str) -> None:
    connection = await asyncpg.connect(address.url())
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
        await asyncio.sleep(0)

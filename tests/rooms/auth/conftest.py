"""The auth room, running with cheap hashes, and people to sign in as."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.queue.job import JobKind, Payload
from shipworthy.kernel.queue.worker import run_job
from shipworthy.kernel.room import NavItem, SeedTenant
from shipworthy.kernel.settings import AuthSection, MailSection, Settings
from shipworthy.local.mailbox import serve_mailbox
from shipworthy.local.mails import Mail, list_mails
from shipworthy.local.ports import free_port
from shipworthy.local.postgres import PostgresAddress
from shipworthy.local.processes import accepts_connections
from shipworthy.rooms.auth.jobs import JOBS
from shipworthy.rooms.auth.room import ROOM
from shipworthy.rooms.auth.seed import seed_owner
from tests.support.app import RunningApp, app_running, make_settings
from tests.support.client import Answer, Client

PASSWORD = "seven quiet lanterns"
SIGN_UP = {
    "name": "Mara Lindqvist",
    "organisation": "Nordlicht Studio",
    "email": "mara@nordlicht.example",
    "password": PASSWORD,
}
# A room beside ours, so that there is a first page that is not the account.
OVERVIEW = NavItem(href="/overview", label="Overview", icon="layout-dashboard", section="overview")


class Clock:
    """Time that is moved, not waited for."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class AuthApp:
    """The running app with its mail and a clock."""

    running: RunningApp
    clock: Clock
    mails_dir: Path
    owner: SeedTenant
    owner_tenant_id: uuid.UUID
    clients: list[Client] = field(default_factory=list)

    def client(self, *, address: str = "127.0.0.1", **kwargs: Any) -> Client:
        return self.running.client(address=address, **kwargs)

    async def sign_in(
        self,
        client: Client | None = None,
        *,
        email: str | None = None,
        password: str = PASSWORD,
        **extra: str,
    ) -> Answer:
        """Post the sign-in form; of the seeded owner unless another address is given."""
        form = {"email": email or self.owner.email, "password": password, **extra}
        return await (client or self.client()).post("/login", form=form)

    async def signed_in(self, *, address: str = "127.0.0.1") -> Client:
        client = self.client(address=address)
        assert (await self.sign_in(client)).status == 303
        return client

    async def work(self, kind: JobKind = JOBS[0]) -> int:
        """Run every queued job of this kind once, as the worker role would; return how many there were."""
        rows = await self.running.admin(
            "delete from pgqueuer where entrypoint = $1 returning id, payload", kind.kind
        )
        async with self.running.role("worker") as database:
            web, self.running.runtime.database = self.running.runtime.database, database
            try:
                for row in sorted(rows, key=lambda r: r["id"]):
                    await run_job(kind, self.running.runtime, row["payload"], attempt=0)
            finally:
                self.running.runtime.database = web
        return len(rows)

    @property
    def mails(self) -> list[Mail]:
        """The mails so far, oldest first."""
        return list_mails(self.mails_dir)[::-1]

    async def link_mailed_to(self, email: str) -> str:
        """Run the jobs and return the path of the newest confirmation link for this address."""
        await self.work()
        newest = [mail for mail in self.mails if mail.to == email][-1]
        found = re.search(r"http://localhost(/verify\?token=[A-Za-z0-9_-]{43})\s", newest.text)
        assert found, newest.text
        return found.group(1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def mail_port(tmp_path: Path) -> AsyncIterator[int]:
    """A real SMTP server that keeps what it gets in `tmp_path`/mails."""
    port = free_port()
    serving = asyncio.create_task(serve_mailbox(tmp_path / "mails", port=port))
    while not await accepts_connections(port):
        assert not serving.done(), serving
        await asyncio.sleep(0)
    yield port
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


@pytest.fixture
async def auth(
    cluster: PostgresAddress, tmp_path: Path, clock: Clock, mail_port: int
) -> AsyncIterator[AuthApp]:
    settings = auth_settings(mail=MailSection(port=mail_port))
    async with app_running(cluster, (ROOM,), tmp_path, settings=settings, now=clock) as running:
        tenant_id, owner = await add_owner(running)
        yield AuthApp(running, clock, tmp_path / "mails", owner, tenant_id)


# However slow the machine: whether a wait is too long is tested where time is moved (test_hashing.py).
CHEAP = AuthSection(hash_memory_kib=64, hash_passes=1, hash_wait_max_ms=60_000, hash_queue_max=512)


def auth_settings(*, auth: AuthSection = CHEAP, **sections: Any) -> Settings:
    return make_settings((ROOM,), auth=auth, **sections)


async def add_owner(running: RunningApp, name: str = "Acme") -> tuple[uuid.UUID, SeedTenant]:
    """Seed a tenant with its owner and nobody else."""
    tenant_id = await running.add_tenant(name)
    slug = name.lower()
    owner = SeedTenant(
        name=name,
        email=f"owner@{slug}.example",
        password=PASSWORD,
        marker=f"{name}-marker",
        site_host=f"{slug}.localhost",
        user_id=uuid.uuid4(),
    )
    ctx = Ctx(scope=Scope(running.runtime.realm_id, tenant_id), runtime=running.runtime, trace_id="0" * 32)
    async with ctx.begin() as tx:
        ctx.tx = tx
        await seed_owner(ctx, owner)
    return tenant_id, owner


def payload(running: RunningApp, source: object) -> bytes:
    import msgspec

    return msgspec.json.encode(Payload(str(running.runtime.realm_id), "", str(source), "0" * 32))

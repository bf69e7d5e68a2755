"""The toy app, running, for the kernel's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shipworthy.kernel.sessions.store import NewSession
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.toy import ROOM
from tests.support.app import RunningApp, app_running
from tests.support.client import Client


@pytest.fixture
async def toy(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with app_running(cluster, (ROOM,), tmp_path) as app:
        yield app


async def signed_in(app: RunningApp, *, tenant: str = "Acme", role: str = "owner") -> Client:
    """A client with a session of a new person in a new tenant."""
    tenant_id = await app.add_tenant(tenant)
    ids = (app.runtime.new_id(), app.runtime.new_id())
    token = await app.runtime.sessions.create(
        NewSession(
            user_id=ids[0],
            device_id=ids[1],
            device_name="Test",
            email=f"{tenant.lower()}@example.test",
            tenant_id=tenant_id,
            tenant_name=tenant,
            role=role,
        )
    )
    client = app.client()
    client.cookies["sid"] = token
    return client

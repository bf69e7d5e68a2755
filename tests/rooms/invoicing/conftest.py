"""The invoicing room, running, and people in it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shipworthy.kernel.queue.job import Payload
from shipworthy.kernel.queue.worker import run_job
from shipworthy.kernel.sessions.store import NewSession
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.jobs import JOBS
from shipworthy.rooms.invoicing.room import ROOM
from tests.support.app import RunningApp, app_running
from tests.support.client import Answer, Client

LINE = {"description": "Concept", "quantity": "1.5", "unit_price": "95.00", "tax_rate_bp": 1900}


@pytest.fixture
async def app(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with app_running(cluster, (ROOM,), tmp_path) as running:
        yield running


@pytest.fixture
async def acme(app: RunningApp) -> Person:
    return await person(app)


@dataclass
class Person:
    """Somebody signed in. Every request gets an idempotency key of its own unless it brings one."""

    app: RunningApp
    client: Client
    tenant_id: uuid.UUID

    async def get(self, path: str, **kwargs: Any) -> Answer:
        return await self.client.get(path, **kwargs)

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"idempotency-key": uuid.uuid4().hex, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return await self.client.request(method, path, json_body=body, headers=sent)

    async def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return await self.send("POST", path, body, **headers)

    async def submit(self, path: str, **fields: str) -> Answer:
        """Send a form as a browser does."""
        named = {name.replace("__", "-"): value for name, value in fields.items()}
        return await self.client.post(path, form={"_idempotency_key": uuid.uuid4().hex, **named})

    async def customer(self, name: str = "Harbour Office") -> str:
        answer = await self.post("/api/customers", {"name": name})
        assert answer.status == 201, answer.text
        return str(answer.json["customer_id"])

    async def draft(self, customer_id: str | None = None, **changes: Any) -> dict[str, Any]:
        body = {
            "customer_id": customer_id or await self.customer(),
            "currency": "EUR",
            "lines": [LINE],
            **changes,
        }
        answer = await self.post("/api/invoices", body)
        assert answer.status == 201, answer.text
        draft: dict[str, Any] = answer.json
        return draft

    async def issued(self, customer_id: str | None = None, **changes: Any) -> dict[str, Any]:
        draft = await self.draft(customer_id, **changes)
        answer = await self.post(f"/api/invoices/{draft['invoice_id']}/finalise")
        assert answer.status == 200, answer.text
        return {**draft, **answer.json}

    async def run_jobs(self, invoice_id: str, *, times: int = 1) -> None:
        """Run the invoice's PDF job as the worker's own role does."""
        payload = Payload(str(self.app.runtime.realm_id), str(self.tenant_id), invoice_id, "0" * 32)
        async with self.app.role("worker") as database:
            runtime = replace(self.app.runtime, database=database)
            for _ in range(times):
                await run_job(JOBS[0], runtime, msgspec.json.encode(payload), attempt=0)


async def person(
    app: RunningApp, tenant: str = "Acme", *, role: str = "owner", tenant_id: uuid.UUID | None = None
) -> Person:
    """A new person, in a new tenant or in one that is there."""
    tenant_id = tenant_id or await app.add_tenant(tenant)
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
    return Person(app, client, tenant_id)

"""A tenant with a sealed and anchored trail, and somebody who rules the database and can seal as well as we."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from shipworthy.kernel.audit.anchors import anchor_heads
from shipworthy.kernel.audit.chain import GENESIS, seal
from shipworthy.kernel.audit.sealer import seal_due
from shipworthy.kernel.audit.verify import Anchors, Report, read_anchors, verify_chain
from shipworthy.kernel.context import Scope
from tests.kernel.conftest import signed_in
from tests.support.app import RunningApp
from tests.support.client import Client


@dataclass
class Trail:
    """One tenant's trail: rows are written through HTTP, sealed and anchored as the worker does."""

    app: RunningApp
    client: Client
    tenant_id: uuid.UUID
    written: int = 0

    @property
    def scope(self) -> Scope:
        return Scope(self.app.runtime.realm_id, self.tenant_id)

    async def write(self, rows: int) -> None:
        for _ in range(rows):
            self.written += 1
            key = {"idempotency-key": f"k{self.written}"}
            answer = await self.client.post("/notes", json_body={"text": f"n{self.written}"}, headers=key)
            assert answer.status == 201
        async with self.app.role("worker") as worker:
            await seal_due(worker)

    async def anchor(self) -> int | None:
        runtime = self.app.runtime
        async with self.app.role("worker") as worker:
            web, runtime.database = runtime.database, worker
            try:
                return await anchor_heads(runtime, older_than=timedelta(0))
            finally:
                runtime.database = web

    async def anchors(self) -> Anchors:
        runtime = self.app.runtime
        async with self.app.role("auditor") as database:
            return await read_anchors(runtime.files, runtime.audit_keys, database, realm_id=runtime.realm_id)

    async def verify(self) -> Report:
        anchors = await self.anchors()
        async with self.app.role("auditor") as database:
            return await verify_chain(database, self.scope, anchors.of(self.tenant_id))

    async def reseal(self) -> None:
        """Seal what is there anew, from the first row to the head, as one who rules the database can."""
        connection = await asyncpg.connect(self.app.url("admin"))
        try:
            await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=_decoded)
            rows = await connection.fetch(
                "select * from audit where tenant_id = $1 and seq is not null order by seq", self.tenant_id
            )
            prev, sealed = GENESIS, []
            for seq, row in enumerate(rows, 1):
                digest = seal(row, seq=seq, prev=prev)
                sealed.append((row["audit_id"], seq, prev, digest))
                prev = digest
            await connection.execute("update audit set seq = -seq where tenant_id = $1", self.tenant_id)
            await connection.executemany(
                "update audit set seq = $2, prev = $3, hash = $4 where audit_id = $1", sealed
            )
            await connection.execute(
                "update audit_head set seq = $2, hash = $3 where tenant_id = $1",
                self.tenant_id,
                len(rows),
                prev,
            )
        finally:
            await connection.close()


def _decoded(text: str) -> object:
    import json

    return json.loads(text)


async def new_trail(app: RunningApp, *, tenant: str = "Acme") -> Trail:
    client = await signed_in(app, tenant=tenant)
    [row] = await app.admin(
        "select tenant_id from tenant where name = $1 order by created_at desc limit 1", tenant
    )
    return Trail(app, client, uuid.UUID(int=row["tenant_id"].int))

"""An organisation with people in it."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

import pytest

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.rooms.auth.seed import add_person
from tests.rooms.auth.conftest import PASSWORD, AuthApp, add_owner
from tests.support.client import Client

AS_JSON = {"accept": "application/json"}


@dataclass
class Team:
    """Acme, with its owner signed in, and Globex next door."""

    auth: AuthApp
    owner: Client
    owner_id: uuid.UUID
    tenant_id: uuid.UUID
    neighbour_id: uuid.UUID

    async def add(self, name: str, role: str = "member", *, tenant_id: uuid.UUID | None = None) -> uuid.UUID:
        """Make a person `name`@acme.example of this role."""
        running, user_id = self.auth.running, uuid.uuid4()
        scope = Scope(running.runtime.realm_id, tenant_id or self.tenant_id)
        ctx = Ctx(scope=scope, runtime=running.runtime, trace_id="0" * 32)
        async with ctx.begin() as tx:
            ctx.tx = tx
            email = f"{name.split(maxsplit=1)[0].lower()}@acme.example"
            await add_person(ctx, user_id=user_id, email=email, name=name, role=role, password=PASSWORD)
        return user_id

    async def join(self, user_id: uuid.UUID, tenant_id: uuid.UUID, role: str = "member") -> None:
        await self.auth.running.admin(
            "insert into membership (realm_id, tenant_id, user_id, role, created_at) values ($1, $2, $3, $4, now())",
            self.auth.running.runtime.realm_id, tenant_id, user_id, role,
        )  # fmt: skip

    async def signed_in(self, name: str) -> Client:
        client = self.auth.client()
        assert (await self.auth.sign_in(client, email=f"{name.lower()}@acme.example")).status == 303
        return client

    async def roles(self) -> dict[str, str]:
        rows = await self.auth.running.admin(
            "select name, role from membership join app_user using (user_id) where tenant_id = $1",
            self.tenant_id,
        )
        return {row["name"]: row["role"] for row in rows}

    async def acts_as(self, client: Client) -> tuple[str | None, str | None]:
        """Return organisation and role of a signed-in client, as a program sees them."""
        me = (await client.get("/api/me", headers=AS_JSON)).json
        return me["tenant"] or None, me["role"]

    async def trail(self) -> list[str]:
        rows = await self.auth.running.admin(
            "select action from audit where tenant_id = $1 order by audit_id", self.tenant_id
        )
        return [row["action"] for row in rows]


def heading(page: str) -> str:
    found = re.search(r"<h1>([^<]*)</h1>", page)
    assert found, page
    return found.group(1)


@pytest.fixture
async def team(auth: AuthApp) -> Team:
    neighbour_id, _ = await add_owner(auth.running, "Globex")
    owner = await auth.signed_in()
    return Team(auth, owner, auth.owner.user_id, auth.owner_tenant_id, neighbour_id)

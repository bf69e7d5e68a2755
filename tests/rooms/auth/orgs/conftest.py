"""An organisation with people in it."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

import pytest

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.rooms.auth.seed import add_person
from tests.rooms.auth.conftest import PASSWORD, AuthApp, add_owner
from tests.support.client import Answer, Client

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
        return await self.signed_in_as(f"{name.lower()}@acme.example")

    async def signed_in_as(self, email: str) -> Client:
        client = self.auth.client()
        assert (await self.auth.sign_in(client, email=email)).status == 303
        return client

    async def link_mailed_to(self, email: str) -> str:
        """Run the jobs and return the path of the newest invitation to this address."""
        await self.auth.work()
        newest = [mail for mail in self.auth.mails if mail.to == email][-1]
        found = re.search(r"http://localhost(/invitation\?token=[A-Za-z0-9_-]{43})\s", newest.text)
        assert found, newest.text
        return found.group(1)

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


async def invite(
    client: Client, email: str, role: str = "member", *, headers: dict[str, str] | None = None
) -> Answer:
    form = {"email": email, "role": role}
    return await client.post("/organisation/invitations", form=form, headers=headers)


async def invitation_ids(client: Client) -> list[str]:
    page = (await client.get("/organisation")).text.replace("&#x2f;", "/")
    return re.findall(r"/organisation/invitations/([0-9a-f-]{36})/revoke", page)


def heading(page: str) -> str:
    found = re.search(r"<h1>([^<]*)</h1>", page)
    assert found, page
    return found.group(1)


@pytest.fixture
async def team(auth: AuthApp) -> Team:
    neighbour_id, _ = await add_owner(auth.running, "Globex")
    owner = await auth.signed_in()
    return Team(auth, owner, auth.owner.user_id, auth.owner_tenant_id, neighbour_id)

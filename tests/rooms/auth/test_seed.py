"""Example people."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.errors import Conflict
from shipworthy.rooms.auth.room import ROOM
from tests.rooms.auth.conftest import AuthApp, add_owner


async def test_the_owner_of_a_seeded_tenant_can_sign_in_at_once(auth: AuthApp) -> None:
    client = await auth.signed_in()
    page = (await client.get("/account")).text
    assert "Acme Owner" in page
    rows = await auth.running.admin("select user_id, tenant_id, role from membership")
    assert [tuple(row) for row in rows] == [(auth.owner.user_id, auth.owner_tenant_id, "owner")]


async def test_an_address_is_seeded_once(auth: AuthApp) -> None:
    with pytest.raises(Conflict, match="Another account"):
        await add_owner(auth.running, "Acme")


async def test_a_seeded_tenant_has_people_of_every_role_who_can_sign_in(auth: AuthApp) -> None:
    tenant_id = await auth.running.add_tenant("Initech")
    tenant = replace(auth.owner, name="Initech", email="owner@initech.example", user_id=uuid.uuid4())
    ctx = Ctx(
        scope=Scope(auth.running.runtime.realm_id, tenant_id), runtime=auth.running.runtime, trace_id="0" * 32
    )
    assert ROOM.seed
    async with ctx.begin() as tx:
        ctx.tx = tx
        await ROOM.seed(ctx, tenant)
    rows = await auth.running.admin(
        "select email_raw, role from membership join app_user using (user_id) where tenant_id = $1", tenant_id
    )
    assert {row["role"] for row in rows} == {"owner", "member", "viewer"}
    assert {(await auth.sign_in(email=row["email_raw"])).status for row in rows} == {303}

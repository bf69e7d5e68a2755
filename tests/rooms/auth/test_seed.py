"""Example people."""

from __future__ import annotations

import pytest

from tests.rooms.auth.conftest import AuthApp, add_owner


async def test_the_owner_of_a_seeded_tenant_can_sign_in_at_once(auth: AuthApp) -> None:
    client = await auth.signed_in()
    page = (await client.get("/account")).text
    assert "Acme Owner" in page
    rows = await auth.running.admin("select user_id, tenant_id, role from membership")
    assert [tuple(row) for row in rows] == [(auth.owner.user_id, auth.owner_tenant_id, "owner")]


async def test_an_address_is_seeded_once(auth: AuthApp) -> None:
    with pytest.raises(AssertionError, match="belongs to somebody"):
        await add_owner(auth.running, "Acme")

"""What a role may do; and where somebody without a tenant is led."""

from __future__ import annotations

import uuid

from shipworthy.kernel.runtime import uuid7
from shipworthy.kernel.sessions.store import NewSession
from tests.support.app import RunningApp


async def test_who_acts_for_no_tenant_is_led_to_the_choice_and_told_why(toy: RunningApp) -> None:
    new = NewSession(user_id=uuid.uuid4(), device_id=uuid7(), device_name="Firefox", email="a@example.test")
    nobody = toy.client()
    nobody.cookies["sid"] = await toy.runtime.sessions.create(new)
    page = await nobody.get("/owned", headers={"accept": "text/html"})
    assert (page.status, page.header("location")) == (303, "/organisations")
    refused = await nobody.get("/owned", headers={"accept": "application/json"})
    assert (refused.status, refused.json["code"]) == (403, "permission.no_tenant")

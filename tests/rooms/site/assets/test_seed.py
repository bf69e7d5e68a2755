"""The demo's pictures: drawn the same each time, marked, and there for who looks for one to use."""

from __future__ import annotations

from shipworthy.rooms.site.assets.seed import PICTURES, landscape
from tests.rooms.site.conftest import seeded
from tests.support.app import RunningApp
from tests.support.pictures import opened


async def test_a_demo_tenant_has_pictures_that_say_whose_they_are(app: RunningApp) -> None:
    acme, tenant = await seeded(app)
    listed = (await acme.get("/api/assets")).json["assets"]
    assert len(listed) == len(PICTURES)
    assert all(tenant.marker in asset["name"] and asset["alt"] for asset in listed)


def test_a_drawing_is_the_same_each_time() -> None:
    assert landscape(0.5) == landscape(0.5)
    assert opened(landscape(0.5)).size == (960, 600)

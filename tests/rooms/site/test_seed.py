"""The demo's websites: written as their owners would, marked, and without a dead link."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest

from shipworthy.rooms.site.assets.seed import PICTURES
from shipworthy.rooms.site.room import ROOM
from tests.rooms.site.conftest import seeded, work
from tests.support.app import RunningApp
from tests.support.page import parse


@pytest.mark.parametrize(("name", "slug"), [("Acme Plumbing", "acme"), ("Globex Design", "globex")])
async def test_every_link_of_a_demo_site_leads_to_a_page(app: RunningApp, name: str, slug: str) -> None:
    person, _ = await seeded(app, name, slug)
    waiting, seen = ["/"], set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        page = parse(await person.visitor.text(path))
        assert page.one("h1").text
        waiting += [
            str(a.attributes["href"]) for a in page.all("a") if not urlsplit(str(a.attributes["href"])).scheme
            and not str(a.attributes["href"]).startswith("#")
        ]  # fmt: skip
    assert len(seen) == 5


async def test_the_marker_stands_in_a_published_page_a_draft_and_nowhere_else(app: RunningApp) -> None:
    acme, tenant = await seeded(app)
    globex, other = await seeded(app, "Globex Design", "globex")
    assert tenant.marker in await acme.visitor.text("/contact")
    assert tenant.marker in (await acme.get("/pages")).text
    assert tenant.marker not in await globex.visitor.text("/contact")
    assert other.marker not in (await acme.get("/pages")).text


async def test_what_the_manifest_promises_of_the_demo_is_there(app: RunningApp) -> None:
    acme, _ = await seeded(app)
    await work(app)
    for journey in ROOM.journeys:
        for step in journey.steps:
            assert (await acme.visitor.ask(step.path)).status in step.expect
    bound = ROOM.budgets(app.runtime.settings)[0].bound
    assert len((await acme.visitor.ask("/", accept_encoding="gzip")).body) < bound / 5
    found: dict[str, Any] = {}
    await app.admin(
        "insert into asset (tenant_id, asset_id, name, alt, key, slug, sent_sha256, media_type, width, height, bytes, created_at)"
        " select $1, $2, 'Volume 1', '', '0123456789abcdef', 'volume-1', '\\x00', 'image/jpeg', 640, 480, 1, now()",
        acme.tenant_id,
        uuid.UUID(int=1),
    )
    async with app.role("app") as database, database.begin(app.ctx(tenant_id=acme.tenant_id).scope) as tx:
        for sample in ROOM.samples:
            (row,) = await tx.raw(sample.sql)
            assert row[0] is not None, sample.name
            found[sample.name] = row[0]
    # Rows that fill the tenant for plan checks have no file: none of them is the sample.
    asset_id = found["asset_id"]
    assert (await acme.get(f"/assets/{asset_id}/thumb")).status == 200
    choice = {"block": found["picture_block"], "place": "asset", "asset_id": str(asset_id)}
    chosen = await acme.submit(f"/pages/{found['picture_page_id']}/pictures", **choice)
    assert (chosen.status, chosen.header("location")) == (
        303,
        f"/pages/{found['picture_page_id']}#block-{choice['block']}",
    )
    picture = parse(await acme.visitor.text("/contact")).one("picture").one("img")
    assert str(picture.attributes["alt"]) == PICTURES[0][1]
    assert (await acme.visitor.ask(str(picture.attributes["src"]))).status == 200

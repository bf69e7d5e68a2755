"""Pictures from the file to the page: sent, kept in every form, served, described, found, thrown away.

Covers: forms, serve.
"""

from __future__ import annotations

import asyncio
import base64

import pytest

from shipworthy.rooms.site.assets.library import assets_by_id
from shipworthy.rooms.site.assets.picture import picture
from tests.rooms.site.assets.conftest import send_picture, work
from tests.rooms.site.conftest import Author, author, until
from tests.support.app import RunningApp
from tests.support.pictures import opened


async def added(person: Author, **body: object) -> dict[str, object]:
    answer = await send_picture(person, **body)
    assert answer.status == 201, answer.text
    asset: dict[str, object] = answer.json
    return asset


async def shown_on_a_page(person: Author, asset: dict[str, object]) -> dict[str, object]:
    return await person.show("Home", "/", body=f"Look.\n\n## Part\n\n![A bench]({asset['path']})")


async def test_a_picture_is_served_at_once_and_in_its_own_form_when_that_is_made(
    app: RunningApp, acme: Author
) -> None:
    asset = await added(acme, alt="A bench")
    await shown_on_a_page(acme, asset)
    where = str(asset["path"]).replace(".jpg", ".avif")
    early = await acme.visitor.ask(where)
    assert (early.status, early.header("content-type"), early.header("cache-control")) == (
        200, "image/jpeg", "no-store",
    )  # fmt: skip
    assert "site.variants" in await work(app)
    late = await acme.visitor.ask(where)
    assert (late.status, late.header("content-type")) == (200, "image/avif")
    assert late.header("cache-control") == "public, max-age=31536000, immutable"
    assert (opened(late.body).size, opened(late.body).format) == ((700, 400), "AVIF")
    again = await acme.visitor.ask(where, if_none_match=str(late.header("etag")))
    assert (again.status, again.body) == (304, b"")
    assert (await acme.visitor.until_hit(where)).body == late.body


async def test_making_the_forms_twice_makes_the_same(app: RunningApp, acme: Author) -> None:
    asset = await added(acme)
    (row,) = await app.admin("select entrypoint, payload from pgqueuer")
    await work(app)
    first = (await acme.get(f"/api/assets/{asset['asset_id']}")).json
    assert first["is_ready"] is True
    assert first["variants_bytes"] > 0
    await app.admin("update asset set ready_at = null, variants_bytes = 0")
    await app.admin(
        "insert into pgqueuer (priority, entrypoint, payload, status, created, updated) values (0, $1, $2, 'queued', now(), now())",
        row["entrypoint"],
        row["payload"],
    )
    await work(app)
    again = (await acme.get(f"/api/assets/{asset['asset_id']}")).json
    assert again["variants_bytes"] == first["variants_bytes"]


async def test_the_same_file_is_one_picture_however_often_it_is_sent(app: RunningApp, acme: Author) -> None:
    answers = await asyncio.gather(*(send_picture(acme) for _ in range(8)))
    assert {(answer.status, answer.header("location")) for answer in answers} == {
        (201, f"/api/assets/{answers[0].json['asset_id']}")
    }
    await work(app)
    assert (await acme.visitor.ask("/")).status in (404, 421)
    (stored,) = await app.admin("select count(*) as n, sum(bytes + variants_bytes) as bytes from asset")
    assert stored["n"] == 1
    on_disk = sum(f.stat().st_size for f in app.installation.state.rglob("*") if f.is_file())
    assert on_disk == stored["bytes"]  # nothing is left of the seven


async def test_twenty_at_once_are_taken_or_told_to_come_back(acme: Author) -> None:
    answers = await asyncio.gather(*(send_picture(acme, seed=n) for n in range(20)))
    assert {answer.status for answer in answers} <= {201, 503}
    assert sum(answer.status == 201 for answer in answers) >= 14
    refused = [answer for answer in answers if answer.status == 503]
    assert all(answer.json["code"] == "site.uploads_busy" for answer in refused)


async def test_a_neighbour_sees_no_picture_of_ours(app: RunningApp, acme: Author) -> None:
    asset = await added(acme)
    await shown_on_a_page(acme, asset)
    await work(app)
    other = await author(app, "Globex")
    await other.show("Home", "/")
    assert (await acme.visitor.ask(str(asset["path"]))).status == 200
    assert (await other.visitor.ask(str(asset["path"]))).status == 404
    own = f"/api/assets/{asset['asset_id']}"
    assert [(await other.send(m, own, b)).status for m, b in (("GET", None), ("PUT", {"name": "x"}), ("DELETE", None))] == [404, 404, 404]  # fmt: skip
    assert (await other.get(f"/assets/{asset['asset_id']}/thumb")).status == 404
    assert (await other.get("/api/assets")).json["assets"] == []
    # The same file is a picture of its own there: what one has tells nothing about the other.
    assert (await added(other))["path"] != asset["path"]


async def test_a_picture_that_a_page_shows_stays_until_no_version_of_it_counts(
    app: RunningApp, acme: Author
) -> None:
    asset = await added(acme)
    page = await shown_on_a_page(acme, asset)
    own = f"/api/assets/{asset['asset_id']}"
    assert [p["path"] for p in (await acme.get(own)).json["used_by"]] == ["/"]
    draft = await acme.edit(page, body="Nothing to see.")
    refused = await acme.send("DELETE", own)
    assert (refused.status, refused.json["code"]) == (409, "site.asset_used")
    await acme.publish(draft)
    assert (await acme.get(own)).json["used_by"] == []
    await work(app)
    await acme.visitor.until_hit(str(asset["path"]))
    assert (await acme.send("DELETE", own)).status == 204
    assert await work(app) == ["site.discard"]
    assert (await acme.send("DELETE", own)).status == 404
    await until(lambda: acme.visitor.ask(str(asset["path"])), lambda answer: answer.status == 404)
    assert not [f for f in app.installation.state.rglob("asset/**/*") if f.is_file()]


async def test_pictures_are_described_listed_and_found_for_a_page(app: RunningApp, acme: Author) -> None:
    ids = [(await added(acme, seed=n, name=f"Picture {n}"))["asset_id"] for n in range(3)]
    edited = await acme.send("PUT", f"/api/assets/{ids[0]}", {"name": " Bench ", "alt": "A bench"})
    assert (edited.json["name"], edited.json["alt"]) == ("Bench", "A bench")
    listed = (await acme.get("/api/assets")).json
    assert [a["asset_id"] for a in listed["assets"]] == ids[::-1]
    assert listed["next_cursor"] is None
    assert (await acme.get("/api/assets?cursor=x")).json["code"] == "site.cursor_invalid"
    ctx = app.ctx(tenant_id=acme.tenant_id)
    async with ctx.begin() as tx:
        found = await assets_by_id(tx, [ctx.new_id(), *(a["asset_id"] for a in listed["assets"][:2])])
    assert {str(asset_id) for asset_id in found} == set(ids[1:])
    assert all('width="700" height="400"' in picture(asset, alt="") for asset in found.values())


async def test_what_is_no_picture_is_refused_by_field(acme: Author) -> None:
    for sent, code in (
        ({"file": base64.b64encode(b"<svg/>").decode()}, "site.image_invalid"),
        ({"file": ""}, "site.image_invalid"),
        ({"file": "no base64!"}, "body.invalid"),
        ({"alt": "x" * 301}, "body.invalid"),
        ({"name": "\x07"}, "site.asset_invalid"),
    ):
        refused = await send_picture(acme, **sent)
        assert (refused.status, refused.json["code"]) == (422, code), sent
    assert (await acme.get("/api/assets")).json["assets"] == []


@pytest.mark.parametrize("role", ["viewer"])
async def test_who_may_only_read_adds_nothing(app: RunningApp, acme: Author, role: str) -> None:
    viewer = await author(app, "Viewer", role=role, tenant_id=acme.tenant_id)
    assert (await send_picture(viewer)).status == 403
    assert (await viewer.get("/api/assets")).status == 200

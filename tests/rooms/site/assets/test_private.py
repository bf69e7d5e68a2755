"""Private pictures: on no page, behind no public address, and open to a signed one until it expires. And the room that all
pictures have."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from html import unescape
from pathlib import Path

from shipworthy.kernel.files.links import FileLinks
from shipworthy.kernel.settings import HttpSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.site.room import ROOM
from tests.rooms.site.assets.conftest import send_picture, work
from tests.rooms.site.conftest import PORT, Author, Clock, author, site_app
from tests.support.app import RunningApp, make_settings
from tests.support.pictures import opened

OLD, NEW, OTHER = b"an old key of thirty-two characters", b"a new key of thirty-two characters.", b"x" * 40


async def link_of(person: Author, asset_id: str, **query: object) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await person.get(f"/api/assets/{asset_id}/link?{asked}")
    assert answer.status == 200, answer.text
    return str(answer.json["path"])


async def test_a_private_picture_opens_with_its_address_and_with_no_other(acme: Author, clock: Clock) -> None:
    await acme.show("Home", "/")
    asset = (await send_picture(acme, is_private=True)).json
    await work(acme.app)
    path = await link_of(acme, asset["asset_id"], width=500, format="avif")
    assert path.startswith("/_p/") and "-480.avif?" in path
    assert path == await link_of(acme, asset["asset_id"], width=500, format="avif")  # so a CDN can keep it
    shown = await acme.visitor.ask(path)
    assert (shown.status, shown.header("content-type")) == (200, "image/avif")
    assert opened(shown.body).size[0] == 480 and shown.header("x-robots-tag") == "noindex"
    age = int((shown.header("cache-control") or "").partition("max-age=")[2].partition(",")[0])
    assert 3_600 <= age <= 7_200
    assert (await acme.visitor.ask(path, method="HEAD")).body == b""

    bare = path.partition("?")[0]
    other = (await send_picture(acme, seed=5, is_private=True)).json
    theirs = (await link_of(acme, other["asset_id"], width=500, format="avif")).partition("?")[0]
    for changed in (
        bare,
        path.replace("-480.", "-320."),
        path.replace(".avif?", ".webp?"),
        path.replace(bare, theirs),
        path[:-1] + ("A" if path[-1] != "A" else "B"),
        path.replace("expires=1", "expires=2"),
        path.replace("cache=public", "cache=private"),
        path.replace("kid=", "kid=0"),
        bare + "?" + "&".join(f"a{n}=1" for n in range(500)),
        bare + "?%ff=%00",
    ):
        refused = await acme.visitor.ask(changed)
        assert refused.status == 403, changed
        assert refused.header("cache-control") == "no-store"
    # No public address leads to it, no page shows it, and its bytes are no neighbour's.
    assert (await acme.visitor.ask(bare.replace("/_p/", "/_a/"))).status == 404
    assert (await acme.visitor.ask("/_p/nothing")).status == 404
    block = {"type": "image", "data": {"asset": asset["asset_id"], "alt": "x"}}
    page = await acme.write("With it", path="/with", blocks=[block])
    assert "/_p/" not in (await acme.get(f"/pages/{page['page_id']}/preview")).text
    (row,) = await acme.app.admin(
        "select body_html from page_version where page_id = $1::uuid", page["page_id"]
    )
    assert asset["path"].rpartition("/")[2] not in row["body_html"]

    clock.move(7_201)
    assert (await acme.visitor.ask(path)).status == 403
    assert (await acme.visitor.ask(await link_of(acme, asset["asset_id"]))).status == 200


async def test_the_same_file_may_be_private_and_public_and_both_are_thrown_away(acme: Author) -> None:
    await acme.show("Home", "/")
    private, public = (await send_picture(acme, is_private=True)).json, (await send_picture(acme)).json
    assert private["asset_id"] != public["asset_id"]
    assert (await send_picture(acme, is_private=True)).json["asset_id"] == private["asset_id"]
    await work(acme.app)
    path = await link_of(acme, private["asset_id"])
    assert (await acme.visitor.ask(path)).status == 200
    assert await link_of(acme, public["asset_id"]) == public["path"]
    assert (await acme.send("DELETE", f"/api/assets/{private['asset_id']}")).status == 204
    await work(acme.app)
    assert (await acme.visitor.ask(path)).status == 404
    assert (await acme.visitor.ask(public["path"])).status == 200


async def test_keys_rotate_and_what_an_old_one_signed_opens_until_it_is_gone(
    app: RunningApp, acme: Author
) -> None:
    await acme.show("Home", "/")
    asset = (await send_picture(acme, is_private=True)).json
    await work(app)

    def keys(*held: bytes) -> None:
        app.runtime.file_links = FileLinks(keys=held, realm_id=app.runtime.realm_id)

    keys(OLD)
    before = await link_of(acme, asset["asset_id"])
    keys(NEW, OLD)
    after = await link_of(acme, asset["asset_id"])
    assert before != after
    assert {(await acme.visitor.ask(path)).status for path in (before, after)} == {200}
    keys(OTHER, NEW)
    assert [(await acme.visitor.ask(path)).status for path in (before, after)] == [403, 200]


async def test_a_screen_shows_the_address_and_a_neighbour_gets_none(app: RunningApp, acme: Author) -> None:
    await acme.show("Home", "/")
    asset = (await send_picture(acme, is_private=True)).json
    page = unescape((await acme.get(f"/assets/{asset['asset_id']}")).text)
    assert "/_p/" in page and "sig=" in page and "Private" in (await acme.get("/assets")).text
    beta = await author(app, "Beta")
    assert (await beta.get(f"/api/assets/{asset['asset_id']}/link")).status == 404


async def test_a_full_store_is_said_and_twenty_at_once_do_not_pass_it(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    settings = make_settings((ROOM,), http=HttpSection(public_port=PORT))
    settings = replace(settings, quotas=replace(settings.quotas, storage_bytes_max=20_000))
    async with site_app(cluster, tmp_path, settings=settings) as app:
        acme = await author(app)
        answers = await asyncio.gather(*(send_picture(acme, seed=seed) for seed in range(8)))
        statuses = sorted(answer.status for answer in answers)
        assert set(statuses) == {201, 409}
        (row,) = await app.admin(
            "select (select sum(bytes) from asset) as stored, used from budget where meter = 'storage_bytes'"
        )
        assert row["stored"] == row["used"] <= 20_000
        refused = next(answer for answer in answers if answer.status == 409)
        assert refused.json["code"] == "quota.exhausted" and "Delete something" in refused.text
        page = await acme.get("/assets")
        assert "are taken" in page.text

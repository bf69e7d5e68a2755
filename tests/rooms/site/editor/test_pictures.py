"""A picture is chosen for a block on a screen of its own, and seen by visitors."""

from __future__ import annotations

from tests.rooms.site.assets.conftest import send_picture
from tests.rooms.site.conftest import Author, author
from tests.rooms.site.test_screens import fields, screen
from tests.support.app import RunningApp
from tests.support.page import parse

IMAGE = {"id": "i", "type": "image", "v": 1, "data": {}}
GALLERY = {"id": "g", "type": "gallery", "v": 1, "data": {"pictures": [{"caption": "A"}, {"caption": "B"}]}}


async def test_a_picture_is_chosen_by_button_and_seen_on_the_page(acme: Author) -> None:
    asset_id = (await send_picture(acme, alt="A workbench")).json["asset_id"]
    page = await acme.write("Shop", path="/shop", blocks=[IMAGE, GALLERY])
    address = f"/pages/{page['page_id']}"
    picked = await acme.submit(address, **fields(await screen(acme, address)), do="pick:i:asset")
    chooser = str(picked.header("location"))
    assert chooser == f"{address}/pictures?block=i&place=asset&version=1"
    (form,) = (await screen(acme, chooser)).one("ul", "pictures").all("form")
    sent = {str(e.attributes["name"]): str(e.attributes["value"]) for e in form.all("input")}
    chosen = await acme.submit(str(form.attributes["action"]), **sent)
    assert (chosen.status, chosen.header("location")) == (303, f"{address}#block-i")
    other = {"block": "g", "place": "pictures.1.asset", "asset_id": asset_id}
    await acme.submit(f"{address}/pictures", **other)
    shown = fields(await screen(acme, address))
    assert (shown["blocks-0-asset"], shown["blocks-1-pictures.1.asset"]) == (asset_id, asset_id)
    await acme.publish((await acme.get(f"/api/pages/{page['page_id']}")).json)
    images = parse(await acme.visitor.text("/shop")).all("img")
    assert [e.attributes["alt"] for e in images] == ["A workbench", "A workbench"]
    assert images[0].attributes["fetchpriority"] == "high"


async def test_a_picture_of_a_neighbour_and_a_field_that_is_none_are_refused(
    app: RunningApp, acme: Author
) -> None:
    asset_id = (await send_picture(acme)).json["asset_id"]
    page = await acme.write("Shop", blocks=[IMAGE, GALLERY])
    address = f"/pages/{page['page_id']}/pictures"
    globex = await author(app, "Globex")
    foreign = (await send_picture(globex)).json["asset_id"]
    choice = {"block": "i", "place": "asset", "asset_id": asset_id}
    assert (await acme.submit(address, **choice | {"asset_id": foreign})).status == 404
    assert (await globex.submit(address, **choice | {"asset_id": foreign})).status == 404
    assert (await acme.submit(address, **choice, version="9")).status == 412
    for wrong in (
        {"block": "x"},
        {"place": "is_decoration"},
        {"place": "pictures.9.asset", "block": "g"},
        {"place": "a b"},
    ):
        assert (await acme.submit(address, **choice | wrong)).status == 422
    hidden = await acme.write("Hidden", blocks=[{**IMAGE, "data": {"asset": foreign}}])
    await acme.publish(hidden)
    assert foreign not in (await acme.visitor.text("/hidden"))
    assert "<img" not in (await acme.visitor.text("/hidden"))

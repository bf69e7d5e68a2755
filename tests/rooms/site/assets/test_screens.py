"""The pictures' screens, as a browser uses them."""

from __future__ import annotations

from shipworthy.rooms.site.assets.screens import size
from tests.rooms.site.assets.conftest import send_picture, work
from tests.rooms.site.conftest import Author, author
from tests.support.app import RunningApp
from tests.support.client import Answer
from tests.support.multipart import CONTENT_TYPE, multipart
from tests.support.page import parse
from tests.support.pictures import drawing, file_of, opened


async def upload(person: Author, body: bytes, name: str = "Bench.png", alt: str = "A bench") -> Answer:
    data = multipart({"_idempotency_key": "k", "alt": alt}, {"file": (name, body)})
    return await person.client.post("/assets", body=data, headers={"content-type": CONTENT_TYPE})


async def test_a_picture_is_added_by_form_and_found_on_the_list(app: RunningApp, acme: Author) -> None:
    assert "No pictures yet" in (await acme.get("/assets")).text
    sent = await upload(acme, file_of(drawing(), "PNG"))
    assert sent.status == 303, sent.text
    where = str(sent.header("location"))
    page = parse((await acme.get(where)).text)
    thumb = page.one("img", "picture").attributes
    assert (thumb["alt"], thumb["src"]) == ("A bench", f"{where}/thumb")
    assert opened((await acme.get(f"{where}/thumb")).body).size == (700, 400)
    await work(app)
    assert opened((await acme.get(f"{where}/thumb")).body).size == (320, 183)
    listed = parse((await acme.get("/assets")).text)
    assert [e.attributes["href"] for e in listed.one("ul", "pictures").all("a")] == [where]
    assert "1 pictures" not in listed.text


async def test_a_refused_file_leaves_the_words_that_were_typed(acme: Author) -> None:
    refused = await upload(acme, b"<svg></svg>", "drawing.svg")
    assert refused.status == 422
    page = parse(refused.text)
    assert "SVG drawings can carry scripts" in page.one("p", "error").text
    assert 'value="A bench"' in refused.text


async def test_a_picture_is_described_and_deleted_by_form(acme: Author) -> None:
    asset_id = (await send_picture(acme)).json["asset_id"]
    where = f"/assets/{asset_id}"
    assert (await acme.submit(where, name="", alt="kept")).status == 422
    assert (await acme.submit(where, name="Bench", alt="A bench")).status == 303
    assert (await acme.get(f"/api{where}")).json["name"] == "Bench"
    dialog = parse((await acme.get(where)).text).one("dialog")
    assert dialog.one("form").attributes["action"] == f"{where}/delete"
    assert (await acme.submit(f"{where}/delete")).status == 303
    assert (await acme.get(where)).status == 404


async def test_a_picture_in_use_names_its_pages_and_offers_no_deletion(acme: Author) -> None:
    asset = (await send_picture(acme)).json
    await acme.write("About us", body=f"![x]({asset['path']})")
    shown = (await acme.get(f"/assets/{asset['asset_id']}")).text
    assert "About us" in shown
    assert "<dialog" not in shown
    assert (await acme.submit(f"/assets/{asset['asset_id']}/delete")).status == 409


async def test_a_viewer_sees_pictures_and_no_button(app: RunningApp, acme: Author) -> None:
    asset_id = (await send_picture(acme)).json["asset_id"]
    viewer = await author(app, "Viewer", role="viewer", tenant_id=acme.tenant_id)
    for path in ("/assets", f"/assets/{asset_id}"):
        assert 'type="submit"' in (await acme.get(path)).text
        assert "<form" not in (await viewer.get(path)).text.partition('<main id="main"')[2]


def test_sizes_are_said_as_people_say_them() -> None:
    assert [size(n) for n in (0, 1_500, 900_000, 5_000_000)] == ["0 kB", "1 kB", "879 kB", "4.8 MB"]

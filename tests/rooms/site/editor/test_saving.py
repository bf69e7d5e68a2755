"""The editor without script and with: buttons, saves nobody asked for, and two people at once.

Covers: form, view, operations, merge.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.rooms.site.conftest import Author, Clock
from tests.rooms.site.test_screens import fields, screen
from tests.support.page import parse

TWO = [
    {"id": "a", "type": "text", "v": 1, "data": {"body": "First."}},
    {"id": "b", "type": "text", "v": 1, "data": {"body": "Second."}},
]
A, B = "blocks-0-body", "blocks-1-body"


async def read(person: Author, page: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await person.get(f"/api/pages/{page['page_id']}")).json
    return found


def bodies(page: dict[str, Any]) -> list[str]:
    return [block["data"]["body"] for block in page["blocks"]]


def as_script(sent: dict[str, str], **more: Any) -> dict[str, Any]:
    """Return a form as static/editor.js sends it."""
    body: dict[str, Any] = {"blocks": []}
    for name, value in sent.items():
        parts = name.split("-")
        if len(parts) == 3:
            at = int(parts[1])
            body["blocks"] += [{} for _ in range(at + 1 - len(body["blocks"]))]
            body["blocks"][at][parts[2]] = value
        elif not name.startswith("_"):
            body[name] = value
    return body | more


async def autosave(person: Author, address: str, sent: dict[str, str], *, seen: str) -> Any:
    headers = {"content-type": "application/form+json", "if-match": f'"{seen}"', "accept": "text/html"}
    return await person.client.request(
        "PUT", f"{address}/autosave", json_body=as_script(sent), headers=headers
    )


async def test_buttons_save_what_is_typed_and_do_what_they_say(acme: Author) -> None:
    page = await acme.write("Hello", blocks=TWO)
    address = f"/pages/{page['page_id']}"
    sent = fields(await screen(acme, address)) | {A: "Typed."}
    moved = await acme.submit(address, **sent, do="down:a")
    assert (moved.status, moved.header("location")) == (303, f"{address}#block-a")
    assert bodies(await read(acme, page)) == ["Second.", "Typed."]
    await acme.submit(address, **fields(await screen(acme, address)), do="add:cards")
    cards = (await read(acme, page))["blocks"][2]
    await acme.submit(address, **fields(await screen(acme, address)), do=f"row:{cards['id']}:cards")
    shown = fields(await screen(acme, address))
    assert "blocks-2-cards.0.title" in shown
    await acme.submit(address, **shown | {"blocks-2-cards.0.title": "Fast"}, do="delete:b")
    assert [block["type"] for block in (await read(acme, page))["blocks"]] == ["text", "cards"]
    assert (await read(acme, page))["blocks"][1]["data"]["cards"][0]["title"] == "Fast"
    gone = await acme.submit(address, **fields(await screen(acme, address)), do="delete:b")
    assert (gone.status, "not here any more" in gone.text) == (422, True)


async def test_undo_brings_the_version_before_back(acme: Author) -> None:
    page = await acme.write("Hello", blocks=TWO)
    address = f"/pages/{page['page_id']}"
    await acme.submit(address, **fields(await screen(acme, address)), do="delete:a")
    undone = await acme.submit(address, **fields(await screen(acme, address)), do="undo:1")
    assert undone.status == 303
    assert bodies(await read(acme, page)) == ["First.", "Second."]
    assert (await acme.submit(address, **fields(await screen(acme, address)), do="undo:99")).status == 404


async def test_what_is_typed_is_saved_under_the_version_seen_and_the_side_follows(acme: Author) -> None:
    page = await acme.write("Hello", blocks=TWO)
    address = f"/pages/{page['page_id']}"
    sent = fields(await screen(acme, address)) | {A: "See [there](/nowhere)."}
    saved = await autosave(acme, address, sent, seen="1")
    assert (saved.status, saved.header("etag")) == (200, '"2"')
    side = parse(saved.text)
    assert "/nowhere" in side.one("div", "danger").one("a").text
    assert side.one("div", "danger").one("a").attributes["href"] == "#block-a"
    assert bodies(await read(acme, page)) == ["See [there](/nowhere).", "Second."]
    assert (await autosave(acme, address, sent, seen="1")).status == 412
    unsaid = await acme.client.request("PUT", f"{address}/autosave", json_body=as_script(sent))
    assert unsaid.status == 428
    assert (await autosave(acme, address, {**sent, "title": ""}, seen="2")).status == 422


async def test_two_who_change_different_blocks_at_once_both_keep_their_text(acme: Author) -> None:
    page = await acme.write("Hello", blocks=TWO)
    address = f"/pages/{page['page_id']}"
    sent = fields(await screen(acme, address))
    del sent["_idempotency_key"]  # each tab has its own
    answers = await asyncio.gather(
        acme.submit(address, **sent | {A: "Mine."}), acme.submit(address, **sent | {B: "Theirs."})
    )
    assert [answer.status for answer in answers] == [303, 303]
    assert bodies(await read(acme, page)) == ["Mine.", "Theirs."]
    assert (await read(acme, page))["version"] == 3


async def test_two_who_change_the_same_block_see_both_texts_and_choose(acme: Author) -> None:
    page = await acme.write("Hello", blocks=TWO)
    address = f"/pages/{page['page_id']}"
    sent = fields(await screen(acme, address))
    await acme.edit(page, blocks=[{**TWO[0], "data": {"body": "Theirs."}}, TWO[1]])
    refused = await acme.submit(address, **sent | {A: "Mine.", B: "Also mine."})
    assert refused.status == 412
    shown = parse(refused.text)
    form = fields(shown)
    assert (form[A], form[B], form["version"]) == ("Mine.", "Also mine.", "2")
    assert "Theirs." in shown.one("section", "is-conflict").one("div", "theirs").text
    assert (await acme.submit(address, **form | {"blocks-0-take": "true"})).status == 303
    assert bodies(await read(acme, page)) == ["Theirs.", "Also mine."]


async def test_a_broken_page_is_not_published_and_the_form_keeps_what_was_typed(acme: Author) -> None:
    page = await acme.write("Hello", blocks=TWO)
    address = f"/pages/{page['page_id']}"
    sent = fields(await screen(acme, address)) | {A: "![](/team.png)"}
    refused = await acme.submit(f"{address}/save-and-publish", **sent)
    assert refused.status == 409
    shown = parse(refused.text)
    assert fields(shown)[A] == "![](/team.png)"
    assert shown.one("section", "is-wrong").attributes["id"] == "block-a"
    assert (await read(acme, page))["status"] == "draft"


async def test_of_the_saves_of_ten_minutes_one_is_left_and_none_that_somebody_chose(
    acme: Author, clock: Clock
) -> None:
    page = await acme.show("Hello", "/x", blocks=TWO)
    address = f"/pages/{page['page_id']}"
    sent = fields(await screen(acme, address))
    for n in range(1, 5):
        clock.move(60)
        saved = await autosave(acme, address, sent | {A: f"Typed {n}."}, seen=str(n))
        assert saved.header("etag") == f'"{n + 1}"'
    clock.move(3600)
    await autosave(acme, address, sent | {A: "Next day."}, seen="5")
    versions = (await acme.get(f"/api/pages/{page['page_id']}/versions")).json["versions"]
    assert [version["version"] for version in versions] == [6, 5, 1]
    late = await acme.submit(address, **sent | {"version": "3", B: "From an old tab."})
    assert late.status == 412  # what it was made from is not known any more: both are shown


@pytest.mark.parametrize("count", [0, 1, 501])
async def test_a_page_may_be_empty_and_not_endless(acme: Author, count: int) -> None:
    page = await acme.write("Hello", blocks=TWO)
    address = f"/pages/{page['page_id']}"
    rows = [{"key": f"{n}:divider:1"} for n in range(count)]
    headers = {"content-type": "application/form+json", "if-match": "*", "accept": "text/html"}
    body = {"title": "Hello", "has_blocks": "1", "blocks": rows}
    answer = await acme.client.request("PUT", f"{address}/autosave", json_body=body, headers=headers)
    assert answer.status == (422 if count > 500 else 200)
    assert len((await read(acme, page))["blocks"]) == (2 if count > 500 else count)

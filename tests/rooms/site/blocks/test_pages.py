"""Pages of blocks through the API: written, read back, published, and short for one text."""

from __future__ import annotations

import json
from typing import Any

from tests.rooms.site.conftest import Author
from tests.support.app import RunningApp
from tests.support.page import parse

HERO = {"type": "hero", "data": {"heading": "Warm rooms", "text": "All winter."}}
FAQ = {"type": "faq", "data": {"questions": [{"question": "When?", "answer": "Today."}]}}
TEXT = {"type": "text", "data": {"body": "Call **us**."}}


async def test_a_page_of_blocks_is_written_read_back_published_and_seen(acme: Author) -> None:
    page = await acme.write("Offer", path="/offer", blocks=[HERO, TEXT, FAQ])
    assert [(b["type"], b["v"]) for b in page["blocks"]] == [("hero", 1), ("text", 1), ("faq", 1)]
    assert page["body"] == ""
    await acme.publish(page)
    html = await acme.visitor.text("/offer")
    shown = parse(html)
    assert shown.one("h1").text == "Warm rooms"
    assert shown.one("summary").text == "When?"
    (told,) = [e for e in shown.all("script") if e.attributes.get("type") == "application/ld+json"]
    assert {"WebPage", "FAQPage"} <= {node["@type"] for node in json.loads(told.text)["@graph"]}


async def test_a_body_is_short_for_one_text_and_never_takes_other_blocks_away_unseen(acme: Author) -> None:
    page = await acme.write("Plain", body="Hello.")
    assert page["blocks"] == [{"id": "text", "type": "text", "v": 1, "data": {"body": "Hello."}}]
    rich = await acme.edit(page, body="", blocks=[TEXT, FAQ])
    renamed = await acme.edit(rich, title="Renamed")
    assert (renamed["title"], renamed["blocks"], renamed["version"]) == ("Renamed", rich["blocks"], 3)
    assert (await acme.edit(renamed))["version"] == 3
    both = {"title": "x", "body": "New.", "blocks": rich["blocks"]}
    refused = await acme.send("PUT", f"/api/pages/{page['page_id']}", both, if_match="*")
    assert (refused.status, list(refused.json["fields"])) == (422, ["body"])
    plain = await acme.edit(renamed, body="Only this.")
    assert (plain["body"], len(plain["blocks"])) == ("Only this.", 1)
    assert (await acme.edit(plain, body=""))["blocks"] == []


async def test_blocks_that_cannot_be_are_refused_by_name_and_nothing_is_written(acme: Author) -> None:
    def page(*blocks: Any) -> dict[str, Any]:
        return {"title": "x", "blocks": list(blocks)}

    for body, field in (
        (page(*[TEXT] * 501), "blocks"),
        (page(TEXT, {"type": "carousel", "data": {}}), "blocks[1].type"),
        (page({**TEXT, "v": 2}), "blocks[0].v"),
    ):
        refused = await acme.send("POST", "/api/pages", body)
        assert (refused.status, list(refused.json["fields"])) == (422, [field])
    assert (await acme.get("/api/pages")).json["pages"] == []


async def test_a_page_from_before_there_were_blocks_is_one_text_and_no_news(
    app: RunningApp, acme: Author
) -> None:
    page = await acme.show("Old", "/old", body="From before.")
    await app.admin("update page_version set blocks = null")
    read = (await acme.get(f"/api/pages/{page['page_id']}")).json
    assert read["blocks"] == page["blocks"]
    assert (await acme.edit(read))["version"] == 1
    assert (await acme.publish(read))["content_changed_at"] == page["content_changed_at"]
    changed = await acme.publish(await acme.edit(read, body="", blocks=[TEXT, FAQ]))
    assert changed["version"] == 2

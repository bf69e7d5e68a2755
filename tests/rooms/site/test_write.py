"""Writing and editing pages through the API: once, under the version that was seen, by the tenant alone.

Covers: web, bodies.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from tests.rooms.site.conftest import PORT, Author, Visitor, author
from tests.support.app import RunningApp
from tests.support.page import parse


async def test_a_page_is_written_as_a_draft_and_read_back(acme: Author) -> None:
    body = {"title": " Spring  offer ", "description": "Cheap.", "body": "Line\r\nline", "in_menu": False}
    created = await acme.send("POST", "/api/pages", body)
    assert created.status == 201
    page = created.json
    assert (page["path"], page["title"], page["body"]) == ("/spring-offer", "Spring offer", "Line\nline")
    assert (page["status"], page["version"], page["in_menu"]) == ("draft", 1, False)
    assert created.header("location") == f"/api/pages/{page['page_id']}"
    read = await acme.get(f"/api/pages/{page['page_id']}")
    assert (read.json, read.header("etag")) == (page, '"1"')


async def test_the_same_key_writes_one_page_even_ten_times_at_once(acme: Author) -> None:
    await acme.write("First")  # the site is there
    sends = [acme.send("POST", "/api/pages", {"title": "Once"}, idempotency_key="same") for _ in range(10)]
    answers = await asyncio.gather(*sends)
    assert {a.status for a in answers} == {201}
    assert len({a.body for a in answers}) == 1
    assert len((await acme.get("/api/pages")).json["pages"]) == 2
    assert (await acme.client.post("/api/pages", json_body={"title": "No key"})).status == 422


async def test_an_address_made_from_a_title_is_free_and_one_asked_for_may_be_taken(acme: Author) -> None:
    first, second = await acme.write("Offer"), await acme.write("Offer")
    assert first["path"] == "/offer"
    assert second["path"].startswith("/offer-")
    refused = await acme.send("POST", "/api/pages", {"title": "x", "path": "/Offer/"})
    assert (refused.status, refused.json["code"]) == (409, "site.path_taken")
    assert "/offer" in refused.json["fields"]["path"]
    assert len((await acme.get("/api/pages")).json["pages"]) == 2


async def test_two_who_ask_for_one_address_at_once_get_one_page(acme: Author) -> None:
    await acme.write("First")
    answers = await asyncio.gather(
        *(acme.send("POST", "/api/pages", {"title": "x", "path": "/x"}) for _ in range(5))
    )
    assert sorted(a.status for a in answers) == [201, 409, 409, 409, 409]


async def test_an_edit_makes_the_next_version_and_the_same_text_again_makes_none(acme: Author) -> None:
    page = await acme.write("One", path="/one", body="a")
    edited = await acme.edit(page, body="b", path="/two")
    assert (edited["version"], edited["body"], edited["path"]) == (2, "b", "/two")
    again = await acme.edit(edited)
    assert again["version"] == 2
    kept = await acme.app.admin("select version, body from page_version order by version")
    assert [(row["version"], row["body"]) for row in kept] == [(1, "a"), (2, "b")]


async def test_an_edit_of_an_older_version_is_refused_and_changes_nothing(acme: Author) -> None:
    page = await acme.write("One")
    await acme.edit(page, title="Two")
    path = f"/api/pages/{page['page_id']}"
    for if_match in ('"1"', '"3"', '"nonsense"', 'W/"2"'):
        refused = await acme.send("PUT", path, {"title": "Lost"}, if_match=if_match)
        assert (refused.status, refused.json["code"]) == (412, "site.stale"), if_match
    unsaid = await acme.send("PUT", path, {"title": "Lost"})
    assert (unsaid.status, unsaid.json["code"]) == (428, "site.version_needed")
    assert (await acme.get(path)).json["title"] == "Two"
    assert (await acme.send("PUT", path, {"title": "Any"}, if_match="*")).status == 200


async def test_of_ten_who_edit_the_same_version_at_once_one_wins(acme: Author) -> None:
    page = await acme.write("One")
    path = f"/api/pages/{page['page_id']}"
    edits = [acme.send("PUT", path, {"title": f"By {n}"}, if_match='"1"') for n in range(10)]
    answers = await asyncio.gather(*edits)
    assert sorted(a.status for a in answers) == [200, *[412] * 9]
    (winner,) = [a for a in answers if a.status == 200]
    assert (await acme.get(path)).json["title"] == winner.json["title"]


async def test_a_draft_does_not_move_onto_another_page(acme: Author) -> None:
    await acme.write("One", path="/one")
    two = await acme.write("Two", path="/two")
    refused = await acme.send(
        "PUT", f"/api/pages/{two['page_id']}", {"title": "Two", "path": "/one"}, if_match="*"
    )
    assert (refused.status, refused.json["code"]) == (409, "site.path_taken")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\x1bb"}, "title"),
        ({"title": "x", "description": "x" * 401}, "description"),
        ({"title": "x", "body": "x" * 60_001}, "body"),
        ({"title": "x", "body": "a\x1bb"}, "body"),
        ({"title": "x", "body": "[" * 2_001}, "body"),
        ({"title": "x", "path": "/a?b"}, "path"),
        ({"title": "x", "path": "/robots.txt"}, "path"),
        ({"title": "x", "path": "/a\x1b"}, "path"),
        ({"title": "x", "colour": "red"}, "colour"),
        ({"title": "x", "in_menu": "yes"}, "in_menu"),
        ({}, "title"),
    ],
)
async def test_a_page_that_cannot_be_is_refused_by_field(
    acme: Author, body: dict[str, Any], field: str
) -> None:
    refused = await acme.send("POST", "/api/pages", body)
    assert refused.status == 422, refused.text
    assert field in refused.json["fields"]
    assert (await acme.get("/api/pages")).json["pages"] == []


async def test_a_neighbour_neither_reads_nor_edits(app: RunningApp, acme: Author) -> None:
    globex = await author(app, "Globex")
    page = await acme.show("Secret plan", "/plan", body="canary")
    path = f"/api/pages/{page['page_id']}"
    missing = await globex.get(f"/api/pages/{uuid.uuid4()}")
    foreign = await globex.get(path)
    assert (foreign.status, foreign.body) == (404, missing.body)
    edit = await globex.send("PUT", path, {"title": "Taken over"}, if_match="*")
    assert (edit.status, edit.body) == (404, missing.body)
    for screen in ("", "/preview"):
        assert (await globex.get(f"/pages/{page['page_id']}{screen}")).status == 404
    assert (await globex.get("/api/pages")).json["pages"] == []
    assert (await globex.write("Mine", path="/plan"))["path"] == "/plan"
    assert (await acme.get(path)).json["title"] == "Secret plan"


async def test_a_script_in_every_field_comes_out_inert(acme: Author) -> None:
    hostile = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>"
    page = await acme.show(
        hostile, "/x", description=hostile, body=f"{hostile}\n\n## {hostile}\n\n[x](javascript:alert(1))"
    )
    shown = [await acme.visitor.text("/x"), (await acme.get(f"/pages/{page['page_id']}")).text]
    shown.append((await acme.get("/pages")).text)
    there = await acme.get(f"/pages/{page['page_id']}/preview")
    path = str(there.header("location")).partition(f":{PORT}")[2]
    shown.append((await Visitor(acme.app.asgi, f"preview.{acme.host}").ask(path)).text)
    for html in shown:
        assert "alert(1)" in html
        run = [e for e in parse(html).all("script") if e.attributes.get("type") != "application/ld+json"]
        assert not [script for script in run if "alert" in script.text]
        assert "<img" not in html
        assert 'href="javascript' not in html


async def test_no_version_can_be_changed_and_no_page_moved_by_the_worker(
    app: RunningApp, acme: Author
) -> None:
    await acme.write("One")
    for role, statement in (
        ("app", "update page_version set body = 'x'"),
        ("worker", "update page set path = '/x'"),
        ("worker", "update page_version set body = 'x'"),
        ("app", "delete from page_render"),
    ):
        ctx = app.ctx(tenant_id=acme.tenant_id)
        async with app.role(role) as database:
            with pytest.raises(Exception, match="permission denied"):
                async with database.begin(ctx.scope) as tx:
                    await tx.raw(statement)

"""Publishing: seen at once, by everybody, and dated by what changed.

Covers: changes.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from shipworthy.rooms.site.changes import announced, on_change
from shipworthy.rooms.site.room import ROOM
from shipworthy.rooms.site.tags import MENU, SITEMAP, path_tag
from tests.rooms.site.conftest import (
    PORT,
    Author,
    Clock,
    Visitor,
    another_process,
    author,
    queued,
    site_of,
    until,
    work,
)
from tests.support.app import RunningApp


async def test_a_published_page_is_seen_at_once_and_a_draft_never(acme: Author) -> None:
    draft = await acme.write("Offer", path="/offer")
    assert (await acme.visitor.ask("/offer")).status == 404
    await acme.publish(draft)
    assert "Offer" in await acme.visitor.text("/offer")


async def test_a_change_is_seen_when_it_is_published_and_not_when_it_is_saved(acme: Author) -> None:
    page = await acme.show("First", "/")
    await acme.visitor.until_hit()
    edited = await acme.edit(page, title="Second")
    assert "First" in await acme.visitor.text("/")
    published = await acme.publish(edited)
    assert "Second" in await acme.visitor.text("/")
    assert (published["status"], published["version"], published["published_version"]) == ("published", 2, 2)


async def test_an_unpublished_page_is_gone_at_once_and_its_text_is_kept(acme: Author) -> None:
    page = await acme.show("Here", "/here")
    await acme.visitor.ask("/here")
    drafted = await acme.unpublish(page)
    assert (await acme.visitor.ask("/here")).status == 404
    assert (drafted["status"], drafted["published_version"], drafted["title"]) == ("draft", None, "Here")
    again = await acme.send("POST", f"/api/pages/{page['page_id']}/unpublish")
    assert (again.status, again.json["code"]) == (409, "site.not_published")


async def test_a_new_title_is_in_the_menu_of_every_page_at_once(acme: Author) -> None:
    await acme.show("Home", "/")
    about = await acme.show("About", "/about")
    assert ">About</a>" in await acme.visitor.text("/")
    await acme.publish(await acme.edit(about, title="Who we are"))
    assert ">Who we are</a>" in await acme.visitor.text("/")
    await acme.publish(await acme.edit({**about, "version": 2}, in_menu=False))
    assert "/about" not in await acme.visitor.text("/")
    assert (await acme.visitor.ask("/about")).status == 200


async def test_another_process_forgets_by_notification(acme: Author) -> None:
    page = await acme.show("First", "/")
    async with another_process(acme.app) as asgi:
        there = Visitor(asgi, acme.host)
        assert "First" in (await there.until_hit("/")).text
        await acme.publish(await acme.edit(page, title="Second"))
        await until(lambda: there.ask("/"), lambda answer: "Second" in answer.text)
        await acme.unpublish(page)
        await until(lambda: there.ask("/"), lambda answer: answer.status == 404)


async def test_a_page_read_just_before_a_publish_is_neither_joined_nor_kept(
    acme: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await acme.show("Old", "/")
    await acme.visitor.until_hit()
    lane, gate, reads = acme.app.runtime.state["site.lane"], asyncio.Event(), 0
    load = lane._load_page

    async def slow_at_first(*args: Any) -> Any:
        nonlocal reads
        reads += 1
        is_first = reads == 1
        entry = await load(*args)
        if is_first:
            await gate.wait()  # it has read the old text and is slow to say so
        return entry

    monkeypatch.setattr(lane, "_load_page", slow_at_first)
    lane.changed(f"{await site_of(acme)} *")
    early = asyncio.create_task(acme.visitor.ask("/"))
    await until(lambda: asyncio.sleep(0, reads), lambda count: count == 1)
    await acme.publish(await acme.edit(page, title="New"))
    assert "New" in await acme.visitor.text("/")
    gate.set()
    assert "Old" in (await early).text
    assert "New" in await acme.visitor.text("/")


async def test_the_process_that_publishes_knows_before_it_answers(app: RunningApp, acme: Author) -> None:
    page = await acme.write("Home", path="/")
    assert ROOM.on_stop
    await ROOM.on_stop(app.runtime)  # no notification reaches it
    heard: list[str] = []
    on_change(app.runtime, heard.append)
    await acme.publish(page)
    assert [announced(said)[:2] for said in heard] == [(await site_of(acme), (path_tag("/"), SITEMAP, MENU))]
    assert (await acme.send("POST", f"/api/pages/{uuid.uuid4()}/publish")).status == 404
    assert len(heard) == 1


async def test_publishing_the_same_again_changes_no_date_and_new_text_does(
    acme: Author, clock: Clock
) -> None:
    page = await acme.show("Home", "/", body="one")
    first = page["content_changed_at"]
    clock.move(3600)
    again = await acme.publish(page)
    assert again["content_changed_at"] == first
    clock.move(3600)
    back = await acme.publish(await acme.unpublish(page))
    assert (back["content_changed_at"], back["published_at"]) == (first, page["published_at"])
    clock.move(3600)
    menu_only = await acme.publish(await acme.edit(page, in_menu=False))
    assert menu_only["content_changed_at"] == first
    changed = await acme.publish(await acme.edit(menu_only, body="two"))
    assert changed["content_changed_at"] == "2026-03-01T15:00:00Z"
    clock.move(3600)
    returned = await acme.publish(await acme.edit(changed, body="one"))
    assert returned["content_changed_at"] == "2026-03-01T16:00:00Z"


async def test_publishing_may_name_the_version_that_was_seen(acme: Author) -> None:
    page = await acme.write("Home", path="/")
    await acme.edit(page, title="Changed meanwhile")
    path = f"/api/pages/{page['page_id']}/publish"
    refused = await acme.send("POST", path, if_match='"1"')
    assert (refused.status, refused.json["code"]) == (412, "site.stale")
    assert (await acme.visitor.ask("/")).status == 404
    assert (await acme.send("POST", path, if_match='"2"')).status == 200


async def test_each_publish_queues_a_sitemap_under_a_name_of_its_own(app: RunningApp, acme: Author) -> None:
    page = await acme.show("Home", "/")
    await acme.publish(page)
    sources = await work(app, await queued(app))
    assert len(sources) == len(set(sources)) == 2


async def test_what_is_published_is_in_the_audit_with_its_version(app: RunningApp, acme: Author) -> None:
    page = await acme.show("Home", "/")
    rows = await app.admin("select action, object_id, detail::text from audit order by audit_id")
    assert [row["action"] for row in rows] == ["site.created", "page.created", "page.published"]
    assert rows[-1]["object_id"] == page["page_id"]
    assert '"version": 1' in rows[-1]["detail"]


async def test_a_neighbour_cannot_publish_or_take_back(app: RunningApp, acme: Author) -> None:
    globex = await author(app, "Globex")
    page = await acme.show("Mine", "/")
    for verb in ("publish", "unpublish"):
        foreign = await globex.send("POST", f"/api/pages/{page['page_id']}/{verb}")
        missing = await globex.send("POST", f"/api/pages/{uuid.uuid4()}/{verb}")
        assert (foreign.status, foreign.body) == (404, missing.body)
    assert (await acme.visitor.ask("/")).status == 200


async def test_a_viewer_reads_and_changes_nothing(app: RunningApp, acme: Author) -> None:
    page = await acme.show("Mine", "/")
    viewer = await author(app, "Viewer", role="viewer", tenant_id=acme.tenant_id)
    assert (await viewer.get("/api/pages")).status == 200
    assert (await viewer.get(f"/pages/{page['page_id']}")).status == 200
    for method, path in (
        ("POST", "/api/pages"),
        ("PUT", f"/api/pages/{page['page_id']}"),
        ("POST", f"/api/pages/{page['page_id']}/publish"),
        ("POST", f"/api/pages/{page['page_id']}/unpublish"),
    ):
        assert (await viewer.send(method, path, {"title": "x"})).status == 403, path


async def test_the_public_address_is_in_the_answer(acme: Author) -> None:
    page = await acme.show("Über uns", "/über-uns")
    assert page["url"] == f"http://{acme.host}:{PORT}/%C3%BCber-uns"
    assert (await acme.visitor.ask("/%C3%BCber-uns")).status == 200

"""The screens, as a browser uses them: pages, forms, their refusals, and who sees which button.

Covers: permissions.
"""

from __future__ import annotations

import re

import pytest

from shipworthy.kernel.own import declared
from shipworthy.rooms.site.room import ROOM
from tests.rooms.site.conftest import PORT, Author, author
from tests.support.app import RunningApp
from tests.support.page import Element, parse

BODY = "blocks-0-body"  # the field of a page's first text


async def screen(person: Author, path: str) -> Element:
    answer = await person.get(path)
    assert answer.status == 200, answer.text
    return parse(answer.text)


def fields(page: Element) -> dict[str, str]:
    """Return what the editor's form would send."""
    (form,) = [f for f in page.all("form") if f.attributes.get("id") == "editor"]
    sent = {}
    for e in form.all("input") + form.all("textarea"):
        is_off = e.attributes.get("type") == "checkbox" and "checked" not in e.attributes
        if e.attributes.get("name") and not is_off:
            sent[str(e.attributes["name"])] = (
                e.text.removeprefix("\n") if e.tag == "textarea" else str(e.attributes["value"])
            )
    return sent


async def test_an_empty_site_invites_to_write_and_a_full_one_lists_its_pages(acme: Author) -> None:
    assert "no pages yet" in (await acme.get("/pages")).text
    await acme.show("Home", "/")
    await acme.edit(await acme.show("About", "/about"), title="About us")
    await acme.write("Draft")
    page = await screen(acme, "/pages")
    assert [e.text for e in page.all("a", "cover")] == ["Draft", "About us", "Home"]
    assert [e.text for e in page.all("span", "badge")] == ["Draft", "Unpublished changes", "Published"]
    public = [
        e.attributes["href"] for e in page.all("a") if str(e.attributes.get("href")).startswith("http://")
    ]
    assert public == [f"http://{acme.host}:{PORT}{path}" for path in ("/", "/about", "/")]


async def test_a_page_is_written_saved_and_published_by_form(acme: Author) -> None:
    new = fields(await screen(acme, "/pages/new"))
    assert new["in_menu"] == "true"
    saved = await acme.submit("/pages", **{**new, "title": "Hello", "path": "/", BODY: "\nFirst line kept."})
    assert saved.status == 303
    address = str(saved.header("location"))
    shown = fields(await screen(acme, address))
    assert (shown["title"], shown["path"], shown["version"]) == ("Hello", "/", "1")
    published = await acme.submit(f"{address}/save-and-publish", **{**shown, BODY: "Better."})
    assert (published.status, published.header("location")) == (303, address)
    assert "<p>Better.</p>" in await acme.visitor.text("/")
    after = await screen(acme, address)
    assert [e.text for e in after.all("span", "badge")] == ["Published"]


async def test_saving_a_published_page_leaves_visitors_their_version(acme: Author) -> None:
    page = await acme.show("Hello", "/", body="Old.")
    address = f"/pages/{page['page_id']}"
    await acme.submit(address, **{**fields(await screen(acme, address)), BODY: "New."})
    assert "<p>Old.</p>" in await acme.visitor.text("/")
    assert "Unpublished changes" in (await acme.get(address)).text


async def test_an_unchecked_box_takes_the_page_out_of_the_menu(acme: Author) -> None:
    page = await acme.show("Hello", "/hello")
    address = f"/pages/{page['page_id']}"
    sent = fields(await screen(acme, address))
    del sent["in_menu"]
    await acme.submit(f"{address}/save-and-publish", **sent)
    assert (await acme.get(f"/api/pages/{page['page_id']}")).json["in_menu"] is False


async def test_a_conflict_keeps_the_text_and_says_what_to_do(acme: Author) -> None:
    page = await acme.write("Hello", body="Before.")
    address = f"/pages/{page['page_id']}"
    mine = {**fields(await screen(acme, address)), BODY: "My hour of work."}
    await acme.edit(page, title="Theirs", body="Their minute.")
    for verb in ("", "/save-and-publish"):
        refused = await acme.submit(f"{address}{verb}", **mine)
        assert refused.status == 412
        assert "Somebody saved this page after you opened it" in refused.text
        shown = parse(refused.text)
        assert (fields(shown)[BODY], fields(shown)["title"]) == ("My hour of work.", "Theirs")
        assert "Their minute." in shown.one("section", "is-conflict").one("div", "theirs").text
    assert (await acme.get(f"/api/pages/{page['page_id']}")).json["title"] == "Theirs"
    # Sent again from the page that said so, it replaces theirs.
    assert (await acme.submit(address, **fields(parse(refused.text)))).status == 303
    assert (await acme.get(f"/api/pages/{page['page_id']}")).json["body"] == "My hour of work."


async def test_a_form_without_its_version_is_refused(acme: Author) -> None:
    page = await acme.write("Hello")
    for version in ("", "x", "1" * 20):
        refused = await acme.submit(f"/pages/{page['page_id']}", title="x", version=version)
        assert refused.status == 428
    assert (await acme.get(f"/api/pages/{page['page_id']}")).json["title"] == "Hello"
    assert (await acme.submit(f"/pages/{page['page_id']}", title="Any", version="*")).status == 303


async def test_a_refused_form_shows_what_was_typed_and_what_is_wrong(acme: Author) -> None:
    await acme.write("Taken", path="/taken")
    refused = await acme.submit("/pages", title="", path="/robots.txt", body="kept", description="kept too")
    assert refused.status == 422
    page = parse(refused.text)
    assert fields(page)[BODY] == "kept"
    assert [e.text for e in page.all("p", "error")] == ["Write a title."]
    taken = await acme.submit("/pages", title="x", path="/taken", body="kept")
    assert taken.status == 409
    assert "Another page has the address /taken" in taken.text.replace("&#x2f;", "/")
    page_id = (await acme.write("Other"))["page_id"]
    moved = await acme.submit(f"/pages/{page_id}", title="Other", path="/taken", version="1", body="kept")
    assert moved.status == 409
    assert fields(parse(moved.text))[BODY] == "kept"


async def test_publish_and_unpublish_by_button_name_the_version_they_were_shown_for(acme: Author) -> None:
    page = await acme.write("Hello", path="/")
    address = f"/pages/{page['page_id']}"
    assert (await acme.submit(f"{address}/publish", version="7")).status == 412
    assert (await acme.submit(f"{address}/publish", version="1")).status == 303
    assert (await acme.visitor.ask("/")).status == 200
    dialogs = (await screen(acme, address)).all("dialog")
    (dialog,) = [dialog for dialog in dialogs if dialog.attributes["id"] == "unpublish"]
    assert dialog.one("form").attributes["action"] == f"{address}/unpublish"
    assert (await acme.submit(f"{address}/unpublish")).status == 303
    assert (await acme.visitor.ask("/")).status == 404


async def test_the_snippet_follows_what_is_typed(acme: Author) -> None:
    await acme.show("Home", "/")
    answer = await acme.submit("/pages/snippet", title="Spring", path="/offers/spring", description="Cheap.")
    assert answer.status == 200
    preview = parse(answer.text).one("div", "search-preview")
    assert [e.text for e in preview.all("p")] == [
        f"{acme.host} \u203a offers \u203a spring", "Spring · Acme", "Cheap.",
    ]  # fmt: skip


async def test_a_viewer_sees_no_button_that_changes_something(app: RunningApp, acme: Author) -> None:
    page = await acme.show("Hello", "/")
    viewer = await author(app, "Viewer", role="viewer", tenant_id=acme.tenant_id)
    for path in ("/pages", f"/pages/{page['page_id']}"):
        mine, theirs = await screen(acme, path), await screen(viewer, path)
        changing = re.compile("New page|Save|Publish|Unpublish")
        names = [
            [e.text for e in shown.all("a", "button") + shown.all("button", "button")]
            for shown in (mine, theirs)
        ]
        assert any(changing.search(name) for name in names[0])
        assert not any(changing.search(name) for name in names[1])


@pytest.mark.parametrize("role", ["owner", "member", "viewer"])
async def test_the_navigation_shows_each_role_what_it_may_open_and_nothing_else(
    app: RunningApp, acme: Author, role: str
) -> None:
    somebody = await author(app, role.capitalize(), role=role, tenant_id=acme.tenant_id)
    shown = {a.attributes["href"] for a in (await screen(somebody, "/pages")).all("nav")[0].all("a")}
    items = [item for part in declared((ROOM,)) for item in part.nav]
    answers = {item.href: (await somebody.get(item.href)).status for item in items}
    assert shown == {href for href, status in answers.items() if status == 200}
    assert {answers[item.href] for item in ROOM.nav} == ({200, 403} if role != "owner" else {200})

"""Menus put together by hand, and the way down to a page: seen by visitors at once, and never a link to nothing.

Covers: hand, web.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest

from shipworthy.rooms.site.menus.hand import ITEMS_MAX
from shipworthy.rooms.site.menus.web import ROUTES
from tests.rooms.site.conftest import PORT, Author, Counted, another_process, author, until
from tests.support.app import RunningApp
from tests.support.page import parse


async def put(person: Author, menu: str, *items: dict[str, Any]) -> Any:
    answer = await person.send("PUT", f"/api/menus/{menu}", {"items": list(items)})
    assert answer.status == 200, answer.text
    return answer.json


async def menus(person: Author, path: str = "/") -> tuple[list[str], list[str]]:
    """Return what stands in the main menu and in the one at the end, each as "title href"."""
    text = await person.visitor.text(path)
    main, end = text.partition("</header>")[0], text.partition('<footer class="end">')[2]
    found = [
        re.findall(r'<li(?: class="more")?><a href="([^"]*)"[^>]*>([^<]*)</a>', part) for part in (main, end)
    ]
    return tuple([f"{title} {href}" for href, title in part] for part in found)  # type: ignore[return-value]


def linked_data(html: str, kind: str) -> list[Any]:
    (script,) = [e for e in parse(html).all("script") if e.attributes.get("type") == "application/ld+json"]
    return [part for part in json.loads(script.text)["@graph"] if part["@type"] == kind]


async def test_a_menu_put_together_is_what_visitors_see_in_every_process(acme: Author) -> None:
    home = await acme.show("Home", "/")
    work = await acme.show("Work", "/jobs")
    await acme.show("About", "/about")
    await acme.visitor.until_hit("/")
    assert (await menus(acme))[0] == ["Work /jobs", "About /about"]
    async with another_process(acme.app) as second:
        other = Author(acme.app, acme.client, acme.tenant_id, acme.slug).visitor
        other.asgi = second
        await other.until_hit("/")
        said = await put(
            acme,
            "main",
            {"url": "https://shop.example/?a=1&b=2", "label": "Shop"},
            {"page_id": work["page_id"]},
            {"page_id": home["page_id"], "label": "Start", "is_below": True},
        )
        assert [(i["title"], i["label"], i["is_below"]) for i in said["main"]] == [
            (None, "Shop", False), ("Work", "", False), ("Home", "Start", True),
        ]  # fmt: skip
        expected = ["Shop https://shop.example/?a=1&amp;b=2", "Work /jobs", "Start /"]
        assert await menus(acme) == (expected, expected)
        await until(lambda: other.ask("/"), lambda answer: "shop.example" in answer.text)
    await put(acme, "footer", {"page_id": work["page_id"], "label": "All our work"})
    assert (await menus(acme))[1] == ["All our work /jobs"]
    assert (await menus(acme, "/jobs"))[0] == expected
    assert 'aria-current="page">Work' in await acme.visitor.text("/jobs")
    await put(acme, "main")  # nothing: made of the pages again, and the footer stays
    assert await menus(acme) == (["Work /jobs", "About /about"], ["All our work /jobs"])


async def test_a_menu_follows_its_pages_wherever_they_go(acme: Author) -> None:
    await acme.show("Home", "/", in_menu=False)
    page = await acme.write("Offer", path="/offer", in_menu=False)
    await put(acme, "main", {"page_id": page["page_id"]})
    await acme.visitor.until_hit("/")
    assert (await menus(acme))[0] == []  # nobody sees a draft
    page = await acme.publish(page)
    assert (await menus(acme))[0] == ["Offer /offer"]
    page = await acme.publish(await acme.edit(page, title="Spring offer"))
    assert (await menus(acme))[0] == ["Spring offer /offer"]
    page = await acme.edit(page, path="/spring")
    assert (await menus(acme))[0] == ["Spring offer /spring"]
    page = await acme.unpublish(page)
    assert (await menus(acme))[0] == []
    await acme.publish(page)
    await acme.send("DELETE", f"/api/pages/{page['page_id']}")
    assert (await menus(acme))[0] == []
    assert "Spring offer" in (await acme.get("/menus/main")).text
    await acme.send("POST", f"/api/pages/{page['page_id']}/restore")
    assert (await menus(acme))[0] == ["Spring offer /spring"]


async def test_a_publish_that_changes_no_menu_leaves_other_pages_kept(acme: Author) -> None:
    await acme.show("Home", "/")
    page = await acme.show("Offer", "/offer", in_menu=False)
    other = await acme.show("Other", "/other", in_menu=False)
    await put(acme, "main", {"page_id": page["page_id"]})
    await acme.visitor.until_hit("/")
    await acme.publish(await acme.edit(other, title="Another", body="New."))
    await acme.publish(await acme.edit(page, body="New."))
    assert (await acme.visitor.ask("/")).header("x-cache") == "hit"
    await acme.publish(await acme.edit((await acme.get(f"/api/pages/{page['page_id']}")).json, title="New"))
    assert (await acme.visitor.ask("/")).header("x-cache") == "miss"


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({}, "page_id"),
        ({"page_id": str(uuid.uuid4())}, "page_id"),
        ({"url": "https://a.example/"}, "label"),
        ({"url": "javascript:alert(1)", "label": "x"}, "url"),
        ({"url": "ftp://a.example/", "label": "x"}, "url"),
        ({"url": "https://user:pass@a.example/", "label": "x"}, "url"),
        ({"url": "https://a.example/", "label": "x" * 61}, "label"),
        ({"url": "https://a.example/", "label": "\u202ex"}, "label"),
        ({"url": "https://a.example/", "label": "x", "is_below": True}, "is_below"),
    ],
)
async def test_an_item_that_cannot_be_is_refused_by_its_field(acme: Author, item: Any, field: str) -> None:
    await acme.show("Home", "/")
    refused = await acme.send("PUT", "/api/menus/main", {"items": [item]})
    assert (refused.status, refused.json["code"]) == (422, "site.menu_invalid")
    assert f"items[0].{field}" in refused.text
    assert (await acme.get("/api/menus")).json == {"main": [], "footer": []}
    form = {f"items-0-{name}": "true" if value is True else str(value) for name, value in item.items()}
    if form:  # a row without a word is no row
        shown = await acme.submit("/menus/main", **form)
        assert shown.status == 422
        assert f'id="f-items-0-{field}"' in shown.text


async def test_a_menu_has_an_end_and_knows_no_other_name(acme: Author) -> None:
    item = {"url": "https://a.example/", "label": "x"}
    await put(acme, "main", *[item] * ITEMS_MAX)
    refused = await acme.send("PUT", "/api/menus/main", {"items": [item] * (ITEMS_MAX + 1)})
    assert (refused.status, refused.json["code"]) == (422, "site.menu_invalid")
    assert (await acme.send("PUT", "/api/menus/side", {"items": []})).status == 404


async def test_buttons_order_the_rows_and_only_saving_shows_them(acme: Author) -> None:
    await acme.show("Home", "/")
    await acme.show("Work", "/jobs")
    empty = (await acme.get("/menus/main")).text
    assert "Begin with the pages" in empty
    begun = await acme.submit("/menus/main", do="fill")
    assert "Nothing is saved yet" in begun.text
    assert "selected>Work (" in begun.text
    rows = {
        "items-0-key": "0", "items-0-url": "https://a.example/", "items-0-label": "First",
        "items-1-key": "1", "items-1-url": "https://b.example/", "items-1-label": "Second",
        "items-2-key": "2",
    }  # fmt: skip
    moved = await acme.submit("/menus/main", do="up:1", **rows)
    labels = re.findall(r'name="items-\d-label" type="text" value="(\w+)"', moved.text)
    assert (moved.status, labels) == (200, ["Second", "First"])
    assert (await acme.get("/api/menus")).json["main"] == []
    for do in ("up:0", "down:1", "up:9", "down:x", "nonsense"):
        assert (await acme.submit("/menus/main", do=do, **rows)).status == 200
    assert (await acme.submit("/menus/main", **rows)).status == 303
    assert [item["label"] for item in (await acme.get("/api/menus")).json["main"]] == ["First", "Second"]


async def test_a_menu_is_the_tenants_alone_and_each_route_keeps_its_statements(
    app: RunningApp, acme: Author
) -> None:
    globex = await author(app, "Globex")
    page, _ = await acme.show("Secret", "/secret"), await globex.show("Home", "/")
    await put(acme, "main", {"page_id": page["page_id"]})
    refused = await globex.send("PUT", "/api/menus/main", {"items": [{"page_id": page["page_id"]}]})
    assert refused.status == 422
    assert "Secret" not in (await globex.get("/menus/main")).text
    assert (await globex.get("/api/menus")).json == {"main": [], "footer": []}
    viewer = await author(app, "Viewer", role="viewer", tenant_id=acme.tenant_id)
    assert (await viewer.send("PUT", "/api/menus/main", {"items": []})).status == 403
    counted, item = Counted(), {"url": "https://a.example/", "label": "x"}
    await counted.ask(acme, "GET /api/menus")
    await counted.ask(acme, "GET /menus/{menu}", menu="main")
    await counted.ask(acme, "PUT /api/menus/{menu}", body={"items": [item]}, menu="main")
    await counted.ask(
        acme, "POST /menus/{menu}", form={"items-0-url": item["url"], "items-0-label": "x"}, menu="main"
    )
    assert counted.seen == {f"{route.method} {route.path}" for route in ROUTES}


async def test_a_page_below_others_says_the_way_down_and_follows_their_names(acme: Author) -> None:
    await acme.show("Home", "/")
    top = await acme.show("Work", "/jobs", in_menu=False)  # no change of a menu helps
    middle = await acme.write("Signs", path="/jobs/signs", in_menu=False)
    deep = await acme.show("A city", "/jobs/signs/a-city", in_menu=False)
    await acme.visitor.until_hit("/jobs/signs/a-city")

    async def way(path: str) -> list[str]:
        text = await acme.visitor.text(path)
        crumbs = [e.text for nav in parse(text).all("nav", "crumbs") for e in nav.all("li")]
        told = [
            item["name"] for part in linked_data(text, "BreadcrumbList") for item in part["itemListElement"]
        ]
        assert crumbs == told  # people and machines are told the same
        return crumbs

    assert await way("/jobs/signs/a-city") == ["Home", "Work", "A city"]  # nobody sees the draft between
    assert await way("/jobs") == await way("/") == []
    await acme.publish(middle)
    assert await way("/jobs/signs/a-city") == ["Home", "Work", "Signs", "A city"]
    top = await acme.publish(await acme.edit(top, title="Our work"))
    assert await way("/jobs/signs/a-city") == ["Home", "Our work", "Signs", "A city"]
    (told,) = linked_data(await acme.visitor.text("/jobs/signs/a-city"), "BreadcrumbList")
    assert [item["item"] for item in told["itemListElement"]] == [
        f"http://{acme.host}:{PORT}{path}" for path in ("/", "/jobs", "/jobs/signs", "/jobs/signs/a-city")
    ]
    await acme.visitor.until_hit("/jobs/signs/a-city")
    await acme.publish(await acme.edit(top, body="New text, same name."))
    assert (await acme.visitor.ask("/jobs/signs/a-city")).header("x-cache") == "hit"
    await acme.unpublish(top)
    assert await way("/jobs/signs/a-city") == ["Home", "Signs", "A city"]
    preview = await acme.get(f"/pages/{deep['page_id']}/preview")
    path = (preview.header("location") or "").partition(str(PORT))[2]
    shown = await acme.visitor.ask(path, host=f"preview.{acme.host}")
    assert "Signs" in shown.text.partition('<nav class="crumbs"')[2].partition("</nav>")[0]

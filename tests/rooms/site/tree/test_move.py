"""Moving pages and putting them into the bin: whoever has an old address is led on in one step.

Covers: bin, web.
"""

from __future__ import annotations

import asyncio

from shipworthy.rooms.site.tree.web import ROUTES
from tests.rooms.site.conftest import PORT, Author, Clock, Counted, author
from tests.support.app import RunningApp


def own(person: Author, path: str) -> str:
    return f"http://{person.host}:{PORT}{path}"


async def leads(person: Author, path: str) -> tuple[int, str | None]:
    answer = await person.visitor.ask(path)
    return answer.status, answer.header("location")


async def parents(person: Author) -> dict[str, str | None]:
    """Return each page's address and that of the page it hangs below."""
    rows = await person.app.admin(
        "select p.path, a.path as above from page p left join page a on a.page_id = p.parent_id"
        " where p.tenant_id = $1 and p.status <> 'deleted'",
        person.tenant_id,
    )
    return {row["path"]: row["above"] for row in rows}


async def test_a_published_page_that_moves_leaves_one_step_to_it_from_everywhere_it_was(
    acme: Author, clock: Clock
) -> None:
    page = await acme.show("About", "/about")
    first = page["content_changed_at"]
    clock.move(60)
    for path in ("/who", "/who-we-are", "/us"):
        page = await acme.edit(page, path=path)
        assert (page["path"], page["status"], page["url"]) == (path, "published", own(acme, path))
        assert "About" in await acme.visitor.text(path)
    assert page["content_changed_at"] > first
    for old in ("/about", "/who", "/who-we-are", "/About/", "//who"):
        for _ in range(2):  # read, and from memory
            assert await leads(acme, old) == (301, own(acme, "/us")), old
    answer = await acme.visitor.ask("/about?utm_source=x")
    assert answer.header("location") == own(acme, "/us?utm_source=x")
    assert answer.header("cache-control") == "public, max-age=0, must-revalidate"
    page = await acme.edit(page, path="/about")  # back again: it stands there, and nothing leads in a circle
    assert (await leads(acme, "/about"))[0] == 200
    assert await leads(acme, "/us") == (301, own(acme, "/about"))


async def test_the_pages_below_move_along_and_leave_their_addresses_too(acme: Author) -> None:
    work = await acme.show("Work", "/works")
    for path in ("/works/a", "/works/a/deep", "/works-else", "/workshop"):
        await acme.show(path, path)
    await acme.write("Never shown", path="/works/draft")
    moved = await acme.edit(work, path="/portfolio/works")
    assert await parents(acme) == {
        "/portfolio/works": None,
        "/portfolio/works/a": "/portfolio/works",
        "/portfolio/works/a/deep": "/portfolio/works/a",
        "/portfolio/works/draft": "/portfolio/works",
        "/works-else": None,
        "/workshop": None,
    }
    for path in ("/works", "/works/a", "/works/a/deep"):
        assert await leads(acme, path) == (301, own(acme, f"/portfolio{path}"))
    assert (await leads(acme, "/works/draft"))[0] == 404
    assert {(await leads(acme, path))[0] for path in ("/works-else", "/workshop")} == {200}
    # Into a place below its old one and back up: no address is had twice on the way.
    moved = await acme.edit(moved, path="/portfolio")
    assert await leads(acme, "/works/a/deep") == (301, own(acme, "/portfolio/a/deep"))
    refused = await acme.send(
        "PUT", f"/api/pages/{moved['page_id']}", {"title": "Work", "path": "/portfolio/in"}, if_match="*"
    )
    assert (refused.status, refused.json["code"]) == (422, "site.path_invalid")
    assert (await leads(acme, "/portfolio/a"))[0] == 200


async def test_a_move_onto_another_page_is_refused_and_moves_nothing(acme: Author) -> None:
    await acme.show("There", "/new/a")
    page = await acme.show("Old", "/old")
    await acme.show("Below", "/old/a")
    path = f"/api/pages/{page['page_id']}"
    for wanted, named in (("/new/a", "/new/a"), ("/new", "/new/a")):
        refused = await acme.send("PUT", path, {"title": "Old", "path": wanted}, if_match="*")
        assert (refused.status, refused.json["code"]) == (409, "site.path_taken")
        assert named in refused.text
    long = await acme.send("PUT", path, {"title": "Old", "path": f"/{'x' * 298}"}, if_match="*")
    assert (long.status, long.json["code"]) == (422, "site.path_invalid")
    assert {(await leads(acme, address))[0] for address in ("/new/a", "/old", "/old/a")} == {200}


async def test_a_page_that_is_shown_wins_over_what_led_elsewhere(acme: Author) -> None:
    await acme.edit(await acme.show("First", "/place"), path="/first")
    draft = await acme.write("Second", path="/place")
    assert await leads(acme, "/place") == (301, own(acme, "/first"))  # nobody sees a draft
    second = await acme.publish(draft)
    assert "Second" in await acme.visitor.text("/place")
    await acme.edit(second, path="/second")
    assert await leads(acme, "/place") == (301, own(acme, "/second"))  # whoever stood there last


async def test_a_page_hangs_below_the_nearest_one_above_it_whichever_came_first(acme: Author) -> None:
    await acme.write("Deep", path="/a/b/c")
    await acme.write("Home", path="/")
    top = await acme.write("Top", path="/a")
    assert await parents(acme) == {"/a/b/c": "/a", "/a": None, "/": None}
    middle = await acme.write("Middle", path="/a/b")
    assert await parents(acme) == {"/a/b/c": "/a/b", "/a/b": "/a", "/a": None, "/": None}
    await acme.send("DELETE", f"/api/pages/{middle['page_id']}")
    assert (await parents(acme))["/a/b/c"] == "/a"
    await acme.send("POST", f"/api/pages/{middle['page_id']}/restore")
    assert (await parents(acme))["/a/b/c"] == "/a/b"
    await acme.edit(top, path="/z")
    assert await parents(acme) == {"/z/b/c": "/z/b", "/z/b": "/z", "/z": None, "/": None}


async def test_twenty_who_move_branches_at_once_leave_a_tree_without_a_dead_address(acme: Author) -> None:
    pages = [await acme.show(path, path) for path in ("/a", "/a/b", "/a/b/c", "/d")]
    wanted = ["/d/a", "/a", "/x", "/d", "/b"]

    async def move(n: int) -> int:
        page = pages[n % 4]
        body = {"title": page["title"], "path": f"{wanted[n % 5]}/{n % 3}"}
        answer = await acme.send("PUT", f"/api/pages/{page['page_id']}", body, if_match="*")
        return answer.status

    statuses = await asyncio.gather(*(move(n) for n in range(20)))
    assert set(statuses) <= {200, 409, 422, 503}
    assert 200 in statuses
    for path in ("/a", "/a/b", "/a/b/c", "/d"):
        status, to = await leads(acme, path)
        assert status in (200, 301)
        if to:
            assert (await leads(acme, to.removeprefix(own(acme, ""))))[0] == 200


async def test_a_deleted_page_is_gone_at_every_address_and_comes_back_as_it_was(acme: Author) -> None:
    page = await acme.edit(await acme.show("Offer", "/offer"), path="/spring")
    path = f"/api/pages/{page['page_id']}"
    assert (await acme.send("DELETE", path, if_match='"2"')).status == 412
    assert (await acme.send("DELETE", path, if_match='"1"')).status == 204
    for address in ("/spring", "/offer", "/Spring/"):
        answer = await acme.visitor.ask(address)
        assert (answer.status, answer.header("location")) == (410, None), address
        assert (answer.header("x-robots-tag"), answer.header("cache-control")) == ("noindex", "no-store")
        assert "gone" in answer.text
    assert (await acme.get(path)).status == 404
    assert (await acme.send("POST", f"{path}/publish")).status == 404
    assert (await acme.send("DELETE", path)).status == 404
    assert (await acme.get("/api/pages")).json["pages"] == []
    assert [p["path"] for p in (await acme.get("/api/pages/bin")).json["pages"]] == ["/spring"]
    back = await acme.send("POST", f"{path}/restore")
    assert (back.status, back.json["status"], back.json["path"]) == (200, "published", "/spring")
    assert "Offer" in await acme.visitor.text("/spring")
    assert await leads(acme, "/offer") == (301, own(acme, "/spring"))
    assert (await acme.send("POST", f"{path}/restore")).status == 404


async def test_a_page_whose_address_is_taken_comes_back_as_a_draft_beside_it(acme: Author) -> None:
    page = await acme.show("First", "/place")
    await acme.submit(f"/pages/{page['page_id']}/delete")
    await acme.show("Second", "/place")
    assert "Second" in await acme.visitor.text("/place")
    back = await acme.send("POST", f"/api/pages/{page['page_id']}/restore")
    assert back.json["status"] == "draft"
    assert back.json["path"].startswith("/place-")
    assert "Second" in await acme.visitor.text("/place")


async def test_the_bin_is_the_tenants_alone_and_by_screen(app: RunningApp, acme: Author) -> None:
    globex = await author(app, "Globex")
    page = await acme.show("Secret", "/secret")
    for method, verb in (("DELETE", ""), ("POST", "/restore")):
        foreign = await globex.send(method, f"/api/pages/{page['page_id']}{verb}")
        assert foreign.status == 404
    counted = Counted()
    one = {"page_id": page["page_id"]}
    deleted = await counted.ask(acme, "POST /pages/{page_id}/delete", form={"version": "1"}, **one)
    assert deleted.header("location") == "/pages/bin"
    assert "Secret" in (await counted.ask(acme, "GET /pages/bin")).text
    assert "Secret" not in (await globex.get("/pages/bin")).text
    await counted.ask(acme, "GET /api/pages/bin")
    assert (await globex.send("POST", f"/api/pages/{page['page_id']}/restore")).status == 404
    await counted.ask(acme, "POST /pages/{page_id}/restore", form={}, **one)
    await counted.ask(acme, "DELETE /api/pages/{page_id}", **one)
    await counted.ask(acme, "POST /api/pages/{page_id}/restore", **one)
    assert counted.seen == {f"{route.method} {route.path}" for route in ROUTES}
    viewer = await author(app, "Viewer", role="viewer", tenant_id=acme.tenant_id)
    assert (await viewer.send("DELETE", f"/api/pages/{page['page_id']}")).status == 403
    assert "Restore" not in (await viewer.get("/pages/bin")).text


async def test_a_draft_that_was_shown_once_keeps_its_old_address_leading_to_it(acme: Author) -> None:
    page = await acme.unpublish(await acme.show("Offer", "/offer"))
    page = await acme.edit(page, path="/offers/spring")
    assert (await leads(acme, "/offer"))[0] == 404
    await acme.publish(page)
    assert await leads(acme, "/offer") == (301, own(acme, "/offers/spring"))

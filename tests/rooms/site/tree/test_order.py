"""The tree of pages: read, and put in order. Addresses follow, and every move can be taken back.

Covers: rows, api, screens.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from shipworthy.rooms.site.tree.api import ROUTES as API
from shipworthy.rooms.site.tree.rows import PER_BRANCH, PER_LIST
from shipworthy.rooms.site.tree.screens import ROUTES as SCREENS
from tests.rooms.site.conftest import Author, Counted, author
from tests.rooms.site.tree.test_move import leads, own, parents
from tests.support.app import RunningApp


async def shown(person: Author, **query: str) -> list[tuple[str, int]]:
    """Return addresses and depths of the tree, in its order."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await person.get(f"/api/pages/tree?{asked}")
    assert answer.status == 200, answer.text
    return [(page["path"], page["depth"]) for page in answer.json["pages"]]


async def order(person: Author, page: dict[str, Any], way: str) -> tuple[int, Any]:
    answer = await person.send("POST", f"/api/pages/{page['page_id']}/order", {"way": way})
    return answer.status, answer.json


async def place(person: Author, page: dict[str, Any], **where: Any) -> tuple[int, Any]:
    answer = await person.send("POST", f"/api/pages/{page['page_id']}/place", where)
    return answer.status, answer.json


async def test_steps_move_a_page_past_its_neighbours_and_no_further(acme: Author) -> None:
    a, b, c = [await acme.show(path, path) for path in ("/a", "/b", "/c")]
    assert await shown(acme) == [("/a", 0), ("/b", 0), ("/c", 0)]
    for page, way, expected in (
        (c, "up", "acb"), (c, "up", "cab"), (c, "up", "cab"), (a, "down", "cba"), (a, "down", "cba"),
    ):  # fmt: skip
        status, _ = await order(acme, page, way)
        assert status == 200
        assert "".join(path[1:] for path, _ in await shown(acme)) == expected
    d = await acme.show("/d", "/d")  # one that nobody ordered stands last
    assert [path for path, _ in await shown(acme)] == ["/c", "/b", "/a", "/d"]
    assert (await order(acme, d, "up"))[0] == (await order(acme, b, "up"))[0] == 200
    assert [path for path, _ in await shown(acme)] == ["/b", "/c", "/d", "/a"]


async def test_visitors_see_the_new_order_in_the_menu_at_once(acme: Author) -> None:
    await acme.show("Home", "/", in_menu=False)
    await acme.show("First", "/first")
    second = await acme.show("Second", "/second")
    await acme.visitor.until_hit("/")

    async def menu() -> list[str]:
        head = (await acme.visitor.text("/")).partition("</header>")[0]
        return re.findall(r"<li><a[^>]*>(\w+)</a>", head)

    assert await menu() == ["First", "Second"]
    await order(acme, second, "up")
    assert await menu() == ["Second", "First"]


async def test_in_and_out_change_the_address_and_leave_one_step_to_it(acme: Author) -> None:
    await acme.show("A", "/a")
    b = await acme.show("B", "/b")
    await acme.show("Below", "/b/x")
    await acme.show("C", "/c")
    status, moved = await order(acme, b, "in")
    assert (status, moved["path"]) == (200, "/a/b")
    assert await shown(acme) == [("/a", 0), ("/a/b", 1), ("/a/b/x", 2), ("/c", 0)]
    assert await leads(acme, "/b/x") == (301, own(acme, "/a/b/x"))
    status, moved = await order(acme, b, "out")
    assert (status, moved["path"]) == (200, "/b")
    # Out is right behind the page it stood below, not at the end.
    assert await shown(acme) == [("/a", 0), ("/b", 0), ("/b/x", 1), ("/c", 0)]
    assert await leads(acme, "/a/b/x") == (301, own(acme, "/b/x"))
    assert (await leads(acme, "/b/x"))[0] == 200


async def test_there_is_nothing_below_the_home_page_and_nothing_above_the_top(acme: Author) -> None:
    home, a = await acme.show("Home", "/"), await acme.show("A", "/a")
    for page, way in ((home, "in"), (a, "in"), (a, "out"), (home, "out")):
        status, refused = await order(acme, page, way)
        assert (status, refused["code"]) == (409, "site.tree_no_place"), (page["path"], way)
    for page, below in ((a, home), (home, a)):
        status, refused = await place(acme, page, parent_id=below["page_id"])
        assert (status, refused["code"]) == (422, "site.path_invalid")
    assert set(await parents(acme)) == {"/", "/a"}


async def test_a_page_goes_anywhere_but_below_itself_or_onto_another(acme: Author) -> None:
    a, below = await acme.show("A", "/a"), await acme.show("Below", "/a/x")
    b, taken = await acme.show("B", "/b"), await acme.show("Taken", "/b/x")
    for page, parent, code in (
        (a, a, 422), (a, below, 422), (below, b, 409), (a, {"page_id": a["page_id"][::-1]}, 422),
    ):  # fmt: skip
        status, refused = await place(acme, page, parent_id=parent["page_id"])
        assert status == code, refused
    status, moved = await place(acme, below, parent_id=b["page_id"], before=taken["page_id"], rest="y")
    assert (status, moved["path"], moved["parent_id"]) == (200, "/b/y", b["page_id"])
    assert await shown(acme) == [("/a", 0), ("/b", 0), ("/b/y", 1), ("/b/x", 1)]
    stale = await acme.send("POST", f"/api/pages/{b['page_id']}/place", {"rest": "z"}, if_match='"9"')
    assert stale.status == 412
    # What of the address follows the page above stays whole, however deep it is.
    deep = await acme.show("Deep", "/legal/terms/2026")
    assert (await place(acme, deep, parent_id=a["page_id"]))[1]["path"] == "/a/legal/terms/2026"
    assert (await place(acme, deep))[1]["path"] == "/legal/terms/2026"


async def test_what_a_screen_moved_its_undo_puts_back(acme: Author) -> None:
    pages = [await acme.show(path, path) for path in ("/a", "/b", "/b/x", "/b/y", "/c")]
    before = await shown(acme)
    x = pages[2]
    for way in ("down", "out"):
        moved = await acme.submit(f"/pages/{x['page_id']}/order", way=way)
        assert moved.status == 303
        to = moved.header("location") or ""
        assert to.endswith(f"#page-{x['page_id']}")
        assert await shown(acme) != before
        screen = (await acme.get(to.partition("#")[0])).text
        assert "Undo" in screen
        form = screen.partition("notice success")[2].partition("</form>")[0]
        fields = dict(re.findall(r'name="(parent_id|before|rest|under)" value="([^"]*)"', form))
        back = await acme.submit(f"/pages/{x['page_id']}/place", **fields)
        assert back.status == 303
        assert await shown(acme) == before
    assert (await leads(acme, "/b/x"))[0] == 200


async def test_a_large_level_is_read_in_parts_and_nothing_is_skipped(acme: Author) -> None:
    top = await acme.write("Top", path="/top")
    for n in range(PER_LIST + 3):
        await acme.write(f"Page {n}", path=f"/top/{n}")
    rows = await shown(acme)
    assert len(rows) == 1 + PER_BRANCH
    (first,) = [p for p in (await acme.get("/api/pages/tree")).json["pages"] if p["path"] == "/top"]
    assert first["has_more"]
    part = (await acme.get(f"/api/pages/tree?under={top['page_id']}")).json
    rest = (await acme.get(f"/api/pages/tree?under={top['page_id']}&cursor={part['next_cursor']}")).json
    paths = [page["path"] for page in part["pages"] + rest["pages"]]
    assert paths == [f"/top/{n}" for n in range(PER_LIST + 3)]
    assert rest["next_cursor"] is None
    broken = await acme.get("/api/pages/tree?cursor=bm90aGluZw")
    assert (broken.status, broken.json["code"]) == (422, "site.cursor_invalid")


async def test_twenty_steps_at_once_leave_every_page_in_one_place(acme: Author) -> None:
    pages = [await acme.show(path, path) for path in ("/a", "/b", "/c", "/d")]
    ways = ("up", "down", "in", "out", "up")
    answers = await asyncio.gather(*(order(acme, pages[n % 4], ways[n % 5]) for n in range(20)))
    assert {status for status, _ in answers} <= {200, 409, 503}
    tree = await shown(acme)
    assert len(tree) == 4
    assert {path.rpartition("/")[2] for path, _ in tree} == {"a", "b", "c", "d"}
    for path, above in (await parents(acme)).items():
        assert path.rpartition("/")[0] == (above or "")


async def test_the_tree_is_the_tenants_alone_and_moved_by_those_who_may(
    app: RunningApp, acme: Author
) -> None:
    globex = await author(app, "Globex")
    await acme.show("A", "/a")
    secret = await acme.show("Secret", "/secret")
    mine = await globex.show("Mine", "/mine")
    assert "Secret" not in (await globex.get("/pages/tree")).text
    assert (await globex.get(f"/pages/tree?under={secret['page_id']}")).status == 404
    assert (await order(globex, secret, "up"))[0] == 404
    assert (await place(globex, secret))[0] == 404
    assert (await place(globex, mine, parent_id=secret["page_id"]))[0] == 422
    assert (await place(globex, mine, before=secret["page_id"]))[0] == 200
    viewer = await author(app, "Viewer", role="viewer", tenant_id=acme.tenant_id)
    assert (await order(viewer, secret, "up"))[0] == 403
    text = (await viewer.get("/pages/tree")).text
    assert "Secret" in text
    assert 'name="way"' not in text


async def test_a_move_that_cannot_be_is_said_on_the_screen_it_came_from(acme: Author) -> None:
    a, x, b = [await acme.show(path, path) for path in ("/a", "/a/x", "/x")]
    refused = await acme.submit(f"/pages/{b['page_id']}/order", way="in")
    assert refused.status == 409
    assert "Another page has the address" in refused.text
    assert "data-tree" in refused.text
    form = await acme.submit(f"/pages/{a['page_id']}/place", parent_id=x["page_id"])
    assert form.status == 422
    assert "cannot stand below itself" in form.text
    assert (await acme.submit(f"/pages/{a['page_id']}/place", parent_id="nonsense")).status == 404


async def test_each_route_keeps_the_statements_it_declares(acme: Author) -> None:
    counted = Counted()
    await acme.show("A", "/a")
    page = await acme.show("B", "/b")
    await acme.show("Below", "/b/c")
    one = {"page_id": page["page_id"]}
    await counted.ask(acme, "GET /api/pages/tree")
    await counted.ask(acme, "GET /pages/tree")
    await counted.ask(acme, "POST /api/pages/{page_id}/order", body={"way": "in"}, **one)
    await counted.ask(acme, "POST /pages/{page_id}/order", form={"way": "out"}, **one)
    await counted.ask(acme, "POST /api/pages/{page_id}/place", body={"rest": "c"}, **one)
    await counted.ask(acme, "GET /pages/{page_id}/place", **one)
    await counted.ask(acme, "POST /pages/{page_id}/place", form={"rest": "b"}, **one)
    assert counted.seen == {f"{route.method} {route.path}" for route in (*API, *SCREENS)}

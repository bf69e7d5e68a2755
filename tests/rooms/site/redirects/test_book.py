"""Redirects by hand: written, followed, counted, listed, imported, exported and taken out.

Covers: csv_list, hits, leads, screens, web.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.site.redirects.csv_list import ROWS_MAX, read_list
from shipworthy.rooms.site.redirects.leads import with_query
from shipworthy.rooms.site.redirects.web import ROUTES
from tests.rooms.site.conftest import PORT, Author, Counted, Wire, another_process, author, until
from tests.support.app import RunningApp
from tests.support.client import Answer
from tests.support.page import parse


async def redirect(person: Author, from_path: str, to: str = "", status: int = 301, **more: Any) -> Answer:
    body = {"from_path": from_path, "to": to, "status": status, **more}
    return await person.send("POST", "/api/redirects", body)


async def leads(person: Author, path: str) -> tuple[int, str | None]:
    answer = await person.visitor.ask(path)
    return answer.status, answer.header("location")


async def test_an_address_leads_to_a_page_wherever_it_moves_and_to_another_website(acme: Author) -> None:
    page = await acme.show("Contact", "/contact")
    made = await redirect(acme, "/Kontakt.html", "/contact", 308)
    assert (made.status, made.json["to"], made.json["origin"]) == (201, "/contact", "manual")
    assert (await redirect(acme, "/shop", "https://shop.example/?a=1#top", 302)).status == 201
    assert (await redirect(acme, "/closed", status=410)).status == 201
    assert (await redirect(acme, "/call", to_page_id=page["page_id"])).status == 201
    own = f"http://{acme.host}:{PORT}"
    assert await leads(acme, "/KONTAKT.html/") == (308, f"{own}/contact")
    await acme.edit(page, path="/write-to-us")
    assert await leads(acme, "/kontakt.html") == (308, f"{own}/write-to-us")
    assert await leads(acme, "/call") == (301, f"{own}/write-to-us")
    assert await leads(acme, "/shop?b=2") == (302, "https://shop.example/?a=1&b=2#top")
    assert (await leads(acme, "/closed"))[0] == 410
    await acme.unpublish(page)
    assert (await leads(acme, "/call"))[0] == 404  # nobody is led to what nobody sees


async def test_circles_chains_and_shadows_are_refused_and_nothing_is_written(acme: Author) -> None:
    await acme.edit(await acme.show("Here", "/old"), path="/here")
    for from_path, to, code in (
        ("/here", "https://x.example/", "site.redirect_shadowed"),
        ("/a", f"http://{acme.host}/a", "site.redirect_loop"),
        ("/a", "/old", "site.redirect_chain"),
        ("/a", "/nowhere", "site.redirect_invalid"),
        ("/old", "https://x.example/", "site.redirect_taken"),
    ):
        refused = await redirect(acme, from_path, to)
        assert refused.json["code"] == code, refused.text
        assert refused.json["fields"]
    assert len((await acme.get("/api/redirects")).json["redirects"]) == 1
    assert (await redirect(acme, "/a", "/here")).status == 201


async def test_one_that_is_there_already_is_answered_as_if_it_was_new(app: RunningApp, acme: Author) -> None:
    await acme.show("Here", "/here")
    first = await redirect(acme, "/old", "/here")
    again = await redirect(acme, "/Old/", "/here")
    assert (again.status, again.json) == (201, first.json)
    sent = await acme.submit("/redirects", from_path="/old", to="/here", status="301")
    assert (sent.status, sent.header("location")) == (303, "/redirects")
    assert (await redirect(acme, "/old", "/here", 302)).json["code"] == "site.redirect_taken"
    (made,) = await app.admin("select count(*) as n from audit where action = 'redirect.created'")
    assert made["n"] == 1
    globex = await author(app, "Globex")
    await globex.show("Here", "/here")
    other = await redirect(globex, "/old", "/here")
    assert other.status == 201 and other.json["redirect_id"] != first.json["redirect_id"]


async def test_of_twenty_who_want_one_address_at_once_one_gets_it_and_a_page_wins(acme: Author) -> None:
    page = await acme.write("Home", path="/x")
    answers = await asyncio.gather(*(redirect(acme, "/x", f"https://{n}.example/") for n in range(20)))
    assert sorted({answer.status for answer in answers} - {503}) == [201, 409]
    assert len([answer for answer in answers if answer.status == 201]) == 1
    await asyncio.gather(acme.publish(page), redirect(acme, "/x", "https://late.example/"))
    assert (await leads(acme, "/x"))[0] == 200
    assert (await acme.get("/api/redirects")).json["redirects"] == []


async def test_who_follows_is_counted_where_nobody_waits_for_it(app: RunningApp, acme: Author) -> None:
    await acme.show()
    made = (await redirect(acme, "/old", "/")).json
    gone = (await redirect(acme, "/gone", status=410)).json
    lane = app.runtime.state["site.lane"]
    for path in ("/old", "/old", "/OLD/?x=1", "/gone", "/"):
        await acme.visitor.ask(path)
    await until(lambda: acme.visitor.ask("/old"), lambda answer: answer.header("x-cache") == "hit")
    (before,) = await app.admin("select sum(hits) as hits from redirect")
    assert before["hits"] == 0
    counted = dict(lane.hits._counts)
    await lane.hits.write_down()
    assert counted[acme.tenant_id, uuid.UUID(gone["redirect_id"])] == 1
    shown = (await acme.get(f"/api/redirects/{made['redirect_id']}")).json
    assert shown["hits"] == counted[acme.tenant_id, uuid.UUID(made["redirect_id"])] >= 4
    assert shown["last_hit_at"] == "2026-03-01T12:00:00Z"
    await lane.hits.write_down()
    assert (await acme.get(f"/api/redirects/{made['redirect_id']}")).json["hits"] == shown["hits"]


async def test_hits_wait_while_the_database_is_away(app: RunningApp, acme: Author, wire: Wire) -> None:
    await acme.show()
    made = (await redirect(acme, "/old", "/")).json
    async with another_process(app, port=wire.port) as asgi:
        lane = asgi._lane
        await until(lambda: _ask(asgi, acme, "/old"), lambda answer: answer.status == 301)
        counted = sum(lane.hits._counts.values())
        await wire.cut()
        await lane.hits.write_down()
        assert sum(lane.hits._counts.values()) == counted >= 1
        await wire.start()
        await until(lambda: lane.hits.write_down(), lambda _: not lane.hits._counts)
    assert (await acme.get(f"/api/redirects/{made['redirect_id']}")).json["hits"] == counted


async def _ask(asgi: Any, person: Author, path: str) -> Answer:
    visitor = person.visitor
    visitor.asgi = asgi
    return await visitor.ask(path)


async def test_a_list_is_looked_at_before_it_is_taken_in_and_comes_out_as_it_went_in(acme: Author) -> None:
    await acme.show("Home", "/")
    await acme.edit(await acme.show("Here", "/old"), path="/here")
    lines = [
        "From;To;Status",
        "/a;/here;302",
        "/b;https://x.example/;",
        "/gone;;410",
        "/here;/;301",
        "/loop;/loop;301",
        "/chain;/old;301",
        "/c;/d;301",
        "/d;/here;301",
        "/bad;/here;abc",
        "/old;https://y.example/;301",
    ]
    text = "\ufeff" + "\r\n".join(lines)
    checked = (await acme.send("POST", "/api/redirects/check", {"csv": text})).json
    assert [(row["line"], row["outcome"].removeprefix("redirect_")) for row in checked["rows"]] == [
        (2, "new"), (3, "new"), (4, "new"), (5, "shadowed"), (6, "loop"), (7, "chain"), (8, "chain"), (9, "new"),
        (10, "invalid"), (11, "replaces"),
    ]  # fmt: skip
    assert len((await acme.get("/api/redirects")).json["redirects"]) == 1
    done = (await acme.send("POST", "/api/redirects/import", {"csv": text})).json
    assert (done["good"], done["refused"], done["rows"]) == (5, 5, checked["rows"])
    assert await leads(acme, "/old") == (301, "https://y.example/")
    exported = await acme.get("/api/redirects/export")
    assert exported.header("content-type") == "text/csv; charset=utf-8"
    assert [line.rsplit(",", 3)[0] for line in exported.text.splitlines()[1:]] == [
        "/a,/here,302", "/b,https://x.example/,301", "/d,/here,301", "/gone,,410", "/old,https://y.example/,301",
    ]  # fmt: skip
    again = (await acme.send("POST", "/api/redirects/import", {"csv": exported.text})).json
    assert {row["outcome"] for row in again["rows"]} == {"same"}
    assert (await acme.get("/api/redirects/export")).text == exported.text


def test_a_list_that_cannot_be_read_is_refused_and_says_where() -> None:
    with pytest.raises(Invalid, match="empty"):
        read_list(" \nfrom,to,status\n")
    with pytest.raises(Invalid, match="Line 2"):
        read_list('/a,/b\n"/c,/d')
    with pytest.raises(Invalid, match="at most"):
        read_list("\n".join(f"/{n},/x" for n in range(ROWS_MAX + 1)))
    assert [(w.from_path, w.to, w.status, w.line) for w in read_list("/a\t/b\n\n/c\t\t410")] == [
        ("/a", "/b", 301, 1), ("/c", "", 410, 3),
    ]  # fmt: skip


def test_a_query_is_taken_along_before_the_fragment() -> None:
    assert with_query(b"https://x/", b"a=1") == b"https://x/?a=1"
    assert with_query(b"https://x/?b#c", b"a=1") == b"https://x/?b&a=1#c"


async def test_a_long_list_is_read_in_parts_and_searched(acme: Author) -> None:
    await acme.show()
    text = "\n".join(f"/old-{n:02},https://x.example/{n:02}" for n in range(60))
    await acme.send("POST", "/api/redirects/import", {"csv": text})
    seen, cursor = [], ""
    while True:
        part = (await acme.get(f"/api/redirects?cursor={cursor}")).json
        seen += [row["from_path"] for row in part["redirects"]]
        if (cursor := part["next_cursor"]) is None:
            break
    assert seen == [f"/old-{n:02}" for n in range(60)]
    found = (await acme.get("/api/redirects?q=EXAMPLE/7")).json
    assert (found["redirects"], found["next_cursor"]) == ([], None)
    assert len((await acme.get("/api/redirects?q=example/5")).json["redirects"]) == 10
    assert (await acme.get("/api/redirects?cursor=%C3%BC")).json["code"] == "site.cursor_invalid"


async def test_the_screens_do_what_the_api_does(app: RunningApp, acme: Author) -> None:
    globex, counted = await author(app, "Globex"), Counted()
    empty = await counted.ask(acme, "GET /redirects")
    assert "No address leads elsewhere yet" in empty.text
    first = await counted.ask(
        acme, "POST /api/redirects", body={"from_path": "/a", "to": "https://x.example"}
    )
    one = {"redirect_id": first.json["redirect_id"]}
    await counted.ask(acme, "GET /api/redirects/{redirect_id}", **one)
    for method, path in (
        ("GET", f"/api/redirects/{one['redirect_id']}"),
        ("DELETE", f"/api/redirects/{one['redirect_id']}"),
    ):
        assert (await globex.send(method, path)).status == 404
    await counted.ask(acme, "DELETE /api/redirects/{redirect_id}", **one)
    await acme.show("Home", "/")
    await counted.ask(acme, "GET /redirects/new")
    refused = await acme.submit("/redirects", from_path="/", to="https://kept.example", status="302")
    assert refused.status == 409
    assert "https://kept.example" in refused.text.replace("&#x2f;", "/")
    assert "A published page is at" in refused.text
    await counted.ask(globex, "POST /redirects", form={"from_path": "/b", "to": "", "status": "410"})
    await counted.ask(acme, "POST /redirects", form={"from_path": "/b", "to": "/", "status": "302"})
    assert "/b" in (await counted.ask(acme, "GET /redirects")).text
    await counted.ask(acme, "GET /redirects/import")
    form = {"csv": "/c,/\n/,/c"}
    page = parse((await counted.ask(acme, "POST /redirects/check", form=form)).text)
    assert "A page is there" in page.text
    assert "Import 1" in [e.text for e in page.all("button", "button")]
    assert (await acme.submit("/redirects/check", csv="")).status == 422
    await counted.ask(acme, "POST /redirects/import", form=form)
    await counted.ask(acme, "POST /api/redirects/check", body=form)
    await counted.ask(acme, "POST /api/redirects/import", body=form)
    listed = await counted.ask(acme, "GET /api/redirects")
    await counted.ask(acme, "GET /api/redirects/export")
    other = listed.json["redirects"][0]["redirect_id"]
    await counted.ask(acme, "POST /redirects/{redirect_id}/delete", form={}, redirect_id=other)
    assert counted.seen == {f"{route.method} {route.path}" for route in ROUTES}
    viewer = await author(app, "Viewer", role="viewer", tenant_id=acme.tenant_id)
    assert (await redirect(viewer, "/z", "/")).status == 403
    assert "Delete" not in (await viewer.get("/redirects")).text

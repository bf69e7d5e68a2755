"""WordPress's own test data and exports made here, sent over HTTP: everything in them is accounted for, what was hidden stays
hidden, nothing runs, and every link that led somewhere still does.

Covers: book, classic, convert, html_blocks, html_tree, html_text, items, places, reading, readers, taking, undoing, web, words, wordpress, wxr.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from shipworthy.rooms.site.addresses import encoded
from shipworthy.rooms.site.exchange.items import Unreadable
from shipworthy.rooms.site.exchange.wxr import Channel, read_wxr
from tests.rooms.site.conftest import Author, Clock, author
from tests.rooms.site.exchange.conftest import act, bring, items, list_pages, send, state, work, zipped
from tests.support.app import RunningApp
from tests.support.page import parse
from tests.support.pictures import drawing, file_of

DATA = Path(os.environ.get("SHIPWORTHY_TEST_DATA", "../shared/data")) / "wxr"
WP = "{https://wordpress.org/export/1.2/}"
_RUNS = re.compile(
    r"<script(?! type=\"(?:application/ld\+json|speculationrules)\")|<iframe|<object|<embed|<form|\son\w+=|(?:href|src)=\"?\s*java\s*script:",
    re.IGNORECASE,
)


def exports() -> list[Path]:
    found = sorted(DATA.glob("*.xml"))
    if not found:
        pytest.skip(f"WordPress's test data is not at {DATA}; set SHIPWORTHY_TEST_DATA")
    return found


def entry(
    post_id: int,
    title: str = "A post",
    content: str = "",
    *,
    kind: str = "post",
    status: str = "publish",
    path: str = "",
    meta: dict[str, str] | None = None,
    **texts: str,
) -> str:
    told = {
        "post_date_gmt": "2024-05-01 10:00:00",
        "post_name": title.lower().replace(" ", "-"),
        "post_parent": "0",
    } | texts
    fields = "".join(f"<wp:{name}><![CDATA[{value}]]></wp:{name}>" for name, value in told.items())
    more = "".join(
        f"<wp:postmeta><wp:meta_key>{key}</wp:meta_key><wp:meta_value><![CDATA[{value}]]></wp:meta_value></wp:postmeta>"
        for key, value in (meta or {}).items()
    )
    link = f"https://old.example{path or '/' + told['post_name'] + '/'}"
    return (
        f"<item><title><![CDATA[{title}]]></title><link>{link}</link><content:encoded><![CDATA[{content}]]></content:encoded>"
        f"<wp:post_id>{post_id}</wp:post_id><wp:post_type>{kind}</wp:post_type><wp:status>{status}</wp:status>{fields}{more}</item>"
    )


def export(*entries: str, head: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>Old</title><link>https://old.example</link>'
        "<wp:base_blog_url>https://old.example</wp:base_blog_url>" + "".join(entries) + "</channel></rss>"
    ).encode()


def picture(post_id: int, file: str, **more: Any) -> str:
    return entry(
        post_id,
        file,
        kind="attachment",
        status="inherit",
        attachment_url=f"https://old.example/wp-content/uploads/2024/05/{file}",
        **more,
    )


@pytest.mark.parametrize("file", [pytest.param(i, id=f"export-{i}") for i in range(1)])
async def test_everything_of_an_export_is_accounted_for_and_what_was_hidden_stays_hidden(
    acme: Author, file: int
) -> None:
    data = exports()[file].read_bytes()
    sent = await send(acme, data, "export.xml")
    assert (sent["status"], sent["kind"]) == ("read", "wordpress")
    assert await list_pages(acme) == []  # a look changes nothing
    found = await items(acme, sent["import_id"])
    there = ElementTree.fromstring(data).findall("channel/item")
    counted = Counter(item["source"].partition("#")[2] for item in found if item["label"] != "address")
    for item in there:
        assert counted[item.findtext(f"{WP}post_id")] >= 1
    assert (
        sum(item["label"] not in ("address", "category", "tag", "term") for item in found)
        == len(there)
        == 180
    )
    assert all(
        item["outcome"] == "new" or (item["outcome"] == "skipped" and item["reason"]) for item in found
    )
    foreseen = {(item["source"], item["path"]) for item in found if item["outcome"] == "new"}

    taken = await act(acme, sent["import_id"], "take")
    assert taken["status"] == "taken"
    done = await items(acme, sent["import_id"], outcome="done")
    assert {(item["source"], item["path"]) for item in done} == foreseen  # what was said happened
    by_id = {item["source"].partition("#")[2]: item for item in done if item["kind"] == "page"}
    pages = {page["page_id"]: page for page in await list_pages(acme)}
    await work(acme.app, "site.sitemap")
    sitemap = (await acme.visitor.ask("/sitemap.xml")).text
    feeds = [(await acme.visitor.ask(path)).text for path in ("/feed.xml", "/atom.xml")]
    seen = Counter[str]()
    for item in there:
        if item.findtext(f"{WP}post_type") not in ("post", "page"):
            continue
        came = by_id[item.findtext(f"{WP}post_id", "")]
        page = pages[came["made_id"]]
        is_public = item.findtext(f"{WP}status") == "publish" and not item.findtext(f"{WP}post_password")
        assert page["status"] == ("published" if is_public else "draft"), came
        seen[page["status"]] += 1
        answer = await acme.visitor.ask(encoded(came["path"]))
        if is_public:
            assert answer.status == 200 and not _RUNS.search(
                answer.text.partition("<main")[2].partition("</main>")[0]
            )
        else:
            assert answer.status == 404
            assert all(
                f"{encoded(came['path'])}<" not in text and f'{encoded(came["path"])}"' not in text
                for text in (sitemap, *feeds)
            )
            assert came["notes"], (
                "people are told why it is a draft" if item.findtext(f"{WP}post_password") else came
            )
        old = item.findtext("link", "").partition("wpthemetestdata.wordpress.com")[2]
        if is_public and "?" not in old:
            moved = await acme.visitor.ask(old)
            assert moved.status in (200, 308, 301)
    assert seen["published"] >= 60 and seen["draft"] >= 3
    stored = await acme.app.admin(
        "select blocks::text as blocks, top_html || intro_html || body_html as html from page_version"
    )
    assert len(stored) == seen.total()
    assert not any("<script" in row["blocks"] or _RUNS.search(row["html"]) for row in stored)

    # Twice is once, whether the file comes again or another export of the same website.
    again = await send(acme, data, "export.xml")
    assert again["import_id"] == sent["import_id"]
    newer = await send(acme, data.replace(b"<generator>", b"<generator>newer "), "newer.xml")
    assert newer["import_id"] != sent["import_id"]
    outcomes = Counter(item["outcome"] for item in await items(acme, newer["import_id"]))
    assert set(outcomes) == {"known", "skipped"}

    gone = await act(acme, sent["import_id"], "undo")
    assert gone["status"] == "undone" and await list_pages(acme) == []
    (left,) = await acme.app.admin(
        "select (select count(*) from page) + (select count(*) from redirect) + (select count(*) from page_version) as n"
    )
    assert left["n"] == 0


async def test_each_status_is_kept_and_a_day_to_come_is_planned(acme: Author, clock: Clock) -> None:
    later = "2026-06-01 08:00:00"
    data = export(
        entry(1, "Public"),
        entry(2, "Secret", status="publish", post_password="open sesame"),
        entry(3, "Private", status="private"),
        entry(4, "Waiting", status="pending"),
        entry(5, "Half", status="draft", path="/?p=5"),
        entry(6, "Later", status="future", post_date_gmt=later),
        entry(7, "Missed", status="future", post_date_gmt="2020-01-01 08:00:00"),
        entry(8, "Thrown", status="trash"),
        entry(9, "Strange", status="embargoed"),
    )
    import_id = await bring(acme, data)
    found = {item["title"]: item for item in await items(acme, import_id)}
    pages = {page["title"]: page for page in await list_pages(acme)}
    assert {title for title, page in pages.items() if page["status"] == "published"} == {"Public"}
    assert found["Thrown"]["outcome"] == "skipped" and "bin" in found["Thrown"]["reason"]
    for title, said in {
        "Secret": "password",
        "Private": "private",
        "Waiting": "review",
        "Missed": "passed",
        "Strange": "embargoed",
    }.items():
        assert said in " ".join(found[title]["notes"]), title
    for title in ("Secret", "Private", "Waiting", "Half", "Missed", "Strange", "Later"):
        assert pages[title]["status"] == "draft"
        assert (await acme.visitor.ask(pages[title]["path"])).status == 404
    (plan,) = await acme.app.admin("select publish_at from page where publish_at is not null")
    assert plan["publish_at"].isoformat().startswith("2026-06-01T08:00")
    (shown,) = await acme.app.admin(
        "select published_at, content_changed_at from page where status = 'published'"
    )
    assert (
        shown["published_at"].isoformat()
        == shown["content_changed_at"].isoformat()
        == "2024-05-01T10:00:00+00:00"
    )


async def test_pictures_come_along_and_are_shown_where_they_stood(acme: Author) -> None:
    content = (
        '<!-- wp:image {"id":7} --><figure class="wp-block-image"><img src="https://old.example/wp-content/uploads/2024/05/'
        'shop-300x200.jpg" alt="Our shop" class="wp-image-7"/><figcaption>In May</figcaption></figure><!-- /wp:image -->'
        '<!-- wp:paragraph --><p>See <a href="https://old.example/about/#team">us</a>, <a href="http://www.old.example/?page_id=3">'
        'us again</a> and <a href="https://other.example/x">others</a>.</p><!-- /wp:paragraph -->'
        '<p><img src="https://old.example/wp-content/uploads/2024/05/lost.png" alt="Lost"/></p>'
        '[gallery ids="7,8"]'
    )
    xml = export(
        entry(3, "About", "Words.", kind="page", path="/about/"),
        entry(4, "News", content),
        picture(7, "shop.jpg", post_parent="4", path="/news/shop/"),
        picture(8, "lost.png"),
        picture(9, "song.mp3"),
        picture(10, "bomb.png"),
    )
    shop = file_of(drawing(640, 400))
    files = {
        "export.xml": xml,
        "uploads/2024/05/shop.jpg": shop,
        "uploads/2023/01/shop.jpg": b"another",
        "uploads/2024/05/bomb.png": b"no picture",
    }
    import_id = await bring(acme, zipped(files))
    found = {item["title"]: item for item in await items(acme, import_id) if item["kind"] == "picture"}
    assert {title: item["outcome"] for title, item in found.items()} == {
        "shop.jpg": "done", "lost.png": "skipped", "song.mp3": "skipped", "bomb.png": "skipped",
    }  # fmt: skip
    assert "lost.png" in " ".join(found["lost.png"]["notes"])
    (news,) = [page for page in await list_pages(acme) if page["title"] == "News"]
    blocks = (await acme.get(f"/api/pages/{news['page_id']}")).json["blocks"]
    image = next(block["data"] for block in blocks if block["type"] == "image")
    assert (image["asset"], image["alt"], image["caption"]) == (
        found["shop.jpg"]["made_id"],
        "Our shop",
        "In May",
    )
    gallery = next(block["data"] for block in blocks if block["type"] == "gallery")
    assert [one["asset"] for one in gallery["pictures"]] == [image["asset"]]
    text = "\n".join(block["data"]["body"] for block in blocks if block["type"] == "text")
    assert (
        "[us](/about#team)" in text and "[us again](/about)" in text and "(https://other.example/x)" in text
    )
    assert "![Lost](https://old.example/wp-content/uploads/2024/05/lost.png)" in text
    # The page WordPress made for the picture leads to the page that shows it.
    moved = await acme.visitor.ask("/news/shop/")
    assert moved.status == 301 and moved.header("location").endswith("/news")


async def test_old_addresses_lead_on_and_taken_ones_are_left_alone(acme: Author) -> None:
    own = await acme.show("Ours", "/about")
    xml = export(
        entry(1, "About them", "Theirs", kind="page", path="/about/"),
        entry(2, "Renamed", "Words", path="/2024/05/renamed/", meta={"_wp_old_slug": "before"}),
        entry(3, "Ελληνικά", "Λέξεις", path="/%ce%b5%ce%bb/"),
    )
    import_id = await bring(acme, xml)
    found = {item["title"]: item for item in await items(acme, import_id) if item["kind"] == "page"}
    assert found["About them"]["path"].startswith("/about-") and "/about" in " ".join(
        found["About them"]["notes"]
    )
    assert (await acme.visitor.ask("/about")).text.count("Ours") >= 1
    old = await acme.visitor.ask("/2024/05/before/")
    assert old.status == 301 and old.header("location").endswith("/2024/05/renamed")
    assert found["Ελληνικά"]["path"] == "/ελ" and (await acme.visitor.ask("/%CE%B5%CE%BB")).status == 200
    # Taking it out leaves what was here before.
    await act(acme, import_id, "undo")
    assert [page["page_id"] for page in await list_pages(acme)] == [own["page_id"]]
    assert (await acme.visitor.ask("/2024/05/before")).status == 404


async def test_what_somebody_changed_stays_when_an_import_is_taken_out(acme: Author) -> None:
    import_id = await bring(acme, export(entry(1, "One", "a"), entry(2, "Two", "b")))
    (two,) = [page for page in await list_pages(acme) if page["title"] == "Two"]
    whole = (await acme.get(f"/api/pages/{two['page_id']}")).json
    await acme.edit(whole, title="Two, ours")
    await act(acme, import_id, "undo")
    assert [page["title"] for page in await list_pages(acme)] == ["Two, ours"]
    outcomes = {item["title"]: item["outcome"] for item in await items(acme, import_id)}
    assert outcomes == {"One": "undone", "Two": "kept"}
    # It can come again: what was taken out is new, what stayed is not doubled.
    again = await send(acme, export(entry(1, "One", "a"), entry(2, "Two", "b")))
    assert again["import_id"] != import_id and again["status"] == "read"


async def test_a_menu_entry_puts_its_page_into_the_menu(acme: Author) -> None:
    entry_of = {"_menu_item_type": "post_type", "_menu_item_object_id": "1"}
    link = {"_menu_item_type": "custom", "_menu_item_object_id": "9", "_menu_item_url": "https://x.example"}
    xml = export(
        entry(1, "Services", kind="page"),
        entry(2, "Hidden", kind="page"),
        entry(8, "", kind="nav_menu_item", meta=entry_of),
        entry(9, "X", kind="nav_menu_item", meta=link),
    )
    await bring(acme, xml)
    page = parse((await acme.visitor.ask("/hidden")).text)
    menu = [
        element.attributes["href"]
        for element in page.all("a")
        if element.attributes.get("href") == "/services"
    ]
    assert menu and "/hidden" not in [
        e.attributes.get("href") for e in page.all("a") if e.attributes.get("href") == "/x"
    ]


HOSTILE = [
    ('<script>alert(1)</script><p onclick="x()">Hello</p>', "Hello"),
    ('<p><a href="java\tscript:alert(1)">here</a></p>', "here"),
    ("<p>[click](javascript:alert(1)) <b>bold</b></p>", "bold"),
    ('<iframe src="https://evil.example/"></iframe>', "evil.example"),
    ('<svg onload="alert(1)"><text>drawn</text></svg><p>after</p>', "after"),
    ('<table><tr><td onmouseover="x()">cell</td></tr></table>', "cell"),
    (
        '<!-- wp:html --><style>*{}</style><form action="/x"><input></form><dl><dt>term</dt><dd>what</dd></dl><!-- /wp:html -->',
        "term",
    ),
    ("<p>&lt;script&gt;alert(1)&lt;/script&gt; shown</p>", "shown"),
    ("<img src=x onerror=alert(1)><blockquote><p>said</p><cite>Her</cite></blockquote>", "said"),
    ('<p>data <a href="data:text/html,<script>alert(1)</script>">link</a></p>', "link"),
]


async def test_nothing_that_runs_comes_through(acme: Author) -> None:
    xml = export(*(entry(n, f"Post {n}", content) for n, (content, _) in enumerate(HOSTILE, 1)))
    await bring(acme, xml)
    for n, (_, shown) in enumerate(HOSTILE, 1):
        answer = await acme.visitor.ask(f"/post-{n}")
        body = answer.text.partition("<main")[2].partition("</main>")[0]
        assert shown in body, (n, body)
        assert not _RUNS.search(body), (n, body)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (export(head='<!DOCTYPE rss [<!ENTITY a "b">]>'), "document type"),
        (export(head='<!DOCTYPE rss SYSTEM "file:///etc/passwd">'), "document type"),
        (b"<?xml version='1.0'?><feed></feed>", "no export of WordPress"),
        (export(entry(1))[:-40], "no XML"),
        (b"%PDF-1.7", "neither"),
        ("﻿".encode("utf-16") + b"<rss/>", "neither"),
        (export("<item><title>" + "x" * 9_000_000 + "</title></item>"), "larger than"),
    ],
    ids=["entity", "external", "feed", "cut", "pdf", "utf-16", "huge-item"],
)
async def test_a_file_that_cannot_be_is_refused_and_leaves_nothing(
    acme: Author, data: bytes, said: str
) -> None:
    sent = await send(acme, data)
    assert sent["status"] == "refused" and said in sent["refusal"], sent
    assert await items(acme, sent["import_id"]) == []
    answer = await acme.send("POST", f"/api/imports/{sent['import_id']}/take")
    assert answer.status == 409
    assert (await acme.send("DELETE", f"/api/imports/{sent['import_id']}")).status == 204


def test_a_billion_laughs_are_never_laughed() -> None:
    bomb = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    data = export(entry(1, "&l9;"), head=f'<!DOCTYPE rss [<!ENTITY l0 "ha">{bomb}]>')
    with pytest.raises(Unreadable) as refused:
        list(read_wxr([data], Channel()))
    assert refused.value.note == ["xml_doctype"]


def test_a_long_file_is_read_piece_by_piece() -> None:
    head, _, tail = export("@").partition(b"@")

    def chunks() -> Any:
        yield head
        for n in range(4_000):
            yield entry(n, content="<p>word</p>" * 20).encode()
        yield tail

    import tracemalloc

    tracemalloc.start()
    count = sum(1 for _ in read_wxr(chunks(), Channel()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 4_000 and peak < 1_500_000


async def test_twenty_times_at_once_is_once(acme: Author) -> None:
    sent = await send(acme, export(entry(1, "Once", "a")))
    path = f"/api/imports/{sent['import_id']}/take"
    answers = await asyncio.gather(*(acme.send("POST", path) for _ in range(20)))
    assert {answer.status for answer in answers} <= {200, 409, 503}
    await work(acme.app)
    assert [page["title"] for page in await list_pages(acme)] == ["Once"]
    assert (await state(acme, sent["import_id"]))["status"] == "taken"


async def test_neighbours_and_readers_see_and_do_nothing(app: RunningApp, acme: Author) -> None:
    sent = await send(acme, export(entry(1, "Ours", "a")))
    other, viewer = (
        await author(app, "Beta"),
        await author(app, "Acme", role="viewer", tenant_id=acme.tenant_id),
    )
    for method, path in (
        ("GET", ""),
        ("GET", "/items"),
        ("POST", "/take"),
        ("POST", "/undo"),
        ("DELETE", ""),
    ):
        assert (await other.send(method, f"/api/imports/{sent['import_id']}{path}")).status == 404
    assert (await viewer.get(f"/api/imports/{sent['import_id']}")).status == 200
    assert (await viewer.send("POST", f"/api/imports/{sent['import_id']}/take")).status == 403
    assert (await viewer.send("POST", "/api/imports", {"file": "UEsDBA=="})).status == 403
    # The neighbour may bring the same file, and it is another's.
    assert (await send(other, export(entry(1, "Ours", "a"))))["import_id"] != sent["import_id"]

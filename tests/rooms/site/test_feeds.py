"""Feeds: what was published last, as RSS and Atom, each entry known by its page wherever that moves."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given

from shipworthy.rooms.site.feeds import atom, rss
from tests.rooms.site.conftest import Author, Clock
from tests.rooms.site.test_head import ORIGIN, PAGE, words
from tests.support.page import parse

ATOM = "{http://www.w3.org/2005/Atom}"
ROW = {**PAGE, "site_id": PAGE["page_id"]}


@given(words, words)
def test_whatever_is_written_a_feed_is_xml_and_says_it(title: str, description: str) -> None:
    row = {**ROW, "title": title, "description": description}
    there = "".join(char for char in title if char not in "\ufffe\uffff")
    item = ElementTree.fromstring(rss([row], site_origin=ORIGIN, locale="en")).find("channel/item")
    entry = ElementTree.fromstring(atom([row], site_origin=ORIGIN, locale="en")).find(f"{ATOM}entry")
    assert item is not None
    assert entry is not None
    assert item.findtext("title") == entry.findtext(f"{ATOM}title") == there
    assert item.findtext("guid") == entry.findtext(f"{ATOM}id") == f"urn:uuid:{row['page_id']}"


async def test_a_site_has_both_and_its_pages_say_where(acme: Author, clock: Clock) -> None:
    await acme.show("Home", "/")
    assert (await acme.visitor.ask("/feed.xml")).status == 404
    for n in range(3):
        clock.move(60)
        await acme.show(f"News {n}", f"/news/{n}", description=f"About {n} & more.")
    read = await acme.visitor.ask("/feed.xml")
    assert (read.status, read.header("content-type")) == (200, "application/rss+xml; charset=utf-8")
    items = ElementTree.fromstring(read.body).findall("channel/item")
    assert [item.findtext("title") for item in items] == ["News 2", "News 1", "News 0"]
    entries = ElementTree.fromstring((await acme.visitor.ask("/atom.xml")).body).findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}summary") for entry in entries] == [
        f"About {n} & more." for n in (2, 1, 0)
    ]
    named = [
        e.attributes
        for e in parse(await acme.visitor.text("/")).all("link")
        if e.attributes.get("rel") == "alternate"
    ]
    assert [(a["type"], a["href"]) for a in named] == [
        ("application/rss+xml", "/feed.xml"), ("application/atom+xml", "/atom.xml"),
    ]  # fmt: skip


async def test_what_is_taken_back_is_taken_out(acme: Author) -> None:
    page = await acme.show("News", "/news")
    assert (await acme.visitor.ask("/atom.xml")).status == 200
    await acme.unpublish(page)
    assert (await acme.visitor.ask("/atom.xml")).status == 404

"""The head of a page follows from the page and its site's host alone, whatever people write."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.rooms.site.addresses import canonical_path, requested_path
from shipworthy.rooms.site.head import Head, card_address, description_of, head_of, title_of

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ORIGIN = "https://acme.example"
PAGE: dict[str, Any] = {
    "page_id": uuid.UUID(int=7),
    "path": "/journal/first",
    "title": "First",
    "description": "What came first.",
    "intro_html": "<p>Hello.</p>",
    "published_at": AT,
    "content_changed_at": AT + timedelta(days=1),
    "site_title": "Acme",
    "tagline": "Since 1998",
    "json_ld": [],
    "menu_items": [],
    "crumbs": [],
    "accent": "ocean",
}
words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=120)
segments = st.lists(st.text("abcäöü日0-_.~", min_size=1, max_size=9), max_size=4)
paths = segments.map(lambda parts: canonical_path("/" + "/".join(parts)))


def head(**changes: Any) -> Head:
    return head_of({**PAGE, **changes}, site_origin=ORIGIN, locale="en")


def graph(found: Head) -> dict[str, dict[str, Any]]:
    """Return the parts of the graph by type."""
    document = json.loads(found.json_ld)
    assert document["@context"] == "https://schema.org"
    return {part["@type"]: part for part in document["@graph"]}


@given(title=words, site_title=words, tagline=words, description=words, path=paths)
def test_whatever_is_written_the_head_is_whole(**page: str) -> None:
    found = head(**page)
    assert found.canonical.startswith(f"{ORIGIN}/")
    assert requested_path(found.canonical.removeprefix(ORIGIN).encode()) == page["path"]
    assert unquote(found.canonical) == ORIGIN + page["path"]
    assert page["title"] in found.title
    assert page["site_title"] in found.title
    assert "<" not in found.json_ld
    said = {name: content for _, name, content in found.social}
    assert (said["og:title"], said["og:url"]) == (page["title"], found.canonical)
    assert all(content for _, _, content in found.social)
    parts = graph(found)
    assert parts["WebPage"]["name"] == page["title"]
    assert parts["WebPage"]["url"] == found.canonical
    assert parts["WebSite"]["name"] == parts["Organization"]["name"] == page["site_title"]


@given(paths, words)
def test_every_name_in_the_graph_is_of_something_in_it(path: str, title: str) -> None:
    parts = json.loads(head(path=path, title=title).json_ld)["@graph"]
    names = [part["@id"] for part in parts]
    assert len(set(names)) == len(names)
    referred = {v["@id"] for part in parts for v in part.values() if isinstance(v, dict) and len(v) == 1}
    assert referred <= set(names)


@given(paths, words, words)
def test_the_canonical_address_depends_on_nothing_but_path_and_host(path: str, one: str, other: str) -> None:
    assert head(path=path, title=one).canonical == head(path=path, title=other, description=one).canonical


def test_a_page_below_another_is_an_article_with_its_days() -> None:
    parts = graph(head())
    assert parts["Article"]["headline"] == "First"
    assert parts["Article"]["datePublished"] == "2026-03-01T12:30:00+00:00"
    assert parts["Article"]["dateModified"] == "2026-03-02T12:30:00+00:00"
    assert parts["Article"]["mainEntityOfPage"]["@id"] == parts["WebPage"]["@id"]
    said = {name: content for _, name, content in head().social}
    assert (said["og:type"], said["article:published_time"]) == ("article", "2026-03-01T12:30:00+00:00")
    top = head(path="/journal")
    assert "Article" not in graph(top)
    assert ("property", "og:type", "website") in top.social


def test_a_page_that_is_not_published_has_no_days() -> None:
    draft = head(published_at=None, content_changed_at=None)
    assert "datePublished" not in graph(draft)["WebPage"]
    assert not [name for _, name, _ in draft.social if name.startswith("article:")]


def test_what_stands_on_a_card_is_what_names_it() -> None:
    assert card_address(PAGE) == card_address({**PAGE, "description": "Other.", "path": "/moved"})
    for field, value in (
        ("title", "x"),
        ("site_title", "x"),
        ("accent", "pine"),
        ("page_id", uuid.UUID(int=8)),
    ):
        assert card_address(PAGE) != card_address({**PAGE, field: value})


def test_a_page_without_description_gets_its_first_words() -> None:
    assert description_of("Given.", "<p>Other.</p>") == "Given."
    assert description_of("", "<p>A &amp; <em>B</em>.</p>\n<p>C</p>") == "A & B. C"
    long = description_of("", "<p>" + "word " * 100 + "</p>")
    assert len(long) <= 157
    assert long.endswith("word …")


def test_the_sites_name_stands_once_in_a_title() -> None:
    assert title_of("Contact", "Acme") == "Contact · Acme"
    assert title_of("Welcome to Acme", "Acme") == "Welcome to Acme"

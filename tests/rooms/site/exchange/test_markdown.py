"""A folder of Markdown, zipped and sent: what stands above each text is understood, what lies beside it comes along.

Covers: front_matter, markdown_blocks, markdown_folder, seed.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.rooms.site.exchange.front_matter import BadFrontMatter, parted
from shipworthy.rooms.site.exchange.html_blocks import blocks_of_html
from shipworthy.rooms.site.exchange.markdown_blocks import blocks_of_markdown
from shipworthy.rooms.site.exchange.places import Places
from shipworthy.rooms.site.markup import render_markdown
from tests.rooms.site.assets.test_image import png
from tests.rooms.site.conftest import Author
from tests.rooms.site.exchange.conftest import act, bring, items, list_pages, send, work, zipped
from tests.support.pictures import drawing, file_of

POST = """---
title: "A trip: north"
date: 2024-03-01
description: What we saw.
slug: north
tags: [travel, snow]
aliases:
  - /old/north.html
  - north-2
menu: main
---
We went [home](../about.md) and [further]({{< ref "later.md" >}}).

![The boat](boat.png "At the quay")

---

<figure><img src="boat.png" alt="Again"></figure>

```text
[not a link](../about.md)
```
"""


async def test_a_folder_becomes_pages_with_their_pictures_and_old_addresses(acme: Author) -> None:
    files: dict[str, bytes | str] = {
        "blog/content/posts/trip.md": POST,
        "blog/content/posts/boat.png": file_of(drawing(), "PNG"),
        "blog/content/posts/later.md": "---\ntitle: Later\ndate: 2026-12-24T10:00:00Z\n---\nSoon.",
        "blog/content/about.md": "# About us\n\nWords.",
        "blog/content/half.md": "+++\ntitle = 'Half'\ndraft = true\n+++\nHalf.",
        "blog/_posts/2023-02-03-jekyll-day.md": "---\ntitle: Jekyll\npublished: false\n---\nx",
        "blog/content/broken.md": "---\ntitle\n---\nx",
        "blog/content/latin.md": "Grüße".encode("latin-1"),
        "blog/config.yaml": "a: b",
    }
    sent = await send(acme, zipped(files), "blog.zip")
    assert (sent["status"], sent["kind"]) == ("read", "markdown"), sent
    assert await list_pages(acme) == []
    taken = await act(acme, sent["import_id"], "take")
    assert taken["status"] == "taken"
    found = {
        item["title"]: item for item in await items(acme, sent["import_id"]) if item["label"] != "address"
    }
    assert len(found) == len(files)
    assert {title: item["path"] for title, item in found.items() if item["kind"] == "page"} == {
        "A trip: north": "/posts/north", "Later": "/posts/later", "About us": "/about", "Half": "/half",
        "Jekyll": "/jekyll-day",
    }  # fmt: skip
    pages = {page["title"]: page for page in await list_pages(acme)}
    assert {title for title, page in pages.items() if page["status"] == "published"} == {
        "A trip: north",
        "About us",
    }
    assert "above" in found["broken.md"]["reason"] and "UTF-8" in found["latin.md"]["reason"]
    assert "Markdown" in found["blog/config.yaml"]["reason"]
    whole = (await acme.get(f"/api/pages/{pages['A trip: north']['page_id']}")).json
    assert whole["description"] == "What we saw." and whole["in_menu"] is True
    assert [block["type"] for block in whole["blocks"]] == ["text", "image", "divider", "image", "text"]
    first, image, _, _, last = (block["data"] for block in whole["blocks"])
    assert first["body"] == "We went [home](/about) and [further](/posts/later)."
    assert (image["asset"], image["alt"], image["caption"]) == (
        found["boat.png"]["made_id"],
        "The boat",
        "At the quay",
    )
    assert "[not a link](../about.md)" in last["body"]
    for old in ("/old/north.html", "/posts/north-2"):
        moved = await acme.visitor.ask(old)
        assert moved.status == 301 and moved.header("location").endswith("/posts/north"), old
    (plan,) = await acme.app.admin("select publish_at from page where publish_at is not null")
    assert plan["publish_at"].isoformat().startswith("2026-12-24T10:00")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
async def test_a_picture_that_is_too_much_is_left_out_and_the_rest_comes(acme: Author) -> None:
    files = {"a.md": "# A\n\nText ![x](b.png)", "b.png": png(10_000, 10_000, b"")}
    import_id = await bring(acme, zipped(files))
    found = {item["title"]: item for item in await items(acme, import_id)}
    assert found["A"]["outcome"] == "done" and found["b.png"]["outcome"] == "skipped"
    assert "10000 x 10000" in " ".join(found["b.png"]["notes"])


async def test_a_folder_of_many_files_comes_in_and_goes_in_several_jobs(acme: Author) -> None:
    count = 120  # three jobs, as ten thousand are two hundred
    files: dict[str, bytes | str] = {
        f"p/{n:05}.md": f"---\ntitle: Page {n}\n---\nText {n} [next]({(n + 1) % count:05}.md)"
        for n in range(count)
    }
    files["other.md"] = "# Other"
    import_id = await bring(acme, zipped(files))
    assert len(await list_pages(acme)) == count + 1
    await work(acme.app, "site.sitemap")
    assert (await acme.visitor.ask("/sitemap.xml")).text.count("<loc>") == count + 1
    await act(acme, import_id, "undo")
    assert await list_pages(acme) == []


@pytest.mark.parametrize(
    ("head", "facts"),
    [
        ("title: A\ntags:\n- x\n- y", {"title": "A", "tags": ["x", "y"]}),
        ("title: 'It''s'\nlist: [a, \"b, c\"]", {"title": "It's", "list": ["a", "b, c"]}),
        ("text: >\n  two\n  lines\nnext: 1", {"text": "two lines", "next": "1"}),
        ("cover:\n  image: a.png\nTitle: B # said", {"cover": "", "title": "B"}),
        ("# remark\n\nurl: https://x.example/a", {"url": "https://x.example/a"}),
        ("a: &anchor b\nc: *anchor", {"a": "&anchor b", "c": "*anchor"}),
    ],
)
def test_what_people_write_above_a_text_is_understood(head: str, facts: dict[str, object]) -> None:
    assert parted(f"---\n{head}\n---\nbody") == (facts, "body")


def test_a_text_without_anything_above_it_is_a_text() -> None:
    assert parted("Just words\n\n---\n\nmore") == ({}, "Just words\n\n---\n\nmore")


@given(st.text(max_size=300))
def test_no_front_matter_breaks_the_reader(text: str) -> None:
    for fence in ("---", "+++"):
        try:
            facts, _ = parted(f"{fence}\n{text}\n{fence}\nbody")
        except BadFrontMatter:
            continue
        assert all(isinstance(name, str) for name in facts)


@given(st.text(max_size=400))
def test_any_text_of_any_format_becomes_blocks_that_can_be_shown(text: str) -> None:
    for made in (blocks_of_html(text, places=Places()), blocks_of_markdown(text, places=Places())):
        for block in made.blocks:
            if block["type"] == "text":
                render_markdown(block["data"]["body"])


_WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.sampled_from("*_[]<>#`&!~ -+.1"),
    max_size=60,
)


@given(_WORDS)
def test_words_of_html_stay_the_words_they_were(words: str) -> None:
    """What a browser showed of a paragraph is what it shows of the Markdown made of it."""
    from html import escape, unescape

    import nh3

    made = blocks_of_html(
        f"<!-- wp:paragraph --><p>{escape(words)}</p><!-- /wp:paragraph -->", places=Places()
    )
    shown = "".join(
        render_markdown(block["data"]["body"]).intro + render_markdown(block["data"]["body"]).rest
        for block in made.blocks
    )
    if "[" in words:  # what stands in square brackets may be WordPress's own
        return
    assert " ".join(unescape(nh3.clean(shown, tags=set())).split()) == " ".join(words.split())

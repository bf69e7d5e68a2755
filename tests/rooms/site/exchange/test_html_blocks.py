"""HTML as people wrote it elsewhere, as blocks of this room: what it said, it says."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from shipworthy.rooms.site.exchange.html_blocks import blocks_of_html
from shipworthy.rooms.site.exchange.places import Places, Shown

ASSET = uuid.UUID(int=7)
PLACES = Places(
    origin="https://old.example",
    paths={"/a": "/new-a"},
    ids={"5": "/five"},
    pictures={"old.example/up/x.jpg": Shown(ASSET, "", "/_a/k/x-640.jpg")},
    picture_ids={"7": Shown(ASSET, "", "/_a/k/x-640.jpg")},
)


def made(html: str) -> list[tuple[str, Any]]:
    blocks = blocks_of_html(html, places=PLACES).blocks
    return [(block["type"], block["data"].get("body", block["data"])) for block in blocks]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("One\nline\n\nTwo", "One\\\nline\n\nTwo"),
        ("<h2>Big <em>words</em></h2><p>a <strong> b </strong>c</p>", "## Big *words*\n\na  **b** c"),
        ("<p>1. no list</p><p># no heading</p><p>- no entry</p>", "1\\. no list\n\n\\# no heading\n\n\\- no entry"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n\n  - b\n- c"),
        ("<ol start='3'><li>a</li><li>b</li></ol>", "3. a\n4. b"),
        ("<pre>a\n\n  b</pre>", "```\na\n\n  b\n```"),
        ("<p><code>a`b</code> snake_case_name 2*3</p>", "``a`b`` snake_case_name 2\\*3"),
        ('<p><a href="/a/">in</a> <a href="?p=5">id</a></p>', "[in](/new-a) [id](/five)"),
        ('<p><a href="javascript:x()">bad</a></p>', "bad"),
        ("<div><div><p>deep</p></div>words</div>", "deep\n\nwords"),
        ("a<br><br>b", "a\\\nb"),
    ],
)  # fmt: skip
def test_words_become_markdown(html: str, text: str) -> None:
    (block,) = made(html)
    assert block == ("text", text)


def test_things_with_a_block_of_their_own_become_it() -> None:
    html = (
        "<p>Before</p><hr><blockquote><p>Said</p><cite>Her</cite></blockquote>"
        "<table><thead><tr><th>A</th><th>B</th></tr></thead><tr><td>1</td><td>2</td></tr></table>"
        '<div class="wp-block-button"><a href="/a">Go</a></div>'
        '<figure><img src="https://www.old.example/up/x-300x200.jpg?w=3" alt="X"><figcaption>Cap</figcaption></figure>'
        '[caption id="a" width="3"]<img src="/up/x.jpg" alt="Y"/> Under it[/caption]'
    )
    shown = {"asset": str(ASSET), "alt": "X", "caption": "Cap"}
    assert made(html) == [
        ("text", "Before"),
        ("divider", {}),
        ("quote", {"text": "Said", "by": "Her"}),
        ("table", {"caption": "", "rows": "| A | B |\n| 1 | 2 |"}),
        ("button", {"text": "Go", "address": "/new-a"}),
        ("image", shown),
        ("image", {**shown, "alt": "Y", "caption": "Under it"}),
    ]


def test_what_no_block_can_say_is_clean_html_and_named() -> None:
    told = blocks_of_html(
        '<dl><dt onclick="x()">term</dt><dd><a href="/a">what</a></dd></dl><p>H<sub>2</sub>O</p><script>1</script>',
        places=PLACES,
    )
    codes = [block["data"]["code"].replace("\n", "") for block in told.blocks]
    assert codes == ['<dl><dt>term</dt><dd><a href="/new-a">what</a></dd></dl>', "<p>H<sub>2</sub>O</p>"]
    assert [note[0] for note in told.notes] == ["kept_as_html", "kept_as_html", "left_out"]


def test_what_is_shown_in_frames_is_a_link_and_widgets_are_named() -> None:
    told = blocks_of_html(
        '<!-- wp:latest-posts {"x":1} /--><!-- wp:embed --><figure><div>\nhttps://video.example/1\n</div></figure><!-- /wp:embed -->'
        '<!-- wp:video --><video src="https://old.example/v.mp4"></video><!-- /wp:video -->[unknown a="b"]',
        places=PLACES,
    )
    text = "\n".join(block["data"]["body"] for block in told.blocks)
    assert "(https://video.example/1)" in text and "(https://old.example/v.mp4)" in text
    assert {note[0] for note in told.notes} == {"widget_left", "frame_left", "shortcode"}


def test_html_that_never_ends_and_html_that_is_deep_is_read_in_time() -> None:
    for hostile in (
        "<div>" * 50_000,
        "<b>" * 50_000 + "x",
        "<ul><li>" * 5_000,
        "[" * 100_000,
        "<p>" + "*a" * 50_000,
        "&" * 100_000,
    ):
        blocks_of_html(hostile, places=PLACES)


def test_a_long_page_has_several_blocks_of_text_and_loses_no_word() -> None:
    html = "".join(f"<p>{'word ' * 200}{n}</p>" for n in range(200)) + f"<p>{'x' * 120_000}</p>"
    blocks = blocks_of_html(html, places=PLACES).blocks
    assert len(blocks) > 10 and all(len(block["data"]["body"]) < 60_000 for block in blocks)
    text = "".join(block["data"]["body"] for block in blocks)
    assert text.count("word") == 40_000 and text.count("x") == 120_000

"""Markdown becomes clean HTML: nothing a person writes runs, and plain text looks designed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.site.markup import BODY_CHARS_MAX, refuse_tangled, render_markdown
from tests.support.page import parse

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](vbscript:x)",
    "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "![x](javascript:alert(1))",
    '[x](/a "onmouseover=alert(1)")',
    '![" onerror="alert(1)](/x.png)',
    "<a href='javascript:alert(1)'>x</a>",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "`<script>`",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "| a |\n|---|\n| <svg onload=alert(1)> |",
    "<style>*{display:none}</style>",
    "<base href=//evil.example>",
    "<iframe src=//evil.example></iframe>",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_becomes_an_element_or_an_address(text: str) -> None:
    markup = render_markdown(text)
    for element in parse(f"<div>{markup.intro}{markup.rest}</div>").walk():
        assert element.tag not in {"script", "style", "iframe", "base", "svg", "object", "form"}
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"]
        assert element.tag not in ("a", "img") or {"href", "src"} & element.attributes.keys()
        for name in ("href", "src"):
            address = (element.attributes.get(name) or "").strip().lower()
            assert address.partition(":")[0] in {"", "http", "https", "mailto", "tel"} or address[0] in "/#"


@given(st.text(st.sampled_from("<>&\"'`[]()!*_#|-\n :/abjavscript"), max_size=200))
def test_any_text_becomes_html_in_which_every_element_is_closed(text: str) -> None:
    markup = render_markdown(text)
    parse(f"<div>{markup.intro}</div><div>{markup.rest}</div>")


def test_the_title_is_the_only_h1_and_no_level_is_skipped() -> None:
    html = render_markdown("# One\n\n#### Deep\n\n###### Deeper\n\n## Two").rest
    assert [e.tag for e in parse(html).all() if e.tag[0] == "h" and e.tag[1:].isdigit()] == [
        "h2",
        "h3",
        "h4",
        "h2",
    ]


def test_the_paragraphs_a_page_begins_with_are_its_intro() -> None:
    markup = render_markdown("First.\n\nSecond.\n\n- a list\n\nThird.")
    assert [e.text for e in parse(markup.intro).all("p")] == ["First.", "Second."]
    assert [e.text for e in parse(markup.rest).all("p")] == ["Third."]


def test_a_page_that_begins_with_a_heading_has_no_intro() -> None:
    assert render_markdown("## Heading\n\nText.").intro == ""


def test_a_link_alone_in_its_paragraph_is_a_button() -> None:
    alone, among, two = parse(
        render_markdown("[Call](/call)\n\nPlease [call](/call)\n\n[a](/a)[b](/b)").intro
    ).all("p")
    assert (alone.classes, among.classes, two.classes) == (["action"], [], [])


def test_a_list_whose_items_all_begin_in_bold_is_a_row_of_cards() -> None:
    html = render_markdown(
        "- **A** one\n- **B** two\n\n## Next\n\n- **A** one\n- two\n\n## Last\n\n- one **A**"
    ).rest
    assert [e.classes for e in parse(html).all("ul")] == [["cards"], [], []]


def test_wide_things_scroll_by_themselves_and_keyboards_reach_them() -> None:
    html = render_markdown("| a | b |\n|---|--:|\n| 1 | 2 |\n\n```py\nx = 1\n```").rest
    page = parse(html)
    (box,) = page.all("div", "scroll")
    assert box.attributes["tabindex"] == "0"
    assert box.one("table").all("td")[1].classes == ["right"]
    assert page.one("pre").attributes == {"tabindex": "0"}


def test_the_first_picture_comes_at_once_and_the_others_when_near() -> None:
    html = render_markdown("![a](https://x.example/a.png)\n\n![b](/b.png)").intro
    assert [e.attributes.get("loading") for e in parse(html).all("img")] == [None, "lazy"]


async def test_text_that_would_take_seconds_to_read_is_refused_and_the_longest_other_is_not() -> None:
    began = time.process_time()
    for tangled in ("![" * 2_001, "*a " * 6_001, "_" * 6_001):
        with pytest.raises(Invalid) as refused:
            refuse_tangled([tangled])
        assert refused.value.fields.keys() == {"body"}
    assert time.process_time() - began < 1
    longest = ("[a](/b) " * 2_000 + "word " * BODY_CHARS_MAX)[:BODY_CHARS_MAX]
    refuse_tangled([longest])
    render_markdown(longest)

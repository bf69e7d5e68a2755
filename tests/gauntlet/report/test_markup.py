"""Markup: text is text, wherever it stands and whatever it holds."""

from __future__ import annotations

from shipworthy.gauntlet.report.markup import joined, style_sheet, tag
from tests.support.page import parse
from tests.support.results import HOSTILE


def test_text_is_escaped_in_content_and_in_attributes() -> None:
    html = tag("p", HOSTILE, tag("b", "<&>"), title=HOSTILE).text
    paragraph = parse(html).one("p")
    visible = HOSTILE.replace("\x1b", "�").replace("\x07", "�").replace("\u202e", "�")
    assert paragraph.attributes["title"] == visible
    assert paragraph.text == visible + "<&>"
    assert [e.tag for e in parse(html).walk()] == ["document", "p", "b"]


def test_attributes_are_named_as_in_html_and_left_out_when_empty() -> None:
    html = tag("details", None, class_="a b", aria_label="x", open=True, hidden=False, id=None, width=0).text
    assert html == '<details class="a b" aria-label="x" open width="0"></details>'
    assert tag("meta", charset="utf-8").text == '<meta charset="utf-8">'
    assert tag("meta", name="viewport").text == '<meta name="viewport">'


def test_finished_markup_passes_through_once() -> None:
    inner = tag("i", "<")
    assert joined([inner, "<", None]).text == "<i>&lt;</i>&lt;"
    assert style_sheet("a > b {}").text == "<style>a > b {}</style>"


def test_the_size_is_counted_in_bytes() -> None:
    assert len(tag("p", "東")) == len("<p></p>") + 3

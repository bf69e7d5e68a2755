"""Blocks as visitors see them: each type's HTML, what stands in the place of the title, and nothing that runs.

Covers: text, hero, image, gallery, cards, quote, button, faq, table, raw_html, divider.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import pytest

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.site.blocks.block import Field
from shipworthy.rooms.site.blocks.registry import TYPES
from shipworthy.rooms.site.blocks.stored import checked_blocks, opened
from shipworthy.rooms.site.blocks.written import Written, write_blocks, written
from tests.support.page import parse

PAGE_ID = uuid.uuid4()
NO_DATABASE: Any = None  # a page without pictures asks for nothing
HOSTILE = (
    """'"><script>alert(1)</script><img src=x onerror=alert(1)></style>[x](javascript:alert(1)){{ 7*7 }}"""
)


def shown(*blocks: dict[str, Any], title: str = "Title") -> Written:
    kept = checked_blocks(blocks, new_id=uuid.uuid4)
    return written(PAGE_ID, title, [(block["id"], opened(block)) for block in kept])


def block(type_: str, **data: Any) -> dict[str, Any]:
    return {"type": type_, "data": data}


def test_a_text_that_begins_a_page_gives_its_intro_and_a_later_one_none() -> None:
    text = block("text", body="Hello.\n\n## More\n\nThere.")
    page = shown(text, block("divider"), text)
    assert (page.top, page.intro) == ("", "<p>Hello.</p>")
    assert re.findall(r"<(\w+)", page.body) == ["h2", "p", "hr", "p", "h2", "p"]


def test_a_hero_that_begins_a_page_holds_its_only_h1_and_a_later_one_an_h2() -> None:
    hero = block(
        "hero", kicker="New", heading="Warm rooms", text="All winter.", button="Call", address="/contact"
    )
    first, later = shown(hero), shown(block("divider"), hero)
    top = parse(first.top)
    assert (top.one("h1").text, top.one("a").attributes["href"]) == ("Warm rooms", "/contact")
    assert (first.intro, first.body) == ("", "")
    assert "<h1" not in later.top + later.body
    assert parse(later.body).one("h2").text == "Warm rooms"
    assert parse(shown(block("hero", kicker="x")).top).one("h1").text == "Title"


def test_cards_quotes_buttons_and_tables_look_as_in_text() -> None:
    page = parse(
        shown(
            block("divider"),
            block(
                "cards",
                heading="Why",
                cards=[{"title": "Fast", "text": "*Very*", "link": "More", "address": "/fast"}],
            ),
            block("quote", text="Good.", by="Renate"),
            block("button", text="Write", address="mailto:a@b.example"),
            block("table", caption="Prices", rows="What | Price\nVisit | 79\n\nTalk"),
        ).body
    )
    card = page.one("ul", "cards").one("li")
    assert (card.one("strong").text, card.one("em").text, card.one("a").attributes["href"]) == (
        "Fast",
        "Very",
        "/fast",
    )
    assert [p.text for p in page.one("blockquote").all("p")] == ["Good.", "Renate"]
    assert page.one("p", "action").one("a").text == "Write"
    assert [cell.text for cell in page.all("th")] == ["What", "Price"]
    assert [cell.text for cell in page.all("td")] == ["Visit", "79", "Talk", ""]
    assert page.one("div", "scroll").attributes["tabindex"] == "0"


def test_questions_fold_without_script_and_are_told_to_search_engines() -> None:
    page = shown(
        block(
            "faq",
            questions=[{"question": "How <long>?", "answer": "**Two** days & a bit."}, {"question": "Half"}],
        )
    )
    assert [e.text for e in parse(page.body).all("summary")] == ["How <long>?"]
    (told,) = page.json_ld
    assert told["@type"] == "FAQPage"
    assert told["mainEntity"] == [
        {
            "@type": "Question",
            "name": "How <long>?",
            "acceptedAnswer": {"@type": "Answer", "text": "Two days & a bit."},
        }
    ]


def test_html_keeps_what_is_text_and_loses_what_runs_styles_or_frames() -> None:
    code = "<h2>Hi</h2><p style='x' class='hero' onclick=y>a<script>b</script></p><iframe src=/x></iframe><form><input></form>"
    assert shown(block("divider"), block("html", code=code)).body == "<hr>\n<h2>Hi</h2><p>a</p>"


def _filled(fields: Any, text: str) -> dict[str, Any]:
    def value(field: Field) -> Any:
        return [_filled(field.fields, text)] if field.kind == "rows" else text

    return {
        field.name: value(field)
        for field in fields
        if field.kind in ("line", "text", "markdown", "address", "rows")
    }


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.type)
@pytest.mark.parametrize("hostile", [HOSTILE, "javascript:alert(1)"])
def test_a_script_in_every_field_of_every_type_comes_out_inert(kind: Any, hostile: str) -> None:
    given = {"type": kind.type, "data": _filled(kind.fields, hostile)}
    for page in (shown(given, title=hostile), shown(block("divider"), given)):
        html = page.top + page.intro + page.body
        for tag in parse(html).walk():
            assert tag.tag not in ("script", "style", "iframe", "object")
            assert tag.tag != "form" or (tag.attributes["action"] or "").startswith("/-/form/")
            assert not any(name.startswith("on") for name in tag.attributes), html
            for name in ("href", "src"):
                assert not (tag.attributes.get(name) or "").strip().lower().startswith("javascript"), html


def test_a_picture_keeps_its_room_says_what_it_shows_or_that_it_shows_nothing() -> None:
    asset_id = str(uuid.uuid4())
    row = {
        "asset_id": asset_id,
        "alt": "A workbench",
        "key": "0123456789abcdef",
        "slug": "bench",
        "is_private": False,
        "width": 960,
        "height": 600,
    }

    def pictures(*blocks: dict[str, Any]) -> list[Any]:
        kept = checked_blocks(blocks, new_id=uuid.uuid4)
        page = written(PAGE_ID, "T", [(b["id"], opened(b)) for b in kept], {asset_id: row})
        return parse(page.body).all("img")

    shown = block("image", asset=asset_id, caption="At work")
    first, second = pictures(shown, block("image", asset=asset_id, alt="Hands", width="wide"))
    assert (first.attributes["alt"], first.attributes["width"]) == ("A workbench", "960")
    assert (first.attributes["fetchpriority"], second.attributes["loading"]) == ("high", "lazy")
    assert second.attributes["alt"] == "Hands"
    (silent,) = pictures(block("image", asset=asset_id, is_decoration=True))
    assert (silent.attributes["alt"], silent.attributes["role"]) == ("", "presentation")
    several = pictures(
        block("divider"), block("gallery", pictures=[{"asset": asset_id}, {"asset": str(uuid.uuid4())}, {}])
    )
    assert [e.attributes["alt"] for e in several] == ["A workbench"]
    assert pictures(block("image", asset="no id")) == []


async def test_texts_that_would_together_take_seconds_to_read_are_refused() -> None:
    began = time.process_time()
    tangled = checked_blocks([block("quote", text="[" * 900)] * 3, new_id=uuid.uuid4)
    with pytest.raises(Invalid) as refused:
        await write_blocks(NO_DATABASE, PAGE_ID, "Title", tangled)
    assert refused.value.code == "site.body_invalid"
    assert time.process_time() - began < 1
    assert (await write_blocks(NO_DATABASE, PAGE_ID, "Title", tangled[:2])).body

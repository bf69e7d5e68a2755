"""What changed between two versions, in words."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.rooms.site.history.differences import Change, differences


def version(*blocks: dict[str, Any], title: str = "T") -> dict[str, Any]:
    return {"title": title, "description": "", "in_menu": True, "body": "", "blocks": list(blocks)}


def text(id_: str, body: str) -> dict[str, Any]:
    return {"id": id_, "type": "text", "v": 1, "data": {"body": body}}


def cards(*titles: str) -> dict[str, Any]:
    data = {
        "heading": "",
        "cards": [{"title": title, "text": "", "link": "", "address": ""} for title in titles],
    }
    return {"id": "c", "type": "cards", "v": 1, "data": data}


def said(change: Change) -> list[tuple[str, str, str]]:
    return [(part.label, run.kind, run.text) for part in change.parts for run in part.runs]


def test_a_changed_word_is_shown_between_the_words_that_stayed() -> None:
    (change,) = differences(version(text("a", "Call before May.")), version(text("a", "Call before June.")))
    assert (change.what, change.kind) == ("Text", "changed")
    assert said(change) == [
        ("Text", "same", "Call before "),
        ("Text", "gone", "May."),
        ("Text", "new", "June."),
    ]


def test_blocks_that_came_went_moved_or_stayed_are_told_apart() -> None:
    a, b, c, d = (text(name, name) for name in "abcd")
    changes = differences(version(a, b, c), version(c, a, d))
    assert [(change.kind, said(change)) for change in changes] == [
        ("moved", []),
        ("added", [("Text", "new", "d")]),
        ("removed", [("Text", "gone", "b")]),
    ]
    assert differences(version(a, b), version(a, b)) == []


def test_the_page_s_own_fields_and_rows_have_their_names() -> None:
    page, block = differences(
        version(cards("One", "Two"), title="Old"), version(cards("One", "2"), title="New")
    )
    assert (page.what, said(page)) == ("Page", [("Title", "gone", "Old"), ("Title", "new", "New")])
    assert said(block) == [("Card 2, Title", "gone", "Two"), ("Card 2, Title", "new", "2")]
    first = differences(None, version(text("a", "x")))
    assert [change.kind for change in first] == ["added", "added"]


def test_a_type_nobody_knows_any_more_is_named_and_breaks_nothing() -> None:
    ghost = {"id": "g", "type": "carousel", "v": 9, "data": {"x": 1}}
    (change,) = differences(version(), version(ghost))
    assert (change.what, change.parts) == ("carousel", ())


def test_two_long_texts_are_held_against_each_other_in_time() -> None:
    began = time.process_time()
    long = " ".join(f"w{n % 50}" for n in range(12_000))
    (change,) = differences(version(text("a", long)), version(text("a", long[::-1])))
    assert change.kind == "changed"
    assert time.process_time() - began < 5


@given(st.text(alphabet="ab \n", max_size=40), st.text(alphabet="ab \n", max_size=40))
def test_the_words_of_both_texts_are_all_there(before: str, after: str) -> None:
    for change in differences(version(text("a", before)), version(text("a", after))):
        runs = [run for part in change.parts for run in part.runs]
        assert "".join(run.text for run in runs if run.kind != "new") == before
        assert "".join(run.text for run in runs if run.kind != "gone") == after

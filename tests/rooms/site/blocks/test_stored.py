"""What may come as blocks, and what is kept: limits, versions, unknown types, everything named that is wrong.

Covers: block, registry.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.site.blocks import registry
from shipworthy.rooms.site.blocks.block import Block, Field, Line, Place, cleaned, is_safe
from shipworthy.rooms.site.blocks.registry import BY_NAME, TYPES
from shipworthy.rooms.site.blocks.stored import (
    BLOCKS_MAX,
    blocks_of,
    body_of,
    checked_blocks,
    opened,
    text_alone,
)

DIVIDER = {"type": "divider", "data": {}}


def checked(*raw: Any) -> list[dict[str, Any]]:
    return checked_blocks(raw, new_id=uuid.uuid4)


def refused(*raw: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as wrong:
        checked(*raw)
    assert wrong.value.code == "site.blocks_invalid"
    return wrong.value.fields


def test_blocks_are_kept_whole_each_with_an_id_and_its_version() -> None:
    quote = {"type": "quote", "data": {"text": "Good\r\nwork\u0065\u0301"}}
    (kept,) = checked(quote)
    assert kept["data"] == {"text": "Good\nwork\u00e9", "by": ""}
    assert (kept["v"], len(kept["id"])) == (1, 12)
    assert checked(kept) == [kept]


@pytest.mark.parametrize(
    ("block", "field"),
    [
        ({"type": "carousel", "data": {}}, "blocks[0].type"),
        ({"type": "quote", "v": 2, "data": {}}, "blocks[0].v"),
        ({"type": "quote", "data": {"colour": "red"}}, "blocks[0].colour"),
        ({"type": "quote", "data": {"text": 7}}, "blocks[0].text"),
        ({"type": "quote", "data": {"by": "x" * 301}}, "blocks[0].by"),
        ({"type": "quote", "data": {"by": "a\x1bb"}}, "blocks[0].by"),
        ({"type": "cards", "data": {"cards": [{"title": "a\x00"}]}}, "blocks[0].cards[0].title"),
        ({"type": "cards", "data": {"cards": [{}] * 25}}, "blocks[0].cards"),
        ({"type": "quote", "data": {}, "id": "A b"}, "blocks[0].id"),
        ({"type": "quote", "data": {}, "extra": 1}, "blocks[0].extra"),
        ({"data": {}}, "blocks[0].type"),
        ("text", "blocks[0].body"),
    ],
)
def test_a_block_that_cannot_be_is_refused_by_name(block: Any, field: str) -> None:
    assert list(refused(block)) == [field]


def test_a_page_holds_as_many_blocks_as_it_may_and_no_more() -> None:
    assert len(checked(*[DIVIDER] * BLOCKS_MAX)) == BLOCKS_MAX
    assert "at most 500 blocks; this one has 501" in refused(*[DIVIDER] * (BLOCKS_MAX + 1))["blocks"]
    large = {"type": "text", "data": {"body": "x" * 60_000}}
    assert len(checked(*[large] * 8)) == 8
    assert "at most 512 kB" in refused(*[large] * 9)["blocks"]
    assert list(refused({**DIVIDER, "id": "a"}, {**DIVIDER, "id": "a"})) == ["blocks[1].id"]


def test_one_text_is_short_for_a_page_and_back() -> None:
    assert body_of(text_alone("Hello")) == "Hello"
    assert text_alone("") == []
    assert body_of([*text_alone("Hello"), *checked(DIVIDER)]) == ""
    assert blocks_of({"blocks": None, "body": "Old"}) == text_alone("Old")
    assert blocks_of({"blocks": [], "body": ""}) == []


def test_a_block_of_an_older_version_is_read_as_its_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    class Note(Block):
        type: ClassVar[str] = "note"
        v: ClassVar[int] = 3
        text: Line = ""

        def html(self, place: Place) -> str:
            return self.text

    class NoteTwo(Block):
        type: ClassVar[str] = "note"
        v: ClassVar[int] = 2
        words: Line = ""

        def up(self) -> Note:
            return Note(text=self.words)

    class NoteOne(Block):
        type: ClassVar[str] = "note"
        word: Line = ""

        def up(self) -> NoteTwo:
            return NoteTwo(words=self.word)

    Note.older = (NoteTwo, NoteOne)
    monkeypatch.setitem(registry.BY_NAME, "note", Note)
    assert opened({"type": "note", "v": 1, "data": {"word": "hi"}}) == Note(text="hi")
    (kept,) = checked({"type": "note", "v": 2, "data": {"words": "hi"}})
    assert (kept["v"], kept["data"]) == (3, {"text": "hi"})
    assert list(refused({"type": "note", "v": 4, "data": {}})) == ["blocks[0].v"]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.type)
def test_every_type_can_be_empty_and_has_a_field_for_all_it_holds(kind: type[Block]) -> None:
    assert BY_NAME[kind.type] is kind
    block = kind()
    assert isinstance(block.html(Place(uuid.uuid4(), "a")), str)
    assert block.json_ld() is None
    assert {field.name for field in kind.fields} == set(kind.__struct_fields__)
    assert all(isinstance(field, Field) for field in kind.fields)
    assert kind.label


@given(st.text(max_size=40))
def test_no_address_that_runs_something_is_safe(rest: str) -> None:
    for scheme in ("javascript:", "JavaScript:", " data:", "vbscript:", "java\nscript:"):
        assert not is_safe(scheme + rest)
    assert is_safe("/" + rest)
    assert is_safe("https:" + rest)


def test_what_a_type_makes_is_cleaned_of_what_runs_or_styles() -> None:
    dirty = '<p class="tagline" style="x" onclick="y">a</p><script>b</script><iframe src=c></iframe><form>d</form>'
    assert cleaned(dirty, {}) == '<p class="tagline">a</p>d'
    assert (
        cleaned("<form action=/x>d</form>", {"form": frozenset({"action"})}) == '<form action="/x">d</form>'
    )

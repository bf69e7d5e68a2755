"""The editor's form: every block goes through it unchanged, and what is no block is left for the check."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.site.blocks.registry import TYPES
from shipworthy.rooms.site.blocks.stored import checked_blocks
from shipworthy.rooms.site.editor.form import PageForm, block_of
from shipworthy.rooms.site.editor.view import block_views


def filled(fields: Any) -> dict[str, Any]:
    def value(field: Any) -> Any:
        if field.kind == "rows":
            return [filled(field.fields), filled(field.fields)]
        return True if field.kind == "check" else field.choices[0][0] if field.choices else f"a {field.name}"

    return {field.name: value(field) for field in fields if field.kind != "asset"}


def sent(views: Any) -> dict[str, str]:
    """Return what a browser sends of a block's fields."""
    row: dict[str, str] = {}
    for field in views:
        if field["kind"] == "rows":
            for inner in field["rows"]:
                row |= sent(inner)
        elif field["value"] is not False:
            row[field["name"].split("-", 2)[2]] = "true" if field["value"] is True else field["value"]
    return row


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.type)
def test_every_type_goes_through_the_form_unchanged(kind: Any) -> None:
    blocks = checked_blocks([{"type": kind.type, "data": filled(kind.fields)}], new_id=uuid.uuid4)
    (view,) = block_views(blocks)
    row = {"key": view["key"], **sent(view["fields"])}
    assert checked_blocks([block_of(row)], new_id=uuid.uuid4) == blocks


def test_a_form_without_blocks_is_one_text_and_one_with_none_is_an_empty_page() -> None:
    assert PageForm(title="x", body="Hi").text().blocks is None
    empty = PageForm(title="x", body="ignored", has_blocks="1").text()
    assert (empty.blocks, empty.body) == ([], "")


def test_an_address_nobody_touched_follows_the_page() -> None:
    assert PageForm(path="/a", path_seen="/a").text().path == ""
    assert PageForm(path="/b", path_seen="/a").text().path == "/b"


@pytest.mark.parametrize("key", ["", "a", "a:b", "a:carousel:1", "a:text:x", "a:text:99", "A!:text:1", "::"])
def test_what_is_no_block_is_refused_by_the_check(key: str) -> None:
    with pytest.raises(Invalid):
        checked_blocks([block_of({"key": key, "body": "x"})], new_id=uuid.uuid4)


def test_rows_are_in_the_order_of_their_numbers_and_odd_names_are_nothing() -> None:
    row = {"key": "a:cards:1", "cards.10.title": "c", "cards.2.title": "b", "cards.0.title": "a",
           "cards.x.title": "no", "cards.99999.title": "no", "cards.": "no", "cards": "no"}  # fmt: skip
    assert [card["title"] for card in block_of(row)["data"]["cards"]] == ["a", "b", "c"]

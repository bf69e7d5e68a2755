"""What the editor's buttons do: nothing is lost, no id stands twice, and what is gone is said to be gone.

Covers: view.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.site.editor.operations import Done, operate
from shipworthy.rooms.site.editor.view import block_views, labels_of, type_views


def text(name: str) -> dict[str, Any]:
    return {"id": name, "type": "text", "v": 1, "data": {"body": name}}


CARDS = {"id": "c", "type": "cards", "v": 1, "data": {"heading": "", "cards": [{"title": "One"}]}}
PAGE = [text("a"), text("b"), CARDS]


def done(do: str, blocks: Any = PAGE, new_type: str = "quote") -> Done:
    return operate(blocks, do, new_type=new_type, new_id=uuid.uuid4)


def names(blocks: Any) -> list[str]:
    return [block["id"] for block in blocks]


def test_blocks_move_are_copied_deleted_and_put_in() -> None:
    assert names(done("up:b").blocks) == ["b", "a", "c"]
    assert names(done("up:a").blocks) == ["a", "b", "c"]
    assert names(done("down:a").blocks) == ["b", "a", "c"]
    assert names(done("down:c").blocks) == ["a", "b", "c"]
    assert (names(done("delete:c").blocks), done("delete:c").at) == (["a", "b"], "b")
    assert done("delete:a", [text("a")]) == Done([], "")
    copied = done("copy:a")
    assert copied.blocks[1] == {**text("a"), "id": copied.at}
    assert [block["type"] for block in done("add:hero").blocks] == ["text", "text", "cards", "hero"]
    assert [block["type"] for block in done("after:a").blocks] == ["text", "quote", "text", "cards"]
    assert done("after:a:divider").blocks[1]["type"] == "divider"


def test_rows_come_and_go_up_to_their_bound() -> None:
    more = done("row:c:cards").blocks[2]["data"]["cards"]
    assert more == [{"title": "One"}, {"title": "", "text": "", "link": "", "address": ""}]
    assert done("unrow:c:cards:0").blocks[2]["data"]["cards"] == []
    assert CARDS["data"]["cards"] == [{"title": "One"}]
    full = {**CARDS, "data": {"cards": [{}] * 24}}
    with pytest.raises(Invalid, match="at most 24"):
        done("row:c:cards", [full])


@pytest.mark.parametrize("do", [
    "", "up", "up:x", "delete:", "add:carousel", "add", "after:a:carousel", "row:a:body", "row:c:heading", "row:c",
    "unrow:c:cards:1", "unrow:c:cards:x", "unrow:c:cards", "explode:a",
])  # fmt: skip
def test_what_no_button_says_is_refused(do: str) -> None:
    with pytest.raises(Invalid) as refused:
        done(do)
    assert refused.value.code == "site.button_invalid"


@given(
    st.lists(st.sampled_from(["up", "down", "copy", "delete", "add:quote", "after"]), max_size=12),
    st.randoms(),
)
def test_whatever_is_pressed_ids_stay_apart_and_only_delete_takes_away(verbs: list[str], luck: Any) -> None:
    blocks: Any = PAGE
    for verb in verbs:
        if not blocks and not verb.startswith("add"):
            continue
        do = verb if ":" in verb else f"{verb}:{luck.choice(names(blocks))}"
        after = done(do, blocks).blocks
        assert len(set(names(after))) == len(after)
        assert len(after) - len(blocks) == {"up": 0, "down": 0, "delete": -1}.get(verb, 1)
        blocks = after


def test_a_block_is_shown_with_its_fields_and_errors() -> None:
    errors = {"blocks[2].cards[0].title": "Too long.", "blocks[1]": "A link leads nowhere."}
    first, second, third = block_views(PAGE, errors=errors)
    assert (first["key"], first["fields"][0]["name"]) == ("a:text:1", "blocks-0-body")
    assert second["error"] == "A link leads nowhere."
    title = third["fields"][1]["rows"][0][0]
    assert (title["name"], title["value"], title["error"]) == ("blocks-2-cards.0.title", "One", "Too long.")
    assert labels_of(errors, PAGE)["blocks[1]"] == "Block 2 (Text)"
    ghost = {"id": "g", "type": "carousel", "v": 9, "data": {}}
    assert block_views([ghost])[0]["is_known"] is False
    assert {view["type"] for view in type_views()} >= {"text", "hero"}

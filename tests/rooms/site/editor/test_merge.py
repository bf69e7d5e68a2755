"""Two people on one page: what each did stays, and what both did is shown rather than lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.rooms.site.editor.merge import Side, merge


def side(*blocks: tuple[str, str], title: str = "T") -> Side:
    fields = {"title": title, "description": "", "in_menu": True}
    return Side(
        fields, [{"id": name, "type": "text", "v": 1, "data": {"body": body}} for name, body in blocks]
    )


def said(blocks: Any) -> dict[str, str]:
    return {block["id"]: block["data"]["body"] for block in blocks}


BASE = side(("a", "1"), ("b", "2"), ("c", "3"))


def test_changes_of_different_blocks_and_fields_go_together() -> None:
    mine = side(("a", "mine"), ("b", "2"), ("c", "3"), title="Mine")
    theirs = side(("a", "1"), ("b", "2"), ("c", "theirs"))
    merged = merge(BASE, mine, theirs)
    assert merged.is_clean
    assert (said(merged.blocks), merged.fields["title"]) == ({"a": "mine", "b": "2", "c": "theirs"}, "Mine")


def test_a_block_both_changed_keeps_mine_and_shows_theirs() -> None:
    mine, theirs = side(("a", "mine"), ("b", "2"), title="M"), side(("a", "theirs"), ("b", "2"), title="X")
    merged = merge(side(("a", "1"), ("b", "2")), mine, theirs)
    assert said(merged.blocks) == {"a": "mine", "b": "2"}
    assert merged.theirs["a"]["data"] == {"body": "theirs"}
    assert merged.theirs["title"] == "X"


def test_a_deleted_block_goes_unless_the_other_changed_it() -> None:
    assert said(merge(BASE, side(("a", "1"), ("b", "2")), BASE).blocks) == {"a": "1", "b": "2"}
    assert said(merge(BASE, BASE, side(("b", "2"), ("c", "3"))).blocks) == {"b": "2", "c": "3"}
    kept = merge(BASE, side(("a", "1"), ("b", "2"), ("c", "mine")), side(("a", "1"), ("b", "2")))
    assert (said(kept.blocks)["c"], kept.theirs) == ("mine", {"c": None})
    back = merge(BASE, side(("a", "1"), ("b", "2")), side(("a", "1"), ("b", "2"), ("c", "theirs")))
    assert said(back.blocks)["c"] == "theirs"
    assert not back.is_clean


def test_new_blocks_stand_where_they_were_put_and_a_move_is_kept() -> None:
    mine = side(("a", "1"), ("m", "new"), ("b", "2"), ("c", "3"))
    moved = side(("c", "3"), ("a", "1"), ("b", "2"), ("t", "new"))
    merged = merge(BASE, mine, moved)
    assert merged.is_clean
    assert [block["id"] for block in merged.blocks] == ["c", "a", "m", "b", "t"]


def test_without_what_stood_there_every_difference_is_shown_and_nothing_goes() -> None:
    merged = merge(
        None, side(("a", "mine"), ("b", "2"), ("m", "x")), side(("a", "theirs"), ("b", "2"), ("t", "y"))
    )
    assert said(merged.blocks) == {"a": "mine", "b": "2", "m": "x", "t": "y"}
    assert list(merged.theirs) == ["a"]


_SIDES = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("123")), unique_by=lambda b: b[0]).map(
    lambda blocks: side(*blocks)
)


@given(base=st.one_of(st.none(), _SIDES), mine=_SIDES, theirs=_SIDES)
def test_no_text_of_either_is_lost_unseen(base: Side | None, mine: Side, theirs: Side) -> None:
    merged = merge(base, mine, theirs)
    was = said(base.blocks) if base else {}
    here, there, after = said(mine.blocks), said(theirs.blocks), said(merged.blocks)
    assert len(after) == len(merged.blocks)
    for name in {*here, *there}:
        shown = {after.get(name)} | {b["data"]["body"] for n, b in merged.theirs.items() if n == name and b}
        for text in (here.get(name), there.get(name)):
            assert text is None or text in shown or was.get(name) == text
    if mine.blocks == theirs.blocks:
        assert merged.is_clean


@given(base=_SIDES, theirs=_SIDES)
def test_whoever_changed_nothing_gets_the_other_s_page(base: Side, theirs: Side) -> None:
    assert said(merge(base, base, theirs).blocks) == said(theirs.blocks)
    assert said(merge(base, theirs, base).blocks) == said(theirs.blocks)
    assert [b["id"] for b in merge(base, theirs, base).blocks] == [b["id"] for b in theirs.blocks]

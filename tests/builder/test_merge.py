"""Three texts into one: both changes are kept, and where they meet, both are shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.builder.merge import BASE, NEW, YOURS, merge

BASE_TEXT = "one\ntwo\nthree\nfour\nfive\n"
LINES = st.lists(st.sampled_from("abcde"), max_size=8).map(lambda letters: "".join(f"{x}\n" for x in letters))


def test_changes_at_different_places_are_both_kept() -> None:
    merged = merge(BASE_TEXT, BASE_TEXT.replace("one", "ONE"), BASE_TEXT.replace("five\n", "five\nsix\n"))
    assert merged.text == "ONE\ntwo\nthree\nfour\nfive\nsix\n"
    assert merged.conflicts == ()


def test_changes_of_the_same_line_stand_side_by_side_and_are_named() -> None:
    merged = merge(BASE_TEXT, BASE_TEXT.replace("two", "yours"), BASE_TEXT.replace("two", "new"))
    assert merged.conflicts == (2,)
    assert merged.text == (f"one\n{YOURS}\nyours\n{BASE}\ntwo\n=======\nnew\n{NEW}\nthree\nfour\nfive\n")


def test_a_last_line_without_an_end_is_not_run_into_a_marker() -> None:
    merged = merge("a\nb", "a\nyours", "a\nnew")
    assert merged.text.splitlines() == ["a", YOURS, "yours", BASE, "b", "=======", "new", NEW]


@given(LINES, LINES)
def test_one_change_alone_is_taken_whole(base: str, changed: str) -> None:
    assert merge(base, changed, base).text == changed
    assert merge(base, base, changed).text == changed
    assert merge(base, changed, changed).text == changed


@given(LINES, LINES, LINES)
def test_no_line_that_somebody_wrote_is_lost(base: str, yours: str, new: str) -> None:
    merged = merge(base, yours, new)
    lines = merged.text.splitlines()
    for side in (yours, new):
        for line in set(side.splitlines()) - set(base.splitlines()):
            assert line in lines
    assert len(merged.conflicts) == lines.count(YOURS) == lines.count(NEW)
    assert all(lines[number - 1] == YOURS for number in merged.conflicts)

"""What a menu shows: nested once, without what nobody may see, and with nothing that is published out of reach."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.rooms.site.menus.entries import Entry, menus_of

AUTOMATIC = [("/", "Home"), ("/jobs", "Work"), ("/über", "About")]


def drawn(entries: list[Entry]) -> list[object]:
    """Return titles, those below in a list of their own."""
    return [one.title if not one.below else (one.title, [b.title for b in one.below]) for one in entries]


def test_a_menu_nobody_put_together_is_made_of_the_pages_but_for_home() -> None:
    menus = menus_of(AUTOMATIC, [], path="/über")
    assert drawn(menus["main"]) == drawn(menus["footer"]) == ["Work", "About"]
    assert [(e.href, e.here) for e in menus["main"]] == [("/jobs", ""), ("/%C3%BCber", "page")]


def test_a_menu_put_together_replaces_the_one_of_the_pages_and_the_footer_follows_it() -> None:
    items = [("main", "0", "/jobs", "Our work"), ("main", "1", "/jobs/a", "A"), ("main", "0", "/", "Start")]
    menus = menus_of(AUTOMATIC, items, path="/jobs/a")
    assert drawn(menus["main"]) == drawn(menus["footer"]) == [("Our work", ["A"]), "Start"]
    assert (menus["main"][0].here, menus["main"][0].below[0].here) == ("true", "page")
    footer = menus_of(AUTOMATIC, [("footer", "0", "/jobs", "Work")], path="/")
    assert (drawn(footer["main"]), drawn(footer["footer"])) == (["Work", "About"], ["Work"])


def test_below_a_page_nobody_sees_the_others_take_its_place() -> None:
    items = [
        ("main", "0", "/a", "A"),
        ("main", "0", None, "Draft"),
        ("main", "1", "/b", "B"),
        ("main", "1", None, "Draft too"),
        ("main", "1", "/c", "C"),
        ("main", "0", "/d", "D"),
        ("main", "1", "/e", "E"),
    ]
    assert drawn(menus_of([], items, path="/")["main"]) == ["A", "B", "C", ("D", ["E"])]
    assert menus_of(AUTOMATIC, [("main", "0", None, "Draft")], path="/")["main"] == []  # by hand, and empty


def test_an_address_elsewhere_cannot_leave_its_quotation_marks() -> None:
    (entry,) = menus_of([], [("main", "0", 'https://a.example/?a="><b>&c', "x")], path="/")["main"]
    assert entry.href == "https://a.example/?a=&quot;&gt;&lt;b&gt;&amp;c"


@given(
    st.lists(
        st.tuples(st.just("main"), st.sampled_from("01"), st.sampled_from((None, "/a", "/b")), st.text())
    )
)
def test_every_item_with_an_address_is_shown_once_in_its_order(
    items: list[tuple[str, str, str, str]],
) -> None:
    menu = menus_of([], items, path="/a")["main"]
    flat = [title for one in menu for title in (one.title, *(below.title for below in one.below))]
    assert flat == [title for _, _, to, title in items if to is not None]
    assert all(not below.below for one in menu for below in one.below)

"""The shelf keeps what is used, within its bytes, and never an older answer over a newer one."""

from __future__ import annotations

from shipworthy.rooms.site.freshness import Freshness
from shipworthy.rooms.site.shelf import Entry, Shelf, make_form


def entry(
    text: str = "x", *, freshness: Freshness | None = None, count: int = 0, size_bytes: int = 10
) -> Entry:
    form = make_form(200, [(b"content-type", b"text/plain")], text.encode(), etag=b'"1"', kept=())
    return Entry(200, (form, form, form), ("a",), freshness or Freshness(), count, size_bytes)


def test_the_least_lately_used_falls_off_when_there_are_too_many_bytes() -> None:
    shelf = Shelf(bytes_max=30)
    for key in (b"a", b"b", b"c"):
        shelf.keep(key, entry())
    shelf.get(b"a")
    shelf.keep(b"d", entry())
    assert [key for key in (b"a", b"b", b"c", b"d") if shelf.get(key)] == [b"a", b"c", b"d"]
    assert (shelf.size_bytes, len(shelf)) == (30, 3)


def test_keeping_again_replaces_and_counts_once() -> None:
    shelf = Shelf(bytes_max=100)
    shelf.keep(b"a", entry(size_bytes=40))
    shelf.keep(b"a", entry(size_bytes=25))
    assert shelf.size_bytes == 25


def test_what_is_larger_than_the_shelf_is_not_kept_and_empties_nothing_for_good() -> None:
    shelf = Shelf(bytes_max=30)
    shelf.keep(b"a", entry(size_bytes=31))
    assert (shelf.get(b"a"), shelf.size_bytes) == (None, 0)


def test_an_answer_read_earlier_does_not_replace_one_read_later() -> None:
    shelf, freshness = Shelf(bytes_max=100), Freshness()
    newer, older = entry("new", freshness=freshness, count=2), entry("old", freshness=freshness, count=1)
    shelf.keep(b"a", newer)
    shelf.keep(b"a", older)
    assert shelf.get(b"a") is newer


def test_an_entry_is_fresh_until_something_it_was_made_of_changes() -> None:
    freshness = Freshness()
    kept = entry(freshness=freshness)
    assert kept.is_fresh
    freshness.changed(("b",))
    assert kept.is_fresh
    freshness.changed(("a",))
    assert not kept.is_fresh
    assert entry(freshness=freshness, count=2).is_fresh


def test_a_form_carries_its_length_and_a_304_does_not() -> None:
    form = make_form(200, [(b"a", b"1")], b"four", etag=b'"x"', kept=[(b"vary", b"y")])
    assert form.start["headers"] == [
        (b"etag", b'"x"'), (b"a", b"1"), (b"content-length", b"4"), (b"x-cache", b"hit"),
    ]  # fmt: skip
    assert form.not_modified["headers"] == [(b"etag", b'"x"'), (b"vary", b"y"), (b"x-cache", b"hit")]

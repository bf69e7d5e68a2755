"""What changed of a site since an answer was read."""

from __future__ import annotations

import pytest

from shipworthy.rooms.site import freshness as freshness_module
from shipworthy.rooms.site.freshness import Freshness
from shipworthy.rooms.site.tags import EVERYTHING


def test_only_what_a_change_names_is_out_of_date() -> None:
    freshness = Freshness()
    freshness.changed(("a",))
    assert not freshness.is_unchanged(("a", "b"), since=0)
    assert freshness.is_unchanged(("b",), since=0)
    assert freshness.is_unchanged(("a", "b"), since=freshness.count)
    freshness.changed((EVERYTHING,))
    assert not freshness.is_unchanged(("b",), since=1)
    assert not freshness.is_unchanged((), since=1)
    assert freshness.is_unchanged(("a", "b"), since=2)


def test_too_many_tags_to_remember_make_everything_out_of_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness_module, "_TAGS_MAX", 3)
    freshness = Freshness()
    freshness.changed(("a", "b", "c"))
    assert freshness.is_unchanged(("x",), since=0)
    freshness.changed(("d",))
    assert not freshness.is_unchanged(("x",), since=1)
    assert freshness.is_unchanged(("x",), since=2)

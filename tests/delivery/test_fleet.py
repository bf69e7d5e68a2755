"""The fleet's shares keep a session where it is, and a torn file is told from a missing one."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.delivery.errors import StateTorn
from shipworthy.delivery.fleet import WATCHED_S_MAX, Fleet, Member, Place, put_aside, read, write

FLEET = Fleet(
    serial=3,
    members=(
        Member(name="web-1", release="a"),
        Member(name="web-2", release="a"),
        Member(name="web-3", release="b"),
    ),
    stable="web-1",
    baseline="web-2",
    canary="web-3",
    salt="s",
)


@given(st.integers(0, 100))
def test_the_shares_add_up_and_canary_and_baseline_get_the_same_until_there_is_no_room(weight: int) -> None:
    shares = replace(FLEET, weight=weight).shares()
    assert sum(shares.values()) == 100
    assert shares.get("web-3", 0) == weight
    assert shares.get("web-2", 0) == min(weight, 100 - weight)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 99))
def test_who_has_the_canary_or_the_baseline_keeps_it_while_the_weight_grows(
    a: int, b: int, place: int
) -> None:
    def who(weight: int) -> str:
        rest = place
        for name, share in replace(FLEET, weight=weight).shares().items():
            if rest < share:
                return name
            rest -= share
        raise AssertionError(weight)

    low, high = sorted((a, b))
    if who(low) != "web-1":
        assert who(high) == who(low)


def test_a_file_is_whole_or_torn_or_missing_and_a_torn_one_is_kept_aside(tmp_path: Path) -> None:
    place = Place(tmp_path / "deploy").ensure()
    assert read(place.fleet, Fleet) is None
    write(place.fleet, FLEET)
    assert read(place.fleet, Fleet) == FLEET
    for torn in ('{"serial": 1, "mem', '{"serial": "x"}', "\x00"):
        place.fleet.write_text(torn)
        with pytest.raises(StateTorn, match="fleet.json"):
            read(place.fleet, Fleet)
    aside = put_aside(place.fleet)
    assert aside.exists()
    assert read(place.fleet, Fleet) is None


def test_a_canary_is_watched_as_long_as_somebody_looks(tmp_path: Path) -> None:
    place = Place(tmp_path / "deploy").ensure()
    assert not place.is_watched()
    place.watch()
    assert place.is_watched()
    long_ago = time.time() - WATCHED_S_MAX - 1
    os.utime(place.watched, (long_ago, long_ago))
    assert not place.is_watched()

"""The clock that drills move: right without a file, moved until the moment the file says, then right again."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from shipworthy.kernel import movable_clock
from shipworthy.kernel.context import utc_now
from shipworthy.kernel.movable_clock import MovableClock


@pytest.fixture(autouse=True)
def looks_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movable_clock, "_LOOK_S", 0.0)


def off(clock: MovableClock) -> timedelta:
    return clock() - utc_now()


@pytest.mark.parametrize("moved_s", [3600.0, -86_400.0])
def test_it_is_moved_until_then_and_right_again(tmp_path: Path, moved_s: float) -> None:
    file = tmp_path / "clock"
    clock = MovableClock(file)
    minute = timedelta(minutes=1)
    assert abs(off(clock)) < minute
    file.write_text(f"{moved_s} {time.time() + 600}")
    assert abs(off(clock) - timedelta(seconds=moved_s)) < minute
    file.write_text(f"{moved_s} {time.time() - 1}")
    assert abs(off(clock)) < minute
    file.write_text(f"{moved_s} {time.time() + 600}")
    off(clock)
    file.unlink()
    assert abs(off(clock)) < minute


@pytest.mark.parametrize("text", ["", "soon", "1e300 9e12", "nan 9e12", "1 2 3"])
def test_what_cannot_be_read_moves_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "clock").write_text(text)
    assert abs(off(MovableClock(tmp_path / "clock"))) < timedelta(minutes=1)

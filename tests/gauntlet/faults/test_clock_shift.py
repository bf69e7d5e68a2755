"""clock.shift: the file says by how much and until when; healing takes it away."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults.clock_shift import shift_clock
from shipworthy.kernel.context import utc_now
from shipworthy.kernel.movable_clock import MovableClock


def exam(clock_file: Path | None) -> Exam:
    handle = Handle(base_url="http://127.0.0.1:1", clock_file=str(clock_file) if clock_file else None)
    target = Target(name="A", kind="shipworthy", manifest=Manifest(app="A"))
    return Exam(target, StartedInstance(handle, None))


async def test_the_apps_clock_is_moved_until_the_check_ends(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    asking = exam(file)
    assert asking.can("clock")
    await shift_clock(asking, by_s=-7200, lease_s=60)
    assert -7260 < (MovableClock(file)() - utc_now()).total_seconds() < -7140
    _, until_s = file.read_text().split()
    assert time.time() < float(until_s) <= time.time() + 60
    assert await asking.heal() == []
    assert abs((MovableClock(file)() - utc_now()).total_seconds()) < 60
    assert await asking.heal() == []


async def test_what_cannot_be_moved_or_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Undecided, match="offers no clock"):
        await shift_clock(exam(None), by_s=1, lease_s=60)
    with pytest.raises(Undecided, match="could not be moved"):
        await shift_clock(exam(tmp_path / "nowhere" / "clock"), by_s=1, lease_s=60)
    for by_s in (float("nan"), 1e9):
        with pytest.raises(ValueError, match="a clock is moved"):
            await shift_clock(exam(tmp_path / "clock"), by_s=by_s, lease_s=60)
    with pytest.raises(ValueError, match="a lease lasts"):
        await shift_clock(exam(tmp_path / "clock"), by_s=1, lease_s=0)
    assert not exam(None).can("clock")

"""cpu.squeeze and memory.squeeze: bounded, and gone with their lease, their healing or the memory.

Covers: squeeze, burden.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.faults import squeeze as squeezes
from shipworthy.gauntlet.faults.burden import free_bytes, hold_memory
from shipworthy.gauntlet.faults.squeeze import squeeze_cpu, squeeze_memory
from shipworthy.gauntlet.processid import process_id
from tests.gauntlet.faults.conftest import PATIENCE_S, App


async def test_every_core_is_shared_until_it_is_healed(app: App) -> None:
    exam = app.exam()
    squeeze = await squeeze_cpu(exam, lease_s=60)
    pids = squeeze.pids
    assert len(pids) == len(os.sched_getaffinity(0))
    assert all(map(process_id, pids))
    assert await exam.heal() == []
    assert not any(map(process_id, pids))
    await squeeze.heal()


async def test_burdens_end_with_their_lease_though_nobody_heals(app: App) -> None:
    squeeze = await squeeze_cpu(app.exam(), lease_s=0.3)
    async with asyncio.timeout(PATIENCE_S):
        while squeeze.pids:
            await asyncio.sleep(0.02)


async def test_memory_is_held_and_given_back(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    exam = app.exam()
    monkeypatch.setattr(squeezes, "free_bytes", lambda: 64 * 1024 * 1024)  # no real share of this machine
    squeeze = await squeeze_memory(exam, share=0.5, lease_s=60)
    assert squeeze.held_bytes == 32 * 1024 * 1024
    assert await exam.heal() == []
    assert squeeze.pids == []


async def test_a_burden_that_cannot_be_there_in_time_is_no_burden(app: App) -> None:
    with pytest.raises(Undecided, match="its lease was over"):
        await squeeze_cpu(app.exam(), lease_s=0.000_001)


def test_what_is_to_be_left_to_others_is_left() -> None:
    assert free_bytes() > 0
    held = hold_memory(8 * 1024 * 1024, leave_bytes=2**60)
    assert held is not None
    assert len(held) == 4096
    assert hold_memory(0, leave_bytes=0) is None


async def test_more_than_the_bounds_is_refused_before_anything_starts(app: App) -> None:
    exam = app.exam()
    with pytest.raises(ValueError, match="busy_a_core"):
        await squeeze_cpu(exam, busy_a_core=5, lease_s=60)
    with pytest.raises(ValueError, match="share"):
        await squeeze_memory(exam, share=0.9, lease_s=60)
    with pytest.raises(ValueError, match="a lease lasts"):
        await squeeze_cpu(exam, lease_s=10_000)
    assert await exam.heal() == []

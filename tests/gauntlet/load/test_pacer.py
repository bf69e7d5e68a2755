"""Both pacers call back, once, and never before the time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

import pytest

from shipworthy.gauntlet.load.pacer import CallLaterPacer, Pacer, TimerfdPacer, make_pacer

MS = 1_000_000
PACERS = [
    pytest.param(TimerfdPacer, marks=pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux")),
    CallLaterPacer,
]
MakePacer = Callable[[asyncio.AbstractEventLoop, Callable[[], None]], Pacer]


@pytest.mark.parametrize("make", PACERS)
async def test_it_wakes_at_or_after_the_wished_time(make: MakePacer) -> None:
    woken: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    pacer = make(asyncio.get_running_loop(), lambda: woken.set_result(time.monotonic_ns()))
    wished_ns = time.monotonic_ns() + 20 * MS
    pacer.wake_at(wished_ns)
    # call_later counts from a clock the loop read a moment earlier, hence the millisecond.
    assert await asyncio.wait_for(woken, 30) >= wished_ns - 1 * MS
    pacer.close()


@pytest.mark.parametrize("make", PACERS)
async def test_a_time_already_passed_wakes_at_once(make: MakePacer) -> None:
    woken = asyncio.Event()
    pacer = make(asyncio.get_running_loop(), woken.set)
    pacer.wake_at(time.monotonic_ns() - 5 * MS)
    await asyncio.wait_for(woken.wait(), 30)
    pacer.close()


@pytest.mark.parametrize("make", PACERS)
async def test_a_new_wish_replaces_the_old_one(make: MakePacer) -> None:
    calls: list[int] = []
    woken = asyncio.Event()

    def on_due() -> None:
        calls.append(time.monotonic_ns())
        woken.set()

    pacer = make(asyncio.get_running_loop(), on_due)
    later_ns = time.monotonic_ns() + 40 * MS
    pacer.wake_at(time.monotonic_ns() + 3_600_000 * MS)
    pacer.wake_at(later_ns)
    await asyncio.wait_for(woken.wait(), 30)
    pacer.close()
    assert len(calls) == 1


@pytest.mark.parametrize("make", PACERS)
async def test_after_close_it_never_calls(make: MakePacer) -> None:
    calls: list[None] = []
    silent = make(asyncio.get_running_loop(), lambda: calls.append(None))
    silent.wake_at(time.monotonic_ns() + 1 * MS)
    silent.close()
    woken = asyncio.Event()
    other = make(asyncio.get_running_loop(), woken.set)
    other.wake_at(time.monotonic_ns() + 20 * MS)
    await asyncio.wait_for(woken.wait(), 30)
    other.close()
    assert calls == []


async def test_where_there_is_no_timerfd_the_loops_timer_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipworthy.gauntlet.load.pacer.ctypes.CDLL", lambda *_a, **_k: object())
    pacer = make_pacer(asyncio.get_running_loop(), lambda: None)
    assert pacer.name == "call_later"
    pacer.close()


@pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux")
async def test_on_linux_the_timerfd_is_used() -> None:
    pacer = make_pacer(asyncio.get_running_loop(), lambda: None)
    assert pacer.name == "timerfd"
    pacer.close()

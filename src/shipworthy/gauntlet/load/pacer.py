"""Waking up when the next arrival is due, to a fraction of a millisecond.

uvloop's own timers count whole milliseconds, and spinning on them took a full core when
measured. A timerfd is a file the kernel makes readable at a nanosecond; where there is none
(macOS) the loop's timer has to do, and the audit shows the lag it costs.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import time
from collections.abc import Callable
from typing import Protocol

_CLOCK_MONOTONIC = 1
_TFD_NONBLOCK = os.O_NONBLOCK
_TFD_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_TFD_TIMER_ABSTIME = 1
_NS_PER_S = 1_000_000_000


class Pacer(Protocol):
    """Calls back once after each `wake_at`."""

    name: str

    def wake_at(self, monotonic_ns: int) -> None:
        """Call back at this moment of `time.monotonic_ns`, replacing an earlier wish."""

    def close(self) -> None:
        """Never call back again, and free what was held."""


def make_pacer(loop: asyncio.AbstractEventLoop, on_due: Callable[[], None]) -> Pacer:
    """Return the most precise pacer this machine has."""
    try:
        return TimerfdPacer(loop, on_due)
    except (AttributeError, OSError):  # no such function in this libc, or the kernel refuses
        return CallLaterPacer(loop, on_due)


class TimerfdPacer:
    """Wakes by a Linux timerfd. Through ctypes, since os.timerfd_create begins with Python 3.13."""

    name = "timerfd"

    def __init__(self, loop: asyncio.AbstractEventLoop, on_due: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd: int = libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK | _TFD_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._settime = libc.timerfd_settime
        self._settime.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._spec = _ItimerSpec()
        self._spec_at = ctypes.addressof(self._spec)
        self._loop, self._on_due = loop, on_due
        loop.add_reader(self._fd, self._readable)

    def wake_at(self, monotonic_ns: int) -> None:
        self._spec.value_s, self._spec.value_ns = divmod(monotonic_ns, _NS_PER_S)
        if self._settime(self._fd, _TFD_TIMER_ABSTIME, self._spec_at, None) != 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime failed")

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _readable(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return  # re-armed between the wake-up and now
        self._on_due()


class CallLaterPacer:
    """Wakes by the event loop's timer, to about a millisecond."""

    name = "call_later"

    def __init__(self, loop: asyncio.AbstractEventLoop, on_due: Callable[[], None]) -> None:
        self._loop, self._on_due = loop, on_due
        self._handle: asyncio.TimerHandle | None = None

    def wake_at(self, monotonic_ns: int) -> None:
        self.close()
        delay_s = max(0, monotonic_ns - time.monotonic_ns()) / _NS_PER_S
        self._handle = self._loop.call_later(delay_s, self._on_due)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()


class _ItimerSpec(ctypes.Structure):
    """struct itimerspec of timerfd_settime(2), on a 64-bit time_t."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )

"""The fault process.kill: end a process of the instance as a crash would, and see it come back.

Ends only pids that the instance's own handle names. Whoever supervises the instance starts the
process again; the examiner starts nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time

from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Unanswered

NAME = "process.kill"
# A supervisor pauses longer with each crash in a row (ours: 0.2 s doubling to 5 s), then the
# process itself starts; on a busy machine both together took up to 10 s (2026-11).
RESTART_TIMEOUT_S = 40.0
_POLL_S = 0.05


async def kill_process(exam: Exam, name: str) -> int:
    """End the process `name` with SIGKILL and return the pid it had.

    When the check ends, it waits until the process runs again.
    Errors:  Undecided when the handle names no such process, or one that is gone already.
    """
    pid = pid_of(exam, name)
    if pid is None:
        raise Undecided(f"The instance names no running process {name!r}, so it cannot be ended.")
    exam.heal_later(f"{name} was killed", lambda: _back(exam, name, pid))
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        raise Undecided(f"{name} (pid {pid}) had ended before it could be killed.") from None
    except PermissionError:
        raise Undecided(f"{name} (pid {pid}) belongs to another user and cannot be killed.") from None
    return pid


async def restarted(
    exam: Exam, name: str, *, dead_pid: int, timeout_s: float = RESTART_TIMEOUT_S
) -> float | None:
    """Wait until the handle names a new process `name`; return how long that took.

    Units:   seconds; None when it did not happen within `timeout_s`.
    """
    began = time.monotonic()
    while pid_of(exam, name) in (None, dead_pid):
        if time.monotonic() - began > timeout_s:
            return None
        await asyncio.sleep(_POLL_S)
    return time.monotonic() - began


async def answering(exam: Exam, *, timeout_s: float = RESTART_TIMEOUT_S) -> bool:
    """Wait until the app answers its health path with anything but a server error."""
    session = exam.anonymous()
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            if (await session.get(exam.target.health, timeout_s=2.0)).status < 500:
                return True
        except Unanswered:
            pass  # it is still starting
        await asyncio.sleep(_POLL_S)
    return False


def pid_of(exam: Exam, name: str) -> int | None:
    """Return the pid the handle gives for a process now; None while it has none."""
    found = next((process.pid for process in exam.handle.processes if process.name == name), None)
    # 0 and below mean whole groups of processes to the system; we ourselves are never a target.
    return found if found is not None and found > 1 and found != os.getpid() else None


async def _back(exam: Exam, name: str, dead_pid: int) -> None:
    if await restarted(exam, name, dead_pid=dead_pid) is None:
        raise TimeoutError(f"{name} was not started again within {RESTART_TIMEOUT_S:g} s")
    if name == "web" and not await answering(exam):
        raise TimeoutError(f"web did not answer again within {RESTART_TIMEOUT_S:g} s")

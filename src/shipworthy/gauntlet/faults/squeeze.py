"""The faults cpu.squeeze and memory.squeeze: others on the machine take what the app needs.

Busy processes beside the app, as many to a core as are asked for, so that each core is shared
with them; or ballast in memory. Both are bounded, and end with their lease or with us (burden.py).
Control groups were rejected as the default: they can be written by few users and on few machines.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from typing import Any

from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults.burden import free_bytes
from shipworthy.gauntlet.proxy.toxic import lease_of

CPU, MEMORY = "cpu.squeeze", "memory.squeeze"
BUSY_A_CORE_MAX = 4  # with four the app gets a fifth of each core; more would only starve the examiner
SHARE, SHARE_MAX = 0.25, 0.5  # of the memory that is free when it begins
_START_TIMEOUT_S = 60.0  # filling memory takes a second a gigabyte, on a busy machine several


class Squeeze:
    """Burdens that are there. `heal` ends them, any number of times."""

    def __init__(self) -> None:
        self._burdens: list[asyncio.subprocess.Process] = []
        self.held_bytes = 0

    @property
    def pids(self) -> list[int]:
        return [burden.pid for burden in self._burdens if burden.returncode is None]

    async def heal(self) -> None:
        for burden in self._burdens:
            if burden.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    burden.kill()
            await burden.wait()

    async def add(self, kind: str, **facts: Any) -> None:
        burden = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "shipworthy.gauntlet.faults.burden",
            kind,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._burdens.append(burden)
        assert burden.stdin is not None
        assert burden.stdout is not None
        burden.stdin.write(json.dumps(facts).encode() + b"\n")
        try:
            said = await asyncio.wait_for(burden.stdout.readline(), _START_TIMEOUT_S)
        except TimeoutError:
            said = b""
        if not said:
            raise Undecided(
                f"A burden on the {kind} ended before it weighed on anything: its lease was over by then, or it was killed."
            )
        self.held_bytes += json.loads(said).get("held_bytes", 0)


async def squeeze_cpu(exam: Exam, *, busy_a_core: int = 1, lease_s: float) -> Squeeze:
    """Keep every core busy with this many processes; with one the app gets half of what it had.

    Ended when the check ends, at the latest when the lease does.
    Errors:  ValueError for more than BUSY_A_CORE_MAX, or a lease that cannot be kept.
    """
    if not 1 <= busy_a_core <= BUSY_A_CORE_MAX:
        raise ValueError(f"busy_a_core is 1 to {BUSY_A_CORE_MAX}, not {busy_a_core}")
    squeeze = _begun(exam, "the CPU was taken away")
    for _ in range(busy_a_core * len(_cores())):
        await squeeze.add("cpu", lease_s=lease_of(lease_s))
    return squeeze


async def squeeze_memory(exam: Exam, *, share: float = SHARE, lease_s: float) -> Squeeze:
    """Hold this share of the memory that is free now.

    An app on a machine with much memory does not feel it: `held_bytes` says what was taken.
    Errors:  ValueError for a share above SHARE_MAX; Undecided where free memory cannot be told.
    """
    if not 0 < share <= SHARE_MAX:
        raise ValueError(f"share is above 0 and up to {SHARE_MAX}, not {share}")
    try:
        free = free_bytes()
    except OSError as unknown:
        raise Undecided(f"How much memory is free cannot be told here: {unknown}") from unknown
    squeeze = _begun(exam, "memory was taken away")
    await squeeze.add(
        "memory",
        ballast_bytes=int(free * share),
        leave_bytes=int(free * (1 - SHARE_MAX)),
        lease_s=lease_of(lease_s),
    )
    return squeeze


def _begun(exam: Exam, what: str) -> Squeeze:
    squeeze = Squeeze()
    exam.heal_later(what, squeeze.heal)
    return squeeze


def _cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))

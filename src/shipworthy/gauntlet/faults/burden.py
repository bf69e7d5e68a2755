"""A burden: a process that takes CPU or memory away from others and ends by itself.

Run as `python -m shipworthy.gauntlet.faults.burden cpu|memory`; facts as one JSON line on
standard input. It ends with its lease (the system's own alarm, which no bug of ours can miss),
with the end of its input, and first of all when memory runs out.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import signal
import sys
import threading
from pathlib import Path

_CHUNK_BYTES = 1024 * 1024
_CGROUP = Path("/sys/fs/cgroup")


def main() -> None:
    facts = json.loads(sys.stdin.buffer.readline())
    signal.setitimer(signal.ITIMER_REAL, facts["lease_s"])  # unhandled, SIGALRM ends the process
    threading.Thread(target=_end_with_input, daemon=True).start()
    if sys.argv[1] == "memory":
        _be_the_first_to_go()
        held = hold_memory(facts["ballast_bytes"], leave_bytes=facts["leave_bytes"])
        _say({"held_bytes": len(held) if held else 0})
        signal.pause()
    _say({})
    while True:
        pass


def hold_memory(ballast_bytes: int, *, leave_bytes: int) -> mmap.mmap | None:
    """Take memory, page by page, as long as `leave_bytes` stay free for others."""
    if ballast_bytes <= 0:
        return None
    held, filling = mmap.mmap(-1, ballast_bytes), b"\1" * _CHUNK_BYTES
    for start in range(0, ballast_bytes, _CHUNK_BYTES):
        if free_bytes() < leave_bytes:
            held.resize(max(start, mmap.PAGESIZE))
            break
        end = min(start + _CHUNK_BYTES, ballast_bytes)
        held[start:end] = filling[: end - start]
    return held


def free_bytes() -> int:
    """Return what can still be taken: of the machine, or of our group's share if that is less."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    with contextlib.suppress(OSError, ValueError):  # no group, or one without a limit ("max")
        limit = int((_CGROUP / "memory.max").read_text(encoding="ascii"))
        free = min(free, limit - int((_CGROUP / "memory.current").read_text(encoding="ascii")))
    return free


def _be_the_first_to_go() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _say(facts: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

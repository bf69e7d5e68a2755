"""What a process and its children hold and have used, as Linux counts it: memory of their own, and CPU.

RssAnon, not RSS: files that are mapped come and go with the page cache, the heap does not.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from shipworthy.gauntlet.check import Undecided

_ANONYMOUS = re.compile(r"^RssAnon:\s+(\d+) kB", re.MULTILINE)
_PROC = Path("/proc")
IDLE_S = 4.0  # the app's own timers come round every second or two


def anonymous_bytes(pids: Iterable[int]) -> int:
    """Return the anonymous memory of these processes and all below them.

    Errors:  Undecided when one of them is gone, or this system does not tell.
    """
    if not (_PROC / "self" / "status").exists():
        raise Undecided(
            "This system does not tell the memory of a process (no /proc).", fix="Run it on Linux."
        )
    roots = set(pids)
    own = {pid: _anonymous(pid) for pid in roots}
    if gone := [pid for pid, size in own.items() if size is None]:
        raise Undecided(f"The process {gone[0]} is gone, so its memory cannot be followed.")
    # A child may end while it is looked at: that is its business, and it then holds nothing.
    below = sum(_anonymous(pid) or 0 for pid in _descendants(roots) - roots)
    return below + sum(size or 0 for size in own.values())


def cpu_s(pids: Iterable[int]) -> float:
    """Return the CPU seconds, user and system, of these processes and all below them, so far.

    What one used that has ended since counts no more. Errors: Undecided when this system does not tell.
    """
    if not (_PROC / "self" / "stat").exists():
        raise Undecided("This system does not tell the CPU of a process (no /proc).", fix="Run it on Linux.")
    ticks = sum(_ticks(_PROC / str(pid)) for pid in _descendants(set(pids)))
    return ticks / os.sysconf("SC_CLK_TCK")


async def idle_cores(groups: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Return how many cores each group of processes keeps busy by itself. Takes `IDLE_S`. Errors: as `cpu_s`."""
    before, began = {name: cpu_s(pids) for name, pids in groups.items()}, time.monotonic()
    await asyncio.sleep(IDLE_S)
    took_s = time.monotonic() - began
    return {name: (cpu_s(pids) - before[name]) / took_s for name, pids in groups.items()}


def _ticks(folder: Path) -> int:
    fields = _stat(folder)
    return int(fields[11]) + int(fields[12]) if fields else 0


def _anonymous(pid: int) -> int | None:
    try:
        found = _ANONYMOUS.search((_PROC / str(pid) / "status").read_text(encoding="ascii", errors="replace"))
    except OSError:
        return None
    return int(found.group(1)) * 1024 if found else None  # a zombie has no memory to tell of


def _descendants(roots: set[int]) -> set[int]:
    parents = {}
    for folder in _PROC.iterdir():
        if folder.name.isdecimal() and (parent := _parent(folder)) is not None:
            parents[int(folder.name)] = parent
    found, grew = set(roots), True
    while grew:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found, grew = found | more, bool(more)
    return found


def _parent(folder: Path) -> int | None:
    fields = _stat(folder)
    return int(fields[1]) if fields else None


def _stat(folder: Path) -> list[str]:
    """Return the fields from the third on: state, parent, ...; none for a process that is gone."""
    try:
        text = (folder / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the name before may hold anything, brackets too

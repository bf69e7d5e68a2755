"""How many hashes may be computed at the same time on this host, by its cores and its memory."""

from __future__ import annotations

import os
from pathlib import Path

# Hashing may take a quarter of the memory: the database, the pages and the system live beside it.
_MEMORY_SHARE = 0.25
_CGROUP = Path("/sys/fs/cgroup")


def workers_here(*, hash_memory_kib: int, cores_reserved: int, processes: int) -> int:
    """Return how many hashing threads one of `processes` web processes should have; at least one."""
    return workers_for(
        cores=cores(),
        memory_bytes=memory_bytes(),
        hash_memory_kib=hash_memory_kib,
        cores_reserved=cores_reserved,
        processes=processes,
    )


def workers_for(
    *, cores: int, memory_bytes: int, hash_memory_kib: int, cores_reserved: int, processes: int
) -> int:
    by_memory = int(memory_bytes * _MEMORY_SHARE) // (hash_memory_kib * 1024)
    return max(1, min(cores - cores_reserved, by_memory) // processes)


def cores() -> int:
    """Return how many cores this process may use: its affinity, and what its container grants."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period_us = _said("cpu.max").partition(" ")
    if quota.isdecimal() and period_us.isdecimal() and int(period_us):
        mine = min(mine, max(1, int(quota) // int(period_us)))
    return mine


def memory_bytes() -> int:
    """Return how much memory this process may count on: the machine's, or its container's if that is less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _said("memory.max")
    return min(machine, int(limit)) if limit.isdecimal() else machine


def _said(name: str) -> str:
    try:
        return (_CGROUP / name).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""

"""Facts of the machine and of the code a run was about, so that a result can be compared later.

Every fact is best effort: one that cannot be read is left out, never guessed.
"""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path

_COMPUTING_S = 0.2  # long enough to be taken off a shared core several times


def machine_facts() -> dict[str, str]:
    """Return processor, cores, memory, system, Python and the load when the run began."""
    facts = {
        "cpu": _proc_value("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": str(usable_cores()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": " ".join(f"{value:.2f}" for value in os.getloadavg()),
    }
    return {name: value for name, value in facts.items() if value}


def usable_cores() -> int:
    """Return how many cores this process may use, which may be fewer than there are."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def core_share(computing_s: float = _COMPUTING_S) -> float:
    """Return what share of a core a loop that only computes gets now: 1 on a machine that nobody else uses.

    Cost:    `computing_s` of a core.
    """
    began_s, used_s = time.monotonic(), time.thread_time()
    while (used := time.thread_time() - used_s) < computing_s:
        pass
    return min(1.0, used / (time.monotonic() - began_s))


def commit_of(folder: Path) -> str:
    """Return the short commit of a folder's repository, "+" when it has changes; empty without git."""
    head = _git(folder, "rev-parse", "--short=12", "HEAD")
    return f"{head}+" if head and _git(folder, "status", "--porcelain", "--", ".") else head


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _memory() -> str:
    kib = _proc_value("/proc/meminfo", "MemTotal").partition(" ")[0]
    return f"{int(kib) / 1024**2:.1f} GiB" if kib.isdigit() else ""


def _proc_value(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")

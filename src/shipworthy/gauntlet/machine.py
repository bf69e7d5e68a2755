"""Facts of the machine and of the code a run was about, so that a result can be compared later.

Every fact is best effort: one that cannot be read is left out, never guessed.
"""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


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

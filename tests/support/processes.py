"""What still runs: processes found by the folder they work in or name, whoever started them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path


def processes_of(folder: Path) -> dict[int, str]:
    """Return pid -> command line of every process that works in `folder` or names it in its arguments."""
    return {pid: command for pid, command in _commands() if _is_of(pid, command, folder)}


def wait_for_none_of(folder: Path, *, timeout_s: float) -> None:
    """Wait until no process of `folder` is left. Errors: AssertionError naming those that are."""
    deadline = time.monotonic() + timeout_s
    while left := processes_of(folder):
        assert time.monotonic() < deadline, f"still running after {timeout_s:g} s: {left}"
        time.sleep(0.05)


def _commands() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                yield int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (OSError, UnicodeDecodeError):
                continue  # it ended while we looked


def _is_of(pid: int, command: str, folder: Path) -> bool:
    if not command:  # a zombie or a thread of the kernel: neither runs anything of ours
        return False
    try:
        works_in = Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        works_in = Path("/")
    return works_in.is_relative_to(folder) or str(folder) in command

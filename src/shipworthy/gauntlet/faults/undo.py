"""`Undo`: what takes a fault back, as data, so that another process can do it when we are gone.

Doing it twice is the same as doing it once. What belongs to a process is done to that very
process or not at all: a pid that somebody else has by now is left alone.
"""

from __future__ import annotations

import contextlib
import resource
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shipworthy.gauntlet.processid import ProcessId


@dataclass(frozen=True, kw_only=True)
class Undo:
    """One step. Of the fields only those of its kind are used.

    continue: let a stopped process go on.   file_limit: give a process its limit back.
    """

    kind: Literal["continue", "file_limit"]
    pid: int
    began: str
    soft_bytes: int = 0  # file_limit: as getrlimit says it, -1 for none

    @property
    def same_place(self) -> tuple[str, int, str]:
        """Equal for two faults that hold the same thing: the first one knows how it was before."""
        return self.kind, self.pid, self.began

    def carry_out(self) -> None:
        """Errors: OSError when the system refuses; never because the process is gone."""
        process = ProcessId(self.pid, self.began)
        if self.kind == "continue":
            process.send(signal.SIGCONT)
        elif process.is_alive:
            set_file_limit(self.pid, self.soft_bytes)


def set_file_limit(pid: int, soft_bytes: int) -> int:
    """Bound the size of the files a process may write; return the bound it had.

    Errors:  PermissionError; ProcessLookupError is not one.
    """
    with contextlib.suppress(ProcessLookupError):
        before, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft_bytes, hard))
        return before
    return soft_bytes


def minds_file_limit(pid: int) -> bool:
    """Say whether a process is told of the limit by an error, rather than ended by a signal."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    masks = [int(line.split()[1], 16) for line in lines if line.startswith(("SigIgn:", "SigCgt:"))]
    return any(mask >> (signal.SIGXFSZ - 1) & 1 for mask in masks)

"""`ProcessId`: one process and no other. A pid alone may belong to somebody else by tomorrow."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_ASK_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class ProcessId:
    """A pid and when it began, in the system's own words. Compares equal for the same process only."""

    pid: int
    began: str

    @property
    def is_alive(self) -> bool:
        return began_of(self.pid) == self.began

    def send(self, number: signal.Signals) -> bool:
        """Send this process a signal; say whether it was still there. Errors: PermissionError."""
        try:
            return self._sent(number)
        except ProcessLookupError:
            return False

    def _sent(self, number: signal.Signals) -> bool:
        if not hasattr(os, "pidfd_open"):
            if self.is_alive:
                os.kill(self.pid, number)
                return True
            return False
        # Opened before it is looked at: from here on the descriptor means one process for good.
        descriptor = os.pidfd_open(self.pid)
        try:
            if not self.is_alive:
                return False
            signal.pidfd_send_signal(descriptor, number)
            return True
        finally:
            os.close(descriptor)


def process_id(pid: int) -> ProcessId | None:
    """Return who this pid is now; None when nobody is, or only one that has ended already."""
    began = began_of(pid)
    return ProcessId(pid, began) if began else None


def began_of(pid: int) -> str:
    """Return when a process began; empty when there is none."""
    if not _PROC.joinpath("self", "stat").exists():
        return _asked_of_ps("lstart=", pid)
    facts = _facts(pid)
    return facts[19] if facts and facts[0] not in "ZX" else ""


def state_of(pid: int) -> str:
    """Return the letter of its state: R runs, S sleeps, T is stopped; empty when there is none."""
    if not _PROC.joinpath("self", "stat").exists():
        return _asked_of_ps("state=", pid)[:1]
    facts = _facts(pid)
    return facts[0] if facts else ""


def children_of(pid: int) -> list[int]:
    """Return the pids of its children, not of theirs."""
    if not _PROC.joinpath("self", "stat").exists():
        lines = _run_ps("-axo", "ppid=,pid=").splitlines()
        return [int(child) for parent, child in map(str.split, lines) if int(parent) == pid]
    pids = (int(folder.name) for folder in _PROC.iterdir() if folder.name.isdigit())
    return sorted(child for child in pids if (facts := _facts(child)) and int(facts[1]) == pid)


def living_in_group(group: int) -> list[int]:
    """Return the pids of a process group that still run; one that ended and waits to be fetched does not."""
    if not _PROC.joinpath("self", "stat").exists():
        lines = map(str.split, _run_ps("-axo", "pgid=,pid=,state=").splitlines())
        return [int(pid) for of, pid, state in lines if int(of) == group and state[0] not in "ZX"]
    pids = (int(folder.name) for folder in _PROC.iterdir() if folder.name.isdigit())
    found = ((pid, _facts(pid)) for pid in pids)
    return sorted(pid for pid, facts in found if facts and int(facts[2]) == group and facts[0] not in "ZX")


def _facts(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on: state, parent, ..., and the 20th: its start."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # a program may call itself ") R 1"


def _asked_of_ps(word: str, pid: int) -> str:
    return " ".join(_run_ps("-o", word, "-p", str(pid)).split())


def _run_ps(*arguments: str) -> str:
    done = subprocess.run(
        ["ps", *arguments], capture_output=True, text=True, timeout=_ASK_TIMEOUT_S, check=False
    )
    return done.stdout

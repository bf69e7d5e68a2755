"""What the tests of the laptop's services share: a place, another process, another user."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import open_directory

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory every user may enter, as an app's directory normally is."""
    with open_directory() as directory:
        yield directory


def until(condition: Callable[[], Any], *, timeout_s: float = 30.0) -> Any:
    """Return the first true answer of `condition`, or fail."""
    deadline_s = time.monotonic() + timeout_s
    while not (answer := condition()):
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.02)
    return answer


def is_running(pid: int) -> bool:
    """Tell whether `pid` runs; an uncollected zombie does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return not Path("/proc/self/stat").exists()
    return False


def children_of(parent_pid: int) -> list[int]:
    """Return the pids whose parent is `parent_pid` now."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, IndexError):
            if (
                entry.name.isdigit()
                and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent_pid
            ):
                found.append(int(entry.name))
    return found


class OtherProcess:
    """A Python process that runs `script`, which prints one JSON line once it is where it should be."""

    def __init__(self, script: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.said = json.loads(self._process.stdout.readline())
        self.pid = self._process.pid

    def kill(self) -> None:
        """End it as a crash would: no handler of its own runs."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def as_ordinary_user(work: Callable[[], Any]) -> Any:
    """Return what `work` returns or the error it raises, run as `nobody` in a fork when we are root."""
    if os.geteuid() != 0:
        return _outcome(work)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.write(writer, pickle.dumps(_outcome(work)))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        outcome = pickle.loads(answer.read())
    os.waitpid(child, 0)
    return outcome


def _outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:
        return {"code": getattr(error, "code", type(error).__name__), "message": str(error)}

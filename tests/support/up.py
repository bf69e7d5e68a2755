"""`shipworthy up` as a person runs it: a process of its own, watched by its handle, ended by SIGTERM."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shipworthy.contract.strict import decode
from shipworthy.contract.target import Handle

SHIPWORTHY = (sys.executable, "-m", "shipworthy")
START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 40.0


@dataclass(frozen=True, kw_only=True)
class Up:
    """A running `shipworthy up`."""

    process: subprocess.Popen[bytes]
    handle_file: Path
    log: Path

    @property
    def handle(self) -> Handle:
        """The handle as it is now: it is rewritten when a process is started again."""
        return decode(Handle, json.loads(self.handle_file.read_text(encoding="utf-8")))

    @property
    def pids(self) -> set[int]:
        return {self.process.pid, *(process.pid for process in self.handle.processes)}

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, is_so: Callable[[], bool], what: str, *, timeout_s: float) -> None:
        """Errors: AssertionError with its last words when it ends or the time does."""
        deadline = time.monotonic() + timeout_s
        while not is_so():
            ended = self.process.poll()
            if ended is not None or time.monotonic() > deadline:
                why = f"up ended with {ended}" if ended is not None else f"not in {timeout_s:g} s"
                raise AssertionError(f"{what}: {why}. It said:\n{self.said[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> int:
        """End it as `kill PID` does and return its exit status; by force, and failing, when that does not help."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"up did not end within {STOP_TIMEOUT_S:g} s of SIGTERM") from None


def scaffold(home: Path, *, rooms: str = "invoicing") -> Path:
    """Make an app with `shipworthy new` and return its folder."""
    done = shipworthy("new", str(home), "--rooms", rooms, cwd=home.parent)
    assert done.returncode == 0, done.stderr
    return home


def shipworthy(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, timeout_s: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run a command of ours to its end."""
    return subprocess.run(
        [*SHIPWORTHY, *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout_s,
        check=False,
    )


@contextmanager
def up(home: Path, *arguments: str, handle: Path, env: Mapping[str, str] | None = None) -> Iterator[Up]:
    """Run `shipworthy up` in `home` until the block ends; it is ready when the block begins."""
    handle.unlink(missing_ok=True)
    log = handle.with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*SHIPWORTHY, "up", "--handle", str(handle), *arguments],
            cwd=home,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    running = Up(process=process, handle_file=handle, log=log)
    try:
        running.wait_until(handle.exists, "up writes its handle", timeout_s=START_TIMEOUT_S)
        yield running
    finally:
        running.stop()

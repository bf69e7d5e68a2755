"""The laptop's supervisor: named child processes, kept running and stopped in order.

Owns starting, restarting, stopping and the log file of each child. Knows nothing of what the
children do; the database, which must never be killed in a hurry, has its own (postgres.py).
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from shipworthy.local.errors import ServiceFailed, file_errors_explained
from shipworthy.local.lifeline import Lifeline
from shipworthy.local.logs import log_since, open_log
from shipworthy.local.ports import LOOPBACK

T = TypeVar("T")
BACKOFF_S_FIRST, BACKOFF_S_MAX = 0.2, 5.0  # doubling: a crash loop costs at most 12 starts a minute
HEALTHY_AFTER_S = 30.0  # a child that lived this long starts again with the first, short pause
_LOG_LINES_QUOTED = 12


@dataclass(frozen=True, kw_only=True)
class Child:
    """One process to keep running. `env` None inherits ours; otherwise it is the whole environment.

    `is_ready` is asked every 50 ms until it says yes; without it a child is ready at once.
    """

    name: str
    argv: Sequence[str]
    log_file: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    is_ready: Callable[[], Awaitable[bool]] | None = None
    ready_timeout_s: float = 60.0


class Supervisor:
    """Keeps children running until `stop`; if we are killed they end too.

    `on_change` gets the pids that are alive whenever one of them ends or is started again, so
    that a handle file can be rewritten. `on_report` gets one sentence for a person each time
    a child ended unasked.
    """

    def __init__(
        self,
        *,
        on_change: Callable[[Mapping[str, int]], None] = lambda _pids: None,
        on_report: Callable[[str], None] = lambda _sentence: None,
        grace_s: float = 10.0,
    ) -> None:
        self._on_change, self._on_report, self._grace_s = on_change, on_report, grace_s
        self._running: dict[str, _Running] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}

    @property
    def pids(self) -> dict[str, int]:
        """The pid of each child that is alive, in the order they were first started."""
        return {name: running.pid for name, running in self._running.items() if running.is_alive}

    async def start(self, child: Child) -> int:
        """Start `child`, wait until it is ready, keep it running from then on; return its pid.

        Errors:  ServiceFailed, quoting its log, when it ends or stays unready the first time: a
                 child that never worked has a fault that starting it again will not mend.
        """
        assert child.name not in self._running, f"{child.name} is already supervised"
        running = await _spawn(child, grace_s=self._grace_s)
        self._running[child.name] = running
        try:
            await _until_ready(child, running)
        except BaseException:
            del self._running[child.name]
            await running.end(grace_s=self._grace_s)
            raise
        self._watchers[child.name] = asyncio.create_task(self._keep_running(child), name=f"keep {child.name}")
        self._on_change(self.pids)
        return running.pid

    async def retire(self, name: str) -> None:
        """End one child for good, as `stop` does; one that does not run any more is no mistake."""
        if watcher := self._watchers.pop(name, None):
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
        if running := self._running.pop(name, None):
            await running.end(grace_s=self._grace_s)
            self._on_change(self.pids)

    async def stop(self) -> None:
        """End every child, the last started first: SIGTERM, and SIGKILL after the grace period."""
        watchers = list(self._watchers.values())
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        self._watchers.clear()
        while self._running:
            _, running = self._running.popitem()
            await running.end(grace_s=self._grace_s)

    async def _keep_running(self, child: Child) -> None:
        backoff_s = BACKOFF_S_FIRST
        while True:
            running = self._running[child.name]
            await running.process.wait()
            running.bury()
            self._on_change(self.pids)
            if time.monotonic() - running.started_at_s >= HEALTHY_AFTER_S:
                backoff_s = BACKOFF_S_FIRST
            self._on_report(
                f"{child.name} (pid {running.pid}) ended {_manner(running.process.returncode)}; "
                f"starting it again in {backoff_s:g} s. Its log: {child.log_file}"
            )
            backoff_s = await self._start_again(child, backoff_s)
            self._on_change(self.pids)

    async def _start_again(self, child: Child, backoff_s: float) -> float:
        """Start `child` however often it takes; return the pause to make if it ends again at once."""
        while True:
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, BACKOFF_S_MAX)
            try:
                self._running[child.name] = await _spawn(child, grace_s=self._grace_s)
            except ServiceFailed as error:
                self._on_report(f"{error.message} Next try in {backoff_s:g} s.")
            else:
                return backoff_s


async def accepts_connections(port: int) -> bool:
    """Tell whether something listens on the loopback `port`."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, port), timeout=2.0)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def answers_http(port: int, *, path: str = "/", host: str = "localhost") -> bool:
    """Tell whether `GET path` on the loopback `port` is answered with a status below 500."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, port), timeout=2.0)
    except (OSError, TimeoutError):
        return False
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode("ascii")
        )
        status_line = await asyncio.wait_for(reader.readline(), timeout=10.0)
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
    words = status_line.split()
    return len(words) >= 2 and words[1].isdigit() and int(words[1]) < 500


class _Running:
    """One started process, its process group and its lifeline."""

    def __init__(self, process: asyncio.subprocess.Process, *, grace_s: float, log_offset: int) -> None:
        self.process, self.pid, self.log_offset = process, process.pid, log_offset
        self.started_at_s = time.monotonic()
        self._lifeline = Lifeline(
            process.pid, how=signal.SIGTERM, group=True, kill_after_s=max(1, round(grace_s))
        )

    @property
    def is_alive(self) -> bool:
        return self.process.returncode is None

    async def end(self, *, grace_s: float) -> None:
        if self.is_alive:
            with suppress(ProcessLookupError):
                self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), timeout=grace_s)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    self.process.kill()
                await self.process.wait()
        self.bury()

    def bury(self) -> None:
        """Clear what an ended process leaves: its own workers would still hold the port."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._lifeline.release()


async def _spawn(child: Child, *, grace_s: float) -> _Running:
    with file_errors_explained(child.log_file.parent):
        log = open_log(child.log_file)
    with log:
        log_offset = log.seek(0, os.SEEK_END)
        try:
            process = await asyncio.create_subprocess_exec(
                *child.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=None if child.env is None else dict(child.env),
                cwd=child.cwd,
                start_new_session=True,  # its own group; Ctrl-C reaches us alone and we stop in order
            )
        except OSError as error:
            raise ServiceFailed(
                f"{child.name} cannot be started: {child.argv[0]}: {error.strerror}."
            ) from error
    return _Running(process, grace_s=grace_s, log_offset=log_offset)


async def _until_ready(child: Child, running: _Running) -> None:
    deadline_s = time.monotonic() + child.ready_timeout_s
    while running.is_alive:
        if child.is_ready is None or await child.is_ready():
            return
        if time.monotonic() > deadline_s:
            raise ServiceFailed(
                f"{child.name} was not ready within {child.ready_timeout_s:g} s. {_quoted(child, running)}"
            )
        await asyncio.sleep(0.05)
    raise ServiceFailed(
        f"{child.name} ended {_manner(running.process.returncode)} while starting. {_quoted(child, running)}"
    )


def _quoted(child: Child, running: _Running) -> str:
    lines = log_since(child.log_file, offset=running.log_offset).strip().splitlines()[-_LOG_LINES_QUOTED:]
    return (
        "\n  ".join([f"Its log ({child.log_file}) ends:", *lines])
        if lines
        else f"Its log {child.log_file} is empty."
    )


def _manner(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"by {signal.Signals(-returncode).name}"
    return f"with exit code {returncode}"


def is_taken(pid: int) -> bool:
    """Say whether there is a process with this id, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def to_its_end(work: Callable[[], T]) -> T:
    """Run blocking `work` in a thread; when cancelled, wait for it all the same before passing that on: it still writes."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise

"""Starting and stopping a program that is examined, in a process group of its own.

Owns: the log of what it says, the wait until it is ready, and that nothing it started outlives
the examiner. Ends only what it began, by process id.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from shipworthy.contract.target import Handle
from shipworthy.gauntlet.evidence import tail
from shipworthy.gauntlet.processid import living_in_group

STOP_TIMEOUT_S = 20.0  # a database that shuts down cleanly under load takes seconds
_POLL_S = 0.05


class StartFailed(Exception):
    """The target did not come up. The message says what happened and ends with its last words."""


class Program:
    """A started program. `stop` ends it and everything in its process group."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._is_stopping = False
        self.log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    def died(self) -> str:
        """Return how it ended without being asked to; empty while it runs."""
        code = self._process.returncode
        if code is None or self._is_stopping:
            return ""
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit status {code}"
        return f"The app {how}."

    async def wait_for(
        self, what: str, is_ready: Callable[[], Awaitable[bool]], *, timeout_s: float
    ) -> float:
        """Wait until `is_ready`; return how long it took, in seconds.

        Errors:  StartFailed when it ends or takes longer than `timeout_s`.
        """
        began = time.monotonic()
        while not await is_ready():
            if died := self.died():
                raise StartFailed(f"{died}{self._last_words()}")
            if time.monotonic() - began > timeout_s:
                raise StartFailed(f"{what} within {timeout_s:g} s did not happen.{self._last_words()}")
            await asyncio.sleep(_POLL_S)
        return time.monotonic() - began

    async def stop(self, *, first: int | None = None) -> None:
        """End it: SIGTERM to `first` (the process that stops the rest) or the group, then SIGKILL."""
        self._is_stopping = True
        if self._process.returncode is None:
            _signal(first, signal.SIGTERM) if first else self._signal_group(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_S)
        self._signal_group(signal.SIGKILL)  # whoever stayed behind in the group
        await self._process.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._until_group_is_gone()

    async def _until_group_is_gone(self) -> None:
        while living_in_group(self._process.pid):  # noqa: ASYNC110 - that a process lives can only be asked
            await asyncio.sleep(_POLL_S / 10)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _last_words(self) -> str:
        words = tail(self.log)
        return f" Its last words:\n{words}" if words else " It said nothing."


async def start_program(command: Sequence[str], *, cwd: str, env: Mapping[str, str], log: Path) -> Program:
    """Start a program in its own process group, with what it says going to `log`.

    Errors:  StartFailed when it cannot be started at all.
    """
    try:
        with log.open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=cwd,
                env={**os.environ, **env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
    except OSError as failed:
        raise StartFailed(f"{command[0]!r} could not be started in {cwd}: {failed.strerror}") from failed
    return Program(process, log)


class StartedInstance:
    """An instance whose handle was known once and for all when it started."""

    def __init__(self, handle: Handle, program: Program | None) -> None:
        self._handle, self._program = handle, program

    @property
    def handle(self) -> Handle:
        return self._handle

    def died(self) -> str:
        return self._program.died() if self._program else ""


# Of what looks at files only, before anything is started.
NOT_STARTED = StartedInstance(Handle(base_url=""), None)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)

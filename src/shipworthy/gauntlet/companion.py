"""A companion: a process of the examiner's own that outlives it, spoken to in JSON lines.

Both ends of the pipe: `Companion` asks, `obey` answers. The end of the pipe tells the companion
that the examiner is gone, however it went; what it then does is its own affair.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from shipworthy.contract.strict import Undecodable

ANSWER_TIMEOUT_S = 20.0  # answers take a millisecond; on a machine under load, and no longer
END_TIMEOUT_S = 10.0
_LINE_BYTES_MAX = 1024 * 1024

Obey = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class CompanionGone(Exception):
    """The companion ended or does not answer; nothing more can be asked of it."""


class Companion:
    """The examiner's end."""

    def __init__(self, process: asyncio.subprocess.Process, what: str) -> None:
        self._process, self._what = process, what
        self._turn, self._asked = asyncio.Lock(), 0

    @property
    def pid(self) -> int:
        return self._process.pid

    def died(self) -> str:
        """Return how it ended without being asked to; empty while it runs."""
        code = self._process.returncode
        return "" if code is None else f"{self._what} (pid {self.pid}) ended with status {code}."

    async def ask(self, do: str, **facts: Any) -> dict[str, Any]:
        """Have one thing done and return the answer.

        Errors:  ValueError when it refuses, with its words; CompanionGone.
        """
        async with self._turn:
            self._asked += 1
            line = json.dumps({"id": self._asked, "do": do, **facts}) + "\n"
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    answer = await self._answer_to(line)
            except TimeoutError:
                raise CompanionGone(f"{self._what} did not answer within {ANSWER_TIMEOUT_S:g} s.") from None
            except OSError as broken:
                raise CompanionGone(f"{self._what} is gone: {broken}.") from broken
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    async def end(self) -> None:
        """Close the pipe and wait until it has ended; one that does not is killed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), END_TIMEOUT_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _answer_to(self, line: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line.encode())
        await self._process.stdin.drain()
        while True:
            said = await self._process.stdout.readline()
            if not said:
                await self._process.wait()
                raise CompanionGone(self.died())
            answer: dict[str, Any] = json.loads(said)
            if answer.get("id") == self._asked:  # an older one belongs to a question that was given up
                return answer


async def start_companion(module: str, *, what: str) -> Companion:
    """Start `python -m module` in a session of its own, so that no signal meant for us reaches it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        limit=_LINE_BYTES_MAX,
    )
    return Companion(process, what)


async def obey(carry_out: Obey) -> None:
    """The companion's end: answer each line of standard input until it ends."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(limit=_LINE_BYTES_MAX)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        asked = json.loads(line)
        try:
            answer = await carry_out(asked)
        except (KeyError, ValueError, OSError, Undecodable) as refused:
            answer = {"error": str(refused)}
        with contextlib.suppress(BrokenPipeError):  # nobody reads any more: the end of input follows
            sys.stdout.write(json.dumps({"id": asked["id"], **answer}) + "\n")
            sys.stdout.flush()

"""An exam of processes that are ours: a parent with a child, each writing to a file of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Handle, Process, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.processid import state_of

PATIENCE_S = 30.0

# Writes a line whenever it is told to on standard input, and says how that went.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
for line in sys.stdin:
    try:
        with open(sys.argv[1], "a") as file:
            file.write(line)
        print("written", flush=True)
    except OSError as failed:
        print(failed.strerror, flush=True)
child.kill()
"""


@dataclass
class App:
    """A parent and its child."""

    process: asyncio.subprocess.Process
    child: int
    exams: list[Exam] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.process.pid

    def exam(self) -> Exam:
        processes = (Process(name="web", pid=self.pid), Process(name="database", pid=self.pid))
        handle = Handle(base_url="http://127.0.0.1:1", processes=processes)
        target = Target(name="A", kind="command", manifest=Manifest(app="A"))
        exam = Exam(target, StartedInstance(handle, None))
        self.exams.append(exam)
        return exam

    async def write(self) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"a line\n")
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S)
        return line.decode().strip()

    async def until(self, *states: str) -> None:
        """Wait until the parent and the child are in one of these states."""
        await _until(states, self.pid, self.child)

    async def until_own(self, *states: str) -> None:
        """Wait until the parent is in one of these states, whatever the child does."""
        await _until(states, self.pid)


async def _until(states: tuple[str, ...], *pids: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not all(state_of(pid) in states for pid in pids):
            await asyncio.sleep(0.01)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path / "written"),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    running = App(process, int(await process.stdout.readline()))
    try:
        yield running
    finally:
        for exam in running.exams:
            await exam.heal()
            await exam.close()
        if process.returncode is None:
            process.kill()
        await process.wait()

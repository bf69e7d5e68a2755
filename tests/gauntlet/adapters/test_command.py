"""A stranger's command: started on a free port, waited for, and gone afterwards with all its children.

Covers: instance, start.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Target
from shipworthy.gauntlet.adapters.instance import StartFailed
from shipworthy.gauntlet.adapters.start import started
from shipworthy.gauntlet.evidence import tail
from shipworthy.gauntlet.http import HttpSession
from tests.support.programs import server_command


def target(command: tuple[str, ...], folder: Path, **facts: object) -> Target:
    return Target(
        name="S", kind="command", manifest=Manifest(app="S"), start=command, workdir=str(folder), **facts
    )  # type: ignore[arg-type]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


async def test_it_answers_while_examined_and_is_gone_with_its_children_afterwards(tmp_path: Path) -> None:
    async with started(target(server_command(tmp_path, "--child"), tmp_path), tmp_path) as instance:
        handle = instance.handle
        session = HttpSession(handle.base_url)
        assert (await session.get("/")).text == "hello"
        await session.close()
        pids = [int((tmp_path / name).read_text()) for name in ("pid", "child")]
        assert handle.processes[0].pid == handle.pid == pids[0]
        assert handle.started_in_s is not None
        assert "listening" in tail(Path(handle.log_files[0]))
        assert instance.died() == ""
        assert all(map(is_running, pids))
    assert not any(map(is_running, pids))


async def test_one_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "print('no database here'); raise SystemExit(4)", "{port}")
    with pytest.raises(StartFailed, match=r"exit status 4(.|\n)*no database here"):
        async with started(target(command, tmp_path), tmp_path):
            raise AssertionError("it did not start")


async def test_one_that_only_answers_errors_is_not_ready_in_time(tmp_path: Path) -> None:
    sick = target(server_command(tmp_path, "--sick"), tmp_path, start_timeout_s=0.5, health="/health")
    with pytest.raises(StartFailed, match="GET /health within 0.5 s did not happen"):
        async with started(sick, tmp_path):
            raise AssertionError("it is sick")
    assert not is_running(int((tmp_path / "pid").read_text()))


async def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="'no-such-program' could not be started"):
        async with started(target(("no-such-program", "{port}"), tmp_path), tmp_path):
            raise AssertionError("there is none")


async def test_a_death_nobody_asked_for_is_noticed(tmp_path: Path) -> None:
    async with started(target(server_command(tmp_path), tmp_path), tmp_path) as instance:
        os.kill(int((tmp_path / "pid").read_text()), 9)
        while not instance.died():
            await asyncio.sleep(0.01)
        assert instance.died() == "The app was ended by signal 9."

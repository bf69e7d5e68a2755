"""process.stop: all of a process hangs and all of it goes on, whoever dies meanwhile.

Covers: process_tree, lease, watchdog, undo.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace

import pytest

from shipworthy.contract.target import Process
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.faults.stop_process import stop_process
from shipworthy.gauntlet.faults.undo import Undo
from shipworthy.gauntlet.processid import began_of, process_id, state_of
from tests.gauntlet.faults.conftest import PATIENCE_S, App

GOING = ("R", "S", "D")


async def test_a_process_and_its_children_hang_until_they_are_healed(app: App) -> None:
    exam = app.exam()
    assert await stop_process(exam, "web", lease_s=60) == [app.pid, app.child]
    await app.until("T")
    assert await exam.heal() == []
    await app.until(*GOING)
    assert await app.write() == "written"


async def test_the_lease_heals_what_nobody_healed_and_healing_afterwards_is_harmless(app: App) -> None:
    exam = app.exam()
    await stop_process(exam, "web", lease_s=1.0)
    await app.until("T")
    await app.until(*GOING)
    assert await exam.heal() == []
    assert await app.write() == "written"


async def test_two_faults_on_one_process_end_with_the_second(app: App) -> None:
    exam = app.exam()
    undo = Undo(kind="continue", pid=app.pid, began=began_of(app.pid))
    one, other = [await exam.lease("it was stopped", undo, lease_s=60) for _ in range(2)]
    os.kill(app.pid, signal.SIGSTOP)
    await app.until_own("T")
    await one.heal()
    assert state_of(app.pid) == "T"
    await other.heal()
    await app.until(*GOING)
    assert await exam.heal() == []


async def test_a_lease_shorter_than_the_faults_own_start_leaves_nothing_stopped(app: App) -> None:
    exam = app.exam()
    with pytest.raises(Undecided, match="The lease ended before it was in force"):
        await stop_process(exam, "web", lease_s=0.000_001)
    await app.until(*GOING)
    with pytest.raises(ValueError, match="a lease lasts"):
        await stop_process(exam, "web", lease_s=0)
    await app.until(*GOING)


async def test_healing_is_harmless_when_the_process_is_gone(app: App) -> None:
    exam = app.exam()
    await stop_process(exam, "web", lease_s=60)
    os.kill(app.child, 9)
    app.process.kill()
    await app.process.wait()
    assert await exam.heal() == []
    with pytest.raises(Undecided, match="names no running process 'web'"):
        await stop_process(exam, "web", lease_s=60)


async def test_a_lease_never_touches_another_process_under_the_same_pid(app: App) -> None:
    exam = app.exam()
    await stop_process(exam, "web", lease_s=60)
    await app.until("T")
    stranger = Undo(kind="continue", pid=app.pid, began="another start")
    lease = await exam.lease("somebody else was stopped", stranger, lease_s=60)
    await lease.heal()
    assert state_of(app.pid) == "T"


EXAMINER = """
import asyncio, sys
from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Handle, Process, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults.disk_full import fill_disk
from shipworthy.gauntlet.faults.squeeze import squeeze_cpu
from shipworthy.gauntlet.faults.stop_process import stop_process
async def main():
    handle = Handle(base_url="http://127.0.0.1:1", processes=(Process(name="web", pid=int(sys.argv[1])),))
    exam = Exam(Target(name="A", kind="command", manifest=Manifest(app="A")), StartedInstance(handle, None))
    await fill_disk(exam, "web", lease_s=600)
    await stop_process(exam, "web", lease_s=600)
    squeeze = await squeeze_cpu(exam, lease_s=600)
    print(*squeeze.pids, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_when_the_examiner_is_killed_everything_heals_at_once(app: App) -> None:
    examiner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", EXAMINER, str(app.pid), stdout=asyncio.subprocess.PIPE
    )
    assert examiner.stdout is not None
    burdens = [int(pid) for pid in (await examiner.stdout.readline()).split()]
    assert burdens
    await app.until("T")
    examiner.kill()
    await examiner.wait()
    await app.until(*GOING)
    assert await app.write() == "written"
    async with asyncio.timeout(PATIENCE_S):
        while any(map(process_id, burdens)):
            await asyncio.sleep(0.02)


ORDINARY = (
    EXAMINER[: EXAMINER.index("    await fill_disk")]
    + """
    import os
    from shipworthy.gauntlet.check import Undecided
    from shipworthy.gauntlet.faults.undo import Undo
    await exam.lease("nothing", Undo(kind="continue", pid=1, began="never"), lease_s=60)
    os.setresuid(65534, 65534, 65534)
    for fault in (fill_disk, stop_process):
        try:
            await fault(exam, "web", lease_s=60)
        except Undecided as refused:
            print(refused, flush=True)
asyncio.run(main())
"""
)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_an_ordinary_user_cannot_break_what_is_anothers_and_is_told(app: App) -> None:
    examiner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ORDINARY, str(app.pid), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(examiner.communicate(), PATIENCE_S)
    assert said.decode().splitlines() == [f"web (pid {app.pid}) belongs to another user."] * 2
    assert state_of(app.pid) in GOING
    assert await app.write() == "written"


async def test_without_a_watchdog_nothing_is_broken(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Undecided, match="nobody would have mended it"):
        await stop_process(app.exam(), "web", lease_s=60)
    assert state_of(app.pid) in GOING


async def test_a_name_the_handle_does_not_know_is_refused(app: App) -> None:
    exam = app.exam()
    exam.instance._handle = replace(exam.handle, processes=(Process(name="web", pid=0),))  # type: ignore[attr-defined]
    with pytest.raises(Undecided, match="names no running process 'web'"):
        await stop_process(exam, "web", lease_s=60)

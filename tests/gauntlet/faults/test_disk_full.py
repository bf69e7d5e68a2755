"""disk.full: writes fail with an error, for a time, and no disk is filled."""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from dataclasses import replace

import pytest

from shipworthy.contract.target import Process
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.faults.disk_full import fill_disk
from tests.gauntlet.faults.conftest import PATIENCE_S, App


async def test_writes_fail_until_it_is_healed_and_the_limit_is_what_it_was(app: App) -> None:
    resource.prlimit(app.pid, resource.RLIMIT_FSIZE, (10**9, resource.RLIM_INFINITY))
    exam = app.exam()
    assert await app.write() == "written"
    assert await fill_disk(exam, "web", lease_s=60) == [app.pid, app.child]
    assert await app.write() == "File too large"
    await fill_disk(exam, "web", lease_s=60)  # the second sees a limit of 0 and must not give that back
    assert await exam.heal() == []
    assert await app.write() == "written"
    assert resource.prlimit(app.pid, resource.RLIMIT_FSIZE)[0] == 10**9


async def test_the_lease_gives_the_disk_back(app: App) -> None:
    await fill_disk(app.exam(), "web", lease_s=0.5)
    async with asyncio.timeout(PATIENCE_S):
        while await app.write() != "written":
            await asyncio.sleep(0.02)


async def test_what_would_be_ended_instead_of_told_is_refused(app: App) -> None:
    exam = app.exam()
    with pytest.raises(Undecided, match="a full disk would not do"):
        await fill_disk(exam, "database", lease_s=60)
    code = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL); print(flush=True); input()"
    fragile = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert fragile.stdout is not None
    await fragile.stdout.readline()
    exam.instance._handle = replace(exam.handle, processes=(Process(name="web", pid=fragile.pid),))  # type: ignore[attr-defined]
    with pytest.raises(Undecided, match="SIGXFSZ"):
        await fill_disk(exam, "web", lease_s=60)
    assert resource.prlimit(fragile.pid, resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    fragile.send_signal(signal.SIGKILL)
    await fragile.wait()

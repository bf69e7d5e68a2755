"""The supervisor keeps real processes running and stops them in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from shipworthy.local.errors import ServiceFailed
from shipworthy.local.ports import free_port
from shipworthy.local.processes import Child, Supervisor, accepts_connections, answers_http
from tests.local.conftest import OtherProcess, is_running, needs_proc, until

_SERVER = """
import sys
from http.server import HTTPServer, SimpleHTTPRequestHandler
HTTPServer(("127.0.0.1", int(sys.argv[1])), SimpleHTTPRequestHandler).serve_forever()
"""
_HOLDER = """
import asyncio, json, sys
from pathlib import Path
from shipworthy.local.processes import Child, Supervisor
async def main():
    pid = await Supervisor().start(Child(name="worker", argv=["sleep", "600"], log_file=Path(sys.argv[1])))
    print(json.dumps({"pid": pid}), flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


class Recorder:
    """Collects what a supervisor tells, and lets a test wait for it."""

    def __init__(self) -> None:
        self.changes: asyncio.Queue[dict[str, int]] = asyncio.Queue()
        self.reports: asyncio.Queue[str] = asyncio.Queue()

    def supervisor(self, *, grace_s: float = 10.0) -> Supervisor:
        return Supervisor(on_change=self._changed, on_report=self.reports.put_nowait, grace_s=grace_s)

    async def change(self) -> dict[str, int]:
        return await asyncio.wait_for(self.changes.get(), timeout=30)

    async def report(self) -> str:
        return await asyncio.wait_for(self.reports.get(), timeout=30)

    def _changed(self, pids: Mapping[str, int]) -> None:
        self.changes.put_nowait(dict(pids))


def python(name: str, script: str, directory: Path, *arguments: str) -> Child:
    """A child that runs a Python script, without a readiness check."""
    return Child(
        name=name, argv=[sys.executable, "-u", "-c", script, *arguments], log_file=directory / f"{name}.log"
    )


async def test_a_killed_child_is_started_again_and_the_new_pid_is_told(tmp_path: Path) -> None:
    told = Recorder()
    supervisor = told.supervisor()
    port = free_port()
    child = Child(
        name="web",
        argv=[sys.executable, "-c", _SERVER, str(port)],
        log_file=tmp_path / "web.log",
        is_ready=lambda: answers_http(port),
    )
    first_pid = await supervisor.start(child)
    assert await told.change() == {"web": first_pid} == supervisor.pids
    assert await answers_http(port), "start returned, so it answers"
    os.kill(first_pid, signal.SIGKILL)
    assert await told.change() == {}, "the dead one is no longer told"
    second_pid = (await told.change())["web"]
    assert second_pid != first_pid
    assert f"web (pid {first_pid}) ended by SIGKILL; starting it again in 0.2 s" in await told.report()
    await asyncio.to_thread(until, lambda: asyncio.run(answers_http(port)))
    await supervisor.stop()
    assert not is_running(second_pid)
    assert supervisor.pids == {}
    assert not await accepts_connections(port)


async def test_a_child_that_keeps_failing_is_tried_again_with_growing_pauses(tmp_path: Path) -> None:
    told = Recorder()
    supervisor = told.supervisor()
    await supervisor.start(python("worker", "raise SystemExit(3)", tmp_path))
    reports = [await told.report() for _ in range(4)]
    await supervisor.stop()
    assert [report.partition("; ")[2].partition(".  Its")[0].split(" Its")[0] for report in reports] == [
        f"starting it again in {pause_s} s." for pause_s in ("0.2", "0.4", "0.8", "1.6")
    ]
    assert all("ended with exit code 3" in report for report in reports)


async def test_a_child_that_never_becomes_ready_is_an_error_that_quotes_its_log(tmp_path: Path) -> None:
    supervisor = Supervisor()

    async def never() -> bool:
        return False

    broken = python("web", "raise SystemExit('app.toml:3: unknown key')", tmp_path)
    with pytest.raises(
        ServiceFailed, match=r"web ended with exit code 1 while starting.*\n.*app\.toml:3: unknown key"
    ):
        await supervisor.start(replace(broken, is_ready=never))
    hanging = python("web", "import time; time.sleep(600)", tmp_path)
    with pytest.raises(ServiceFailed, match=r"web was not ready within 0\.3 s"):
        await supervisor.start(replace(hanging, is_ready=never, ready_timeout_s=0.3))
    with pytest.raises(ServiceFailed, match="web cannot be started: /no/such/program: No such file"):
        await supervisor.start(Child(name="web", argv=["/no/such/program"], log_file=tmp_path / "web.log"))
    assert supervisor.pids == {}


async def test_stopping_asks_first_in_reverse_order_and_then_insists(tmp_path: Path) -> None:
    supervisor = Supervisor(grace_s=1.0)
    order = tmp_path / "order"
    polite = (
        "import signal, sys, time; from pathlib import Path\n"
        "def leave(*_):\n  open(sys.argv[1], 'a').write(sys.argv[2]); sys.exit()\n"
        "signal.signal(signal.SIGTERM, leave); Path(sys.argv[3]).touch(); time.sleep(600)"
    )
    deaf = (
        "import signal, sys, time; from pathlib import Path\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); Path(sys.argv[1]).touch(); time.sleep(600)"
    )
    for name in ("a", "b"):
        await supervisor.start(python(name, polite, tmp_path, str(order), name, str(tmp_path / f"{name}.up")))
    deaf_pid = await supervisor.start(python("deaf", deaf, tmp_path, str(tmp_path / "deaf.up")))
    for name in ("a", "b", "deaf"):
        await asyncio.to_thread(until, (tmp_path / f"{name}.up").exists)
    await supervisor.stop()
    assert order.read_text() == "ba"
    assert not is_running(deaf_pid)


@needs_proc
async def test_what_a_killed_child_started_itself_does_not_stay(tmp_path: Path) -> None:
    told = Recorder()
    supervisor = told.supervisor()
    parent = "import subprocess; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); p.wait()"
    pid = await supervisor.start(python("web", parent, tmp_path))
    log = tmp_path / "web.log"
    grandchild = int(
        await asyncio.to_thread(
            until, lambda: log.exists() and log.read_text().split()[:1] and log.read_text().split()[0]
        )
    )
    assert is_running(grandchild)
    os.kill(pid, signal.SIGKILL)
    await told.report()
    await asyncio.to_thread(until, lambda: not is_running(grandchild))
    await supervisor.stop()


async def test_a_child_gets_the_environment_and_directory_it_was_given(tmp_path: Path) -> None:
    supervisor = Supervisor()
    log = tmp_path / "worker.log"
    script = (
        "import os, time; print(os.getcwd(), os.environ['COLOUR'], 'HOME' in os.environ); time.sleep(600)"
    )
    child = python("worker", script, tmp_path)
    await supervisor.start(replace(child, env={"COLOUR": "blue"}, cwd=tmp_path))
    await asyncio.to_thread(until, lambda: log.read_text().endswith("\n"))
    await supervisor.stop()
    assert log.read_text().split() == [str(tmp_path), "blue", "False"]


@needs_proc
def test_children_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    holder = OtherProcess(_HOLDER, str(tmp_path / "worker.log"))
    assert is_running(holder.said["pid"])
    holder.kill()
    until(lambda: not is_running(holder.said["pid"]))


async def test_a_retired_child_is_gone_for_good_and_the_others_stay(tmp_path: Path) -> None:
    recorder = Recorder()
    supervisor = recorder.supervisor()
    try:
        first = await supervisor.start(python("first", "import time; time.sleep(600)", tmp_path))
        second = await supervisor.start(python("second", "import time; time.sleep(600)", tmp_path))
        await supervisor.retire("first")
        await supervisor.retire("first")
        assert not is_running(first)
        assert is_running(second)
        assert supervisor.pids == {"second": second}
        again = await supervisor.start(python("first", "import time; time.sleep(600)", tmp_path))
        assert again != first
    finally:
        await supervisor.stop()

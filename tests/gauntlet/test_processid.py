"""A process is known by its pid and its start: another one under the same pid is never signalled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from shipworthy.gauntlet.processid import ProcessId, children_of, process_id, state_of

SLEEP = [sys.executable, "-c", "input()"]


def test_the_one_that_was_meant_is_signalled_and_no_other_under_its_pid() -> None:
    with subprocess.Popen(SLEEP, stdin=subprocess.PIPE) as child:
        meant = process_id(child.pid)
        assert meant is not None
        assert meant.is_alive
        assert not ProcessId(child.pid, "another start").send(signal.SIGKILL)
        assert child.poll() is None
        assert child.pid in children_of(os.getpid())
        assert state_of(child.pid) in "RS"
        assert meant.send(signal.SIGKILL)
        child.wait()
        assert not meant.is_alive
        assert not meant.send(signal.SIGKILL)
        assert process_id(child.pid) is None
        assert state_of(child.pid) == ""


def test_one_that_has_ended_and_was_not_collected_yet_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process_id(child.pid) is None

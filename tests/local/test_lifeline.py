"""A child ends when its holder ends, and stays when the lifeline is released."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator

import pytest

from shipworthy.local.lifeline import Lifeline
from tests.local.conftest import OtherProcess, is_running, needs_proc, until

# Starts a shell in a group of its own that (with "deaf") ignores SIGTERM and has a child itself.
_HOLDER = """
import json, signal, subprocess, sys
from shipworthy.local.lifeline import Lifeline
script = ("trap '' TERM; " if "deaf" in sys.argv else "") + "sleep 600 & echo $!; wait"
child = subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True)
grandchild = int(child.stdout.readline())
lifeline = Lifeline(child.pid, how=signal.SIGTERM, group=True, kill_after_s=1)
print(json.dumps({"child": child.pid, "grandchild": grandchild}), flush=True)
sys.stdin.read()
"""


@needs_proc
@pytest.mark.parametrize("manner", ["polite", "deaf"])
def test_a_killed_holder_takes_the_whole_group_along_even_a_deaf_one(manner: str) -> None:
    holder = OtherProcess(_HOLDER, manner)
    assert is_running(holder.said["child"])
    assert is_running(holder.said["grandchild"])
    holder.kill()
    until(lambda: not is_running(holder.said["child"]))
    until(lambda: not is_running(holder.said["grandchild"]))


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def test_a_released_lifeline_leaves_the_child_alone(sleeper: subprocess.Popen[bytes]) -> None:
    lifeline = Lifeline(sleeper.pid, how=signal.SIGTERM)
    lifeline.release()
    lifeline.release()
    assert sleeper.poll() is None

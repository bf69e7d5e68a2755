"""The load in a process of its own, so that it shares no interpreter lock with anything it measures.

Owns the line protocol between the two: the plan as one JSON line in, lines of
{"progress": ...} and last {"result": ...}, {"duet": ...} or {"refused": ...} out.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Any

from shipworthy.contract.strict import decode, encode
from shipworthy.gauntlet.load.duet import DuetResult
from shipworthy.gauntlet.load.plan import LoadPlan, PlanRefused
from shipworthy.gauntlet.load.result import LoadResult, Progress

# Start of the interpreter, sign-ins of the users and the writing of the result, on a busy machine.
_OVERHEAD_S = 120.0


class LoadProcessFailed(Exception):
    """The generator process ended without a result; the message holds the end of what it said."""


OnProgress = Callable[[Progress], None]


def run_in_process(
    plan: LoadPlan, on_second: OnProgress | None = None, *, cpu: int | None = None
) -> LoadResult:
    """Run the load in a child process and return its result.

    The child ends with this process, with the plan's time, or with an exception of
    `on_second`, whichever comes first. `cpu` pins it to one core.

    Errors:  PlanRefused as `offer`; LoadProcessFailed when the child ends without a result.
    """
    assert plan.head_url is None, "a plan with two addresses is a duet: run_duet_in_process"
    return decode(LoadResult, _answer_of(plan, on_second, cpu)["result"])


def run_duet_in_process(
    plan: LoadPlan, on_second: OnProgress | None = None, *, cpu: int | None = None
) -> DuetResult:
    """Run a plan with `head_url` likewise and return what both arms answered."""
    return decode(DuetResult, _answer_of(plan, on_second, cpu)["duet"])


def _answer_of(plan: LoadPlan, on_second: OnProgress | None, cpu: int | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "shipworthy.gauntlet.load", "--with-parent"]
    if cpu is not None:
        command += ["--cpu", str(cpu)]
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True
        )
        deadline = threading.Timer(plan.time_s_max + _OVERHEAD_S, child.kill)
        deadline.start()
        try:
            answer = _converse(child, plan, on_second)
        finally:
            deadline.cancel()
            child.kill()
            child.wait()
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    _close(stream)
        if answer is None:
            complaints.seek(0)
            said = complaints.read()[-2000:].decode("utf-8", "replace")
            raise LoadProcessFailed(
                f"the load generator ended without a result (exit {child.returncode}): {said}"
            )
    return answer


def _converse(
    child: subprocess.Popen[str], plan: LoadPlan, on_second: OnProgress | None
) -> dict[str, Any] | None:
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        # The pipe stays open: its end tells the child that this process is gone.
        child.stdin.write(json.dumps(encode(plan)) + "\n")
        child.stdin.flush()
    except BrokenPipeError:
        return None
    for line in child.stdout:
        if not line.endswith("\n"):
            return None  # it ended while it was writing
        message: dict[str, Any] = json.loads(line)
        if "refused" in message:
            raise PlanRefused(message["refused"])
        if "result" in message or "duet" in message:
            return message
        if on_second is not None:
            on_second(decode(Progress, message["progress"]))
    return None


def _close(stream: IO[str]) -> None:
    with contextlib.suppress(BrokenPipeError):  # unsent bytes of a plan nobody reads any more
        stream.close()

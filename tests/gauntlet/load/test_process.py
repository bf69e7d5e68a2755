"""The load in its own process gives the same result, and never outlives who asked for it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from shipworthy.contract.strict import encode
from shipworthy.gauntlet.load.plan import PlanRefused
from shipworthy.gauntlet.load.process import LoadProcessFailed, run_in_process
from shipworthy.gauntlet.load.result import Progress
from tests.gauntlet.load.servers import OK, answering, plan_of, serving


async def test_the_result_and_the_progress_come_back_from_the_child() -> None:
    told: list[Progress] = []
    async with serving(answering(OK)) as server:
        plan = plan_of(server.url, rate_per_s=40.0, blocks=2, block_s=0.5)
        result = await asyncio.to_thread(run_in_process, plan, told.append)
    assert result.journey("visit").requests == len(server.seen) == 40
    assert [p.second for p in told] == [0]
    assert result.pacer == ("timerfd" if sys.platform == "linux" else "call_later")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no CPU affinity here")
async def test_the_child_may_be_pinned_to_a_core_without_pinning_us() -> None:
    ours = os.sched_getaffinity(0)
    async with serving(answering(OK)) as server:
        result = await asyncio.to_thread(run_in_process, plan_of(server.url), cpu=min(ours))
    assert result.journey("visit").requests == 25
    assert os.sched_getaffinity(0) == ours


async def test_a_refusal_of_the_child_is_the_refusal_of_the_call() -> None:
    with pytest.raises(PlanRefused, match="not on this machine"):
        await asyncio.to_thread(run_in_process, plan_of("http://example.com"))


@pytest.mark.parametrize("said", [":", """printf '{"result": {"name": '"""])
def test_a_child_that_ends_without_a_whole_result_is_an_error_with_what_it_said(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "python"
    broken.write_text(f"#!/bin/sh\nread plan; {said}; echo 'out of luck' >&2; exit 9\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(LoadProcessFailed, match=r"(?s)without a result.*out of luck"):
        run_in_process(plan_of("http://127.0.0.1:1"))


async def test_an_error_of_the_listener_ends_the_child() -> None:
    def broken(_progress: Progress) -> None:
        raise RuntimeError("the screen is gone")

    async with serving(answering(OK)) as server:
        plan = plan_of(server.url, blocks=600, block_s=1.0)
        with pytest.raises(RuntimeError, match="the screen is gone"):
            await asyncio.to_thread(run_in_process, plan, broken)
        await asyncio.wait_for(server.was_left.wait(), 30)


async def test_the_child_ends_when_its_parent_is_killed() -> None:
    """A parent that is killed cannot clean up; a load must not go on without anyone to stop it."""
    script = (
        "import json, sys\n"
        "from shipworthy.contract.strict import decode\n"
        "from shipworthy.gauntlet.load.plan import LoadPlan\n"
        "from shipworthy.gauntlet.load.process import run_in_process\n"
        "run_in_process(decode(LoadPlan, json.loads(sys.argv[1])))\n"
    )
    async with serving(answering(OK)) as server:
        # Idle connections close by themselves after a while; a busy load keeps one open all the time.
        plan = plan_of(server.url, blocks=600, block_s=1.0, rate_per_s=50.0, connections_max=1)
        parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script, json.dumps(encode(plan)))
        await asyncio.wait_for(server.was_asked.wait(), 60)
        assert not server.was_left.is_set()
        parent.send_signal(signal.SIGKILL)
        await parent.wait()
        await asyncio.wait_for(server.was_left.wait(), 30)

"""The generator process by itself: a plan in, JSON lines out."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from shipworthy.contract.strict import decode, encode
from shipworthy.gauntlet.load.plan import LoadPlan
from shipworthy.gauntlet.load.result import LoadResult
from tests.gauntlet.load.servers import OK, answering, plan_of, serving

MODULE = (sys.executable, "-m", "shipworthy.gauntlet.load")
PIPE = asyncio.subprocess.PIPE


def line(plan: LoadPlan) -> bytes:
    return json.dumps(encode(plan)).encode() + b"\n"


async def test_without_a_parent_to_watch_the_end_of_input_is_no_end() -> None:
    """How a shard runs: the plan comes from a file."""
    async with serving(answering(OK)) as server:
        child = await asyncio.create_subprocess_exec(*MODULE, stdin=PIPE, stdout=PIPE)
        out, _ = await asyncio.wait_for(child.communicate(line(plan_of(server.url))), 60)
    result = decode(LoadResult, json.loads(out.splitlines()[-1])["result"])
    assert result.journey("visit").requests == 25
    assert child.returncode == 0


async def test_with_a_parent_to_watch_the_end_of_input_is_the_end() -> None:
    async with serving(answering(OK)) as server:
        child = await asyncio.create_subprocess_exec(*MODULE, "--with-parent", stdin=PIPE, stdout=PIPE)
        assert child.stdin is not None
        child.stdin.write(line(plan_of(server.url, blocks=600, block_s=1.0)))
        await asyncio.wait_for(server.was_asked.wait(), 60)
        assert child.returncode is None
        child.stdin.close()
        await asyncio.wait_for(child.wait(), 30)
    assert child.returncode == 3


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux")
async def test_with_a_parent_to_watch_its_death_is_the_end_even_if_the_input_stays_open() -> None:
    parent_of_it = "import subprocess, sys; subprocess.run(sys.argv[1:], check=False)"
    async with serving(answering(OK)) as server:
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", parent_of_it, *MODULE, "--with-parent", stdin=PIPE, stdout=PIPE
        )
        assert parent.stdin is not None
        parent.stdin.write(line(plan_of(server.url, blocks=600, block_s=1.0, connections_max=1)))
        await asyncio.wait_for(server.was_asked.wait(), 60)
        assert not server.was_left.is_set()
        parent.kill()
        await asyncio.wait_for(server.was_left.wait(), 30)
        parent.stdin.close()
        await parent.wait()


async def test_a_refused_plan_is_answered_as_refused() -> None:
    child = await asyncio.create_subprocess_exec(*MODULE, stdin=PIPE, stdout=PIPE)
    out, _ = await asyncio.wait_for(child.communicate(line(plan_of("http://example.com"))), 60)
    assert "not on this machine" in json.loads(out)["refused"]

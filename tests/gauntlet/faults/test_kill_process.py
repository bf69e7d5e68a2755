"""process.kill: only what the handle names is ended, and the check waits until it is back."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from shipworthy.contract.target import Process
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.faults.kill_process import answering, kill_process, pid_of, restarted
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.conftest import check_named
from tests.support.shop import shop_running, shop_with_process

CHECK = check_named("idempotency.after_crash")


async def test_a_killed_process_is_gone_and_healing_waits_for_the_next_one(cluster: PostgresAddress) -> None:
    async with shop_with_process(cluster, "web") as shop:
        exam = shop.exam(CHECK)
        dead_pid = await kill_process(exam, "web")
        took_s = await restarted(exam, "web", dead_pid=dead_pid)
        assert took_s is not None
        assert pid_of(exam, "web") not in (None, dead_pid)
        assert await exam.heal() == []
        assert (await exam.anonymous().get("/health")).status == 200
        await exam.close()


async def test_what_does_not_come_back_is_reported_and_not_waited_for_for_ever(
    cluster: PostgresAddress,
) -> None:
    async with shop_running(cluster) as shop:
        shop.handle = replace(shop.handle, processes=())
        exam = shop.exam(CHECK)
        assert await restarted(exam, "web", dead_pid=1, timeout_s=0.1) is None
        assert await answering(exam, timeout_s=5.0)
        shop.handle = replace(shop.handle, base_url="http://127.0.0.1:9")
        assert not await answering(exam, timeout_s=0.1)
        await exam.close()


@pytest.mark.parametrize("pid", [0, -1, 1, pytest.param(os.getpid(), id="ourselves")])
async def test_groups_of_processes_and_the_examiner_itself_are_never_killed(
    cluster: PostgresAddress, pid: int
) -> None:
    async with shop_running(cluster) as shop:
        shop.handle = replace(shop.handle, processes=(Process(name="web", pid=pid),))
        exam = shop.exam(CHECK)
        with pytest.raises(Undecided, match="names no running process 'web'"):
            await kill_process(exam, "web")
        await exam.close()

"""database.lock: writers wait, readers do not, and the server lets go by itself."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.faults.lock_table import lock_table
from tests.gauntlet.conftest import check_named
from tests.support.shop import Shop

CHECK = check_named("drill.worker_killed")
INSERT = "insert into receipt (tenant_id, order_id) values (gen_random_uuid(), gen_random_uuid())"


async def rows(shop: Shop) -> int:
    number: int = (await shop.admin("select count(*) from receipt"))[0][0]
    return number


async def test_writers_wait_until_the_lock_is_released_and_readers_do_not(shop: Shop) -> None:
    exam = shop.exam(CHECK)
    lock = await lock_table(exam, "public.receipt", lease_s=30)
    writing = asyncio.create_task(shop.admin(INSERT))
    assert len(await lock.waiters(at_least=1, timeout_s=10)) == 1
    assert await rows(shop) == 0
    await lock.release()
    await writing
    assert await rows(shop) == 1
    assert await exam.heal() == []  # released once more, to no effect
    await exam.close()


async def test_a_session_that_is_cut_off_writes_nothing_after_the_release(shop: Shop) -> None:
    exam = shop.exam(CHECK)
    lock = await lock_table(exam, "public.receipt", lease_s=30)
    writing = asyncio.create_task(shop.admin(INSERT))
    await lock.cut_off(await lock.waiters(at_least=1, timeout_s=10))
    with pytest.raises(asyncpg.PostgresError):
        await writing
    assert await exam.heal() == []
    assert await rows(shop) == 0
    await exam.close()


async def test_the_server_ends_a_lock_whose_lease_is_over(shop: Shop) -> None:
    exam = shop.exam(CHECK)
    lock = await lock_table(exam, "public.receipt", lease_s=0.2)
    await asyncio.wait_for(shop.admin(INSERT), timeout=20)
    assert await rows(shop) == 1
    await lock.release()
    assert await exam.heal() == []
    await exam.close()


async def test_a_lock_that_cannot_be_had_says_why_and_leaves_nothing_held(shop: Shop) -> None:
    exam = shop.exam(CHECK)
    with pytest.raises(Undecided, match="nowhere"):
        await lock_table(exam, "public.nowhere", lease_s=5)
    assert await lock_waiters_gone(shop)
    await exam.close()


async def lock_waiters_gone(shop: Shop) -> bool:
    held = await shop.admin("select from pg_stat_activity where application_name = 'shipworthy-gauntlet' and datname = current_database()")  # fmt: skip
    return not held

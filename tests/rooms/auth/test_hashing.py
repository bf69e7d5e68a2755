"""The pool that hashes passwords: bounded, refused early, and safe against callers who go away."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shipworthy.kernel.errors import Busy
from shipworthy.kernel.settings import AuthSection
from shipworthy.rooms.auth.gate.line import Caller, Standing
from shipworthy.rooms.auth.hashing import STRANGER, HashPool, open_pool
from tests.rooms.auth.conftest import auth_settings
from tests.support.hashing import HeldHasher

CHEAP = auth_settings(auth=AuthSection(hash_memory_kib=64, hash_passes=1))


class Clock:
    def __init__(self) -> None:
        self.at_s = 0.0

    def __call__(self) -> float:
        return self.at_s


@contextmanager
def held_pool(
    *, workers: int = 1, queue_max: int = 4, clock: Clock | None = None
) -> Iterator[tuple[HashPool, HeldHasher]]:
    hasher = HeldHasher()
    pool = HashPool(hasher, workers=workers, queue_max=queue_max, wait_s_max=1.0, clock=clock or Clock())
    hasher.hold()
    try:
        yield pool, hasher
    finally:
        hasher.release()
        pool.close()


async def started(hasher: HeldHasher, count: int = 1) -> None:
    for _ in range(count):
        assert await asyncio.to_thread(hasher.started.acquire, timeout=20)


def ask(pool: HashPool, count: int) -> list[asyncio.Task[str]]:
    return [asyncio.create_task(pool.hash(f"password {n}")) for n in range(count)]


async def test_a_real_hash_is_argon2id_with_the_settings_and_verifies() -> None:
    pool = open_pool(CHEAP)
    stored = await pool.hash("seven quiet lanterns")
    assert stored.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert await pool.verify("seven quiet lanterns", stored=stored)
    assert not await pool.verify("seven quiet lantern", stored=stored)
    assert await pool.hash("seven quiet lanterns") != stored
    pool.close()


async def test_the_decoy_costs_the_same_and_no_password_makes_it() -> None:
    pool = open_pool(CHEAP)
    assert pool.decoy.split("$")[:4] == (await pool.hash("x")).split("$")[:4]
    assert len(pool.decoy) == len(await pool.hash("x"))
    for password in ("", "x", "password"):
        assert not await pool.verify(password, stored=pool.decoy)
    assert not await pool.verify("x", stored="not a hash at all")
    pool.close()


async def test_a_hash_of_other_parameters_is_outdated() -> None:
    old, new = (
        open_pool(CHEAP),
        open_pool(auth_settings(auth=AuthSection(hash_memory_kib=128, hash_passes=1))),
    )
    stored = await old.hash("x")
    assert new.is_outdated(stored)
    assert not old.is_outdated(stored)
    assert await new.verify("x", stored=stored)
    old.close()
    new.close()


async def test_what_the_queue_cannot_hold_is_refused_at_once_with_spread_retries() -> None:
    with held_pool(queue_max=3) as (pool, hasher):
        first = asyncio.create_task(pool.hash("first"))
        await started(hasher)
        waiting = ask(pool, 3)
        await asyncio.sleep(0)
        retries = set()
        for _ in range(60):
            with pytest.raises(Busy) as refused:
                await pool.hash("one too many")
            assert refused.value.code == "auth.busy"
            retries.add(refused.value.retry_after_s)
        assert retries == {1, 2, 3, 4}
        with pytest.raises(Busy):
            pool.refuse_when_full()
        hasher.release()
        assert await first == "hash of first"
        assert len(await asyncio.gather(*waiting)) == 3
        pool.refuse_when_full()


@pytest.mark.parametrize("workers", [1, 3])
async def test_callers_who_go_away_make_no_room_for_more_hashes_at_once(workers: int) -> None:
    with held_pool(workers=workers, queue_max=8) as (pool, hasher):
        running = ask(pool, workers)
        await started(hasher, workers)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        waiting = ask(pool, 8)
        await asyncio.sleep(0)
        for task in waiting[:5]:
            task.cancel()
        await asyncio.gather(*waiting[:5], return_exceptions=True)
        with pytest.raises(Busy):  # places of the cancelled are freed by the worker, not by them
            await pool.hash("one too many")
        assert hasher.running_max == workers
        hasher.release()
        served = await asyncio.wait_for(asyncio.gather(*waiting[5:]), timeout=20)
        assert served == [f"hash of password {n}" for n in (5, 6, 7)]
        await asyncio.to_thread(pool.close)  # lets the threads finish
        assert hasher.running_max == workers
        assert sorted(hasher.done)[-3:] == [f"password {n}" for n in (5, 6, 7)]
        assert len(hasher.done) == workers + 3  # nobody hashed for those who had left


async def test_who_waited_too_long_is_refused_without_a_hash_while_others_wait() -> None:
    clock = Clock()
    with held_pool(clock=clock) as (pool, hasher):
        first = asyncio.create_task(pool.hash("first"))
        await started(hasher)
        stale = asyncio.create_task(pool.hash("stale"))
        await asyncio.sleep(0)
        clock.at_s = 0.9
        fresh = asyncio.create_task(pool.hash("fresh"))
        await asyncio.sleep(0)
        clock.at_s = 1.1
        pool._line.hash_s = 0.01  # the clock stands still while hashes are made
        hasher.release()
        assert await first == "hash of first"
        with pytest.raises(Busy):
            await stale
        assert await fresh == "hash of fresh"
        assert hasher.done == ["first", "fresh"]


async def test_a_ticket_is_a_place_until_its_holder_goes_or_its_worker_is_done() -> None:
    with held_pool(queue_max=1) as (pool, hasher):
        running = asyncio.create_task(pool.hash("running"))
        await started(hasher)
        with pool.ticket():
            assert not pool.has_place(STRANGER)
            with pytest.raises(Busy), pool.ticket():
                pass
        assert pool.has_place(STRANGER)  # it was not used, so nothing runs for it

        async def ask() -> str:
            with pool.ticket() as ticket:
                return await pool.hash("asked", ticket=ticket)

        asking = asyncio.create_task(ask())
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert not pool.has_place(STRANGER)  # the caller is gone; its place is the worker's to free
        hasher.release()
        await running
        while not pool.has_place(STRANGER):
            await asyncio.sleep(0.001)
        assert hasher.done == ["running"]


async def test_a_cancelled_caller_frees_no_worker() -> None:
    with held_pool(queue_max=4) as (pool, hasher):
        running = ask(pool, 1)
        await started(hasher)
        running[0].cancel()
        await asyncio.gather(*running, return_exceptions=True)
        assert not pool.is_idle
        later = asyncio.create_task(pool.hash("later"))
        await asyncio.sleep(0)
        assert hasher.running == hasher.running_max == 1
        hasher.release()
        assert await later == "hash of later"
        while not pool.is_idle:
            await asyncio.sleep(0.001)


async def test_one_browser_holds_two_places_of_the_known_and_then_waits_with_strangers() -> None:
    with held_pool(queue_max=2) as (pool, hasher):
        running = asyncio.create_task(pool.hash("running"))
        await started(hasher)
        mine, other = Caller(Standing.KNOWN_DEVICE, "mine"), Caller(Standing.KNOWN_DEVICE, "other")
        with pool.ticket(mine), pool.ticket(mine):
            assert not pool.has_place(other)
            with pool.ticket(mine), pool.ticket(mine):
                assert not pool.has_place(STRANGER)
            assert pool.has_place(STRANGER)
        hasher.release()
        await running


async def test_a_failing_hasher_fails_its_caller_and_serves_the_next() -> None:
    class Failing(HeldHasher):
        def hash(self, password: str) -> str:
            if password == "bad":
                raise MemoryError("no room for the lanes")
            return super().hash(password)

    pool = HashPool(Failing(), workers=1, queue_max=4)
    with pytest.raises(MemoryError):
        await pool.hash("bad")
    assert await pool.hash("good") == "hash of good"
    pool.close()


async def test_closing_tells_those_who_wait() -> None:
    with held_pool() as (pool, hasher):
        first = asyncio.create_task(pool.hash("first"))
        await started(hasher)
        waiting = asyncio.create_task(pool.hash("waiting"))
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(pool.close))
        with pytest.raises(Busy):
            await waiting
        hasher.release()
        await closing
        assert await first == "hash of first"


async def test_the_loop_serves_others_while_it_hashes() -> None:
    with held_pool() as (pool, hasher):
        hashing = asyncio.create_task(pool.hash("x"))
        await started(hasher)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not hashing.done()
        hasher.release()
        await hashing


class Niceness:
    """A hasher that holds until `count` threads hash, and notes what priority each of them has."""

    def __init__(self, count: int) -> None:
        self.found: list[int] = []
        self._all = threading.Barrier(count)

    def hash(self, password: str) -> str:
        self._all.wait(timeout=20)
        self.found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return ""

    def verify(self, hash: str, password: str) -> bool:
        return True

    def check_needs_rehash(self, hash: str) -> bool:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a priority of its own on Linux only")
async def test_hashes_on_a_reserved_core_give_way_to_everything_else() -> None:
    mine, hasher = os.getpriority(os.PRIO_PROCESS, threading.get_native_id()), Niceness(3)
    pool = HashPool(hasher, workers=3, spare=1, queue_max=4)
    await asyncio.gather(*ask(pool, 3))
    assert sorted(hasher.found) == [mine, mine, mine + 5]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == mine
    pool.close()


@pytest.mark.parametrize(
    ("cores", "said", "workers", "spare"), [(1, {}, 1, 0), (2, {}, 2, 1), (8, {"hash_cores_reserved": 3}, 8, 3), (8, {"hash_workers": 4}, 4, 0)]
)  # fmt: skip
def test_every_core_hashes_and_reserved_ones_with_what_is_left(
    cores: int, said: dict[str, int], workers: int, spare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shipworthy.rooms.auth.gate.workers.cores", lambda: cores)
    pool = open_pool(auth_settings(auth=AuthSection(hash_memory_kib=64, hash_passes=1, **said)))
    assert (pool.workers, pool.spare) == (workers, spare)

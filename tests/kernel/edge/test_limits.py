"""One contract for every store of limits. Covers: gcra, limits_valkey, limits_postgres."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from valkey.asyncio import Valkey

from shipworthy.kernel.edge.gcra import Rate, judged
from shipworthy.kernel.edge.limits import Keys, Limits, MemoryLimits, retry_after_s
from shipworthy.kernel.edge.limits_postgres import PostgresLimits
from shipworthy.kernel.edge.limits_valkey import ValkeyLimits
from tests.support.app import RunningApp
from tests.support.valkey import valkey_running

# So slow that nothing comes back while a test runs: only time that is moved counts.
SLOW = Rate(per_minute=0.1, burst=5)
KEY, OTHER = b"k" * 16, b"o" * 16


@dataclass
class Store:
    """A store, and a way to let time pass in it."""

    limits: Limits
    pass_s: Callable[[float], Awaitable[None]]


@pytest.fixture(params=["memory", "postgres", "valkey"])
async def store(request: pytest.FixtureRequest, toy: RunningApp, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        now = [1_000.0]

        async def pass_memory(seconds: float) -> None:
            now[0] += seconds

        yield Store(MemoryLimits(clock=lambda: now[0]), pass_memory)
    elif request.param == "postgres":

        async def pass_postgres(seconds: float) -> None:
            await toy.admin(
                "update edge_limit set paid_until = paid_until - make_interval(secs => $1)", seconds
            )

        yield Store(PostgresLimits(toy.runtime.database, realm_id=toy.runtime.realm_id), pass_postgres)
    else:
        async with AsyncExitStack() as until_then:
            url = await until_then.enter_async_context(valkey_running(tmp_path / "valkey"))
            limits, direct = ValkeyLimits(url, timeout_s=30), Valkey.from_url(url)
            until_then.push_async_callback(direct.aclose)
            until_then.push_async_callback(limits.close)

            async def pass_valkey(seconds: float) -> None:
                name = f"limit:{KEY.hex()}"
                paid = int(await direct.get(name) or 0) - round(seconds * 1e6)
                await direct.set(name, str(paid), keepttl=True)

            yield Store(limits, pass_valkey)


async def taken(store: Store, times: int, key: bytes = KEY) -> int:
    return sum([not await store.limits.wait_s(key, SLOW) for _ in range(times)])


async def test_a_burst_passes_then_one_has_to_wait_and_says_how_long(store: Store) -> None:
    assert await taken(store, 8) == 5
    assert 590 < await store.limits.wait_s(KEY, SLOW) <= 600
    assert await taken(store, 1, OTHER) == 1


async def test_who_keeps_asking_is_let_through_as_soon_as_who_waited(store: Store) -> None:
    assert await taken(store, 50) == 5
    await store.pass_s(601)
    assert await taken(store, 3) == 1
    await store.pass_s(10 * 600)
    assert await taken(store, 8) == 5


async def test_twenty_at_once_are_counted_one_by_one(store: Store) -> None:
    waits = await asyncio.gather(*(store.limits.wait_s(KEY, SLOW) for _ in range(20)))
    assert sum(not wait for wait in waits) == 5


async def test_a_clock_that_was_set_back_locks_nobody_out(store: Store) -> None:
    assert await taken(store, 8) == 5
    await store.pass_s(-86_400)
    assert await store.limits.wait_s(KEY, SLOW) <= 601


async def test_a_store_that_is_away_limits_nobody(toy: RunningApp) -> None:
    away = ValkeyLimits("redis://127.0.0.1:1/0", timeout_s=1)
    assert [await away.wait_s(KEY, SLOW) for _ in range(9)] == [0.0] * 9
    await away.close()


async def test_what_owes_nothing_is_forgotten_in_the_database(
    toy: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shipworthy.kernel.edge.limits_postgres._PURGE_EVERY", 2)
    limits = PostgresLimits(toy.runtime.database, realm_id=toy.runtime.realm_id)
    await limits.wait_s(KEY, SLOW)
    await toy.admin("update edge_limit set paid_until = now() - interval '1 hour'")
    await limits.wait_s(OTHER, SLOW)
    assert [row["key"] for row in await toy.admin("select key from edge_limit")] == [OTHER]


def test_the_memory_is_bounded_and_forgets_who_asked_longest_ago() -> None:
    limits = MemoryLimits(clock=lambda: 0.0, keys_max=3)
    for key in (b"a", b"b", b"c", b"a", b"d"):
        limits.wait_now_s(key, Rate(1))
    assert limits.wait_now_s(b"a", Rate(1)) > 0
    assert limits.wait_now_s(b"b", Rate(1)) == 0


@given(
    st.lists(st.floats(0, 30), min_size=1, max_size=60),
    st.floats(1, 600),
    st.integers(1, 10),
)
def test_never_more_than_the_rate_and_the_burst_pass(
    gaps_s: list[float], per_minute: float, burst: int
) -> None:
    rate, now_s, paid_s, passed = Rate(per_minute, burst), 0.0, 0.0, 0
    for gap_s in gaps_s:
        now_s += gap_s
        wait_s, paid_s = judged(paid_s, now_s, rate)
        passed += not wait_s
        assert wait_s <= rate.each_s + 1e-6
    assert passed <= burst + (now_s - gaps_s[0]) / rate.each_s + 1e-6


def test_keys_tell_apart_what_is_limited_whom_and_whose_installation() -> None:
    realm = uuid.uuid4()
    keys, others = Keys(signing_key=b"a", realm_id=realm), Keys(signing_key=b"b", realm_id=realm)
    made = {
        keys("network", "x"),
        keys("account", "x"),
        keys("both", "x", "y"),
        keys("both", "xy"),
        others("network", "x"),
    }
    assert len(made) == 5 and {len(key) for key in made} == {16}
    assert keys("network", "x") == keys("network", "x")


def test_a_rate_of_nothing_is_a_mistake_and_retry_after_is_never_too_soon() -> None:
    for per_minute, burst in ((0, 1), (-1, 1), (1, 0)):
        with pytest.raises(ValueError, match="lets at least something"):
            Rate(per_minute, burst)
    assert [retry_after_s(wait) for wait in (0.01, 1.0, 1.2)] == [1, 1, 2]

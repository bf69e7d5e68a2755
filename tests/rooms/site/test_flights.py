"""However many ask at once, it is fetched once."""

from __future__ import annotations

import asyncio

import pytest

from shipworthy.rooms.site.flights import Flights


async def test_all_who_ask_at_once_get_the_answer_of_one_fetch() -> None:
    flights, landing, fetches = Flights[int](), asyncio.Event(), 0

    async def fetch() -> int:
        nonlocal fetches
        fetches += 1
        await landing.wait()
        return 7

    asking = [asyncio.create_task(flights.once("a", fetch())) for _ in range(50)]
    await asyncio.sleep(0)
    landing.set()
    assert await asyncio.gather(*asking) == [7] * 50
    assert fetches == 1
    assert await flights.once("a", fetch()) == 7
    assert fetches == 2


async def test_a_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    flights = Flights[int]()

    async def fail() -> int:
        await asyncio.sleep(0)
        raise LookupError("no")

    async def work() -> int:
        return 1

    failed = await asyncio.gather(*(flights.once("a", fail()) for _ in range(3)), return_exceptions=True)
    assert [type(f) for f in failed] == [LookupError] * 3
    assert await flights.once("a", work()) == 1


async def test_a_fetch_goes_on_when_the_first_who_asked_goes_away() -> None:
    flights, landing = Flights[int](), asyncio.Event()

    async def fetch() -> int:
        await landing.wait()
        return 7

    first = asyncio.create_task(flights.once("a", fetch()))
    second = asyncio.create_task(flights.once("a", fetch()))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    landing.set()
    assert await second == 7

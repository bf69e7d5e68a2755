"""When the database is away or silent, or the listening connection breaks: pages stay, and nothing stays stale."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from shipworthy.kernel.settings import DbSection
from tests.rooms.site.conftest import PATIENCE_S, Author, Visitor, Wire, another_process, until


async def test_a_page_in_memory_stays_and_another_says_when_to_come_back(acme: Author, wire: Wire) -> None:
    await acme.show("Home", "/")
    await acme.show("Cold", "/cold")
    async with another_process(acme.app, port=wire.port) as asgi:
        visitor = Visitor(asgi, acme.host)
        hot = await visitor.until_hit("/")
        await wire.cut()
        # Noticed with the next heartbeat; until then it is a hit.
        stale = await until(lambda: visitor.ask("/"), lambda answer: answer.header("x-cache") != "hit")
        assert (stale.status, stale.body, stale.header("x-cache")) == (200, hot.body, "stale")
        cold = await visitor.ask("/cold")
        assert (cold.status, cold.header("retry-after")) == (503, "5")
        assert (await visitor.ask("/robots.txt")).status == 200
        assert (await visitor.ask("/", host="never.seen.example")).status == 503

        await wire.start()
        assert (await until(lambda: visitor.ask("/cold"), lambda answer: answer.status == 200)).status == 200
        await visitor.until_hit("/")


async def test_what_was_published_while_nobody_listened_is_seen_when_somebody_does(
    acme: Author, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    page = await acme.show("Before", "/")
    async with another_process(acme.app, port=wire.port) as asgi:
        visitor = Visitor(asgi, acme.host)
        await visitor.until_hit("/")
        await wire.cut()
        await acme.publish(await acme.edit(page, title="After"))
        await until(lambda: asyncio.sleep(0, caplog.text), lambda text: "no longer hears of changes" in text)
        await wire.start()
        await visitor.until_hit("/nothing")  # it listens again, and nobody asked for the page meanwhile
        assert "After" in (await visitor.ask("/")).text


async def test_a_silent_database_costs_a_moment_and_not_the_page(acme: Author, wire: Wire) -> None:
    page = await acme.show("Home", "/")
    settings = replace(acme.app.runtime.settings, db=DbSection(acquire_timeout_s=10 * PATIENCE_S))
    async with another_process(acme.app, port=wire.port, settings=settings) as asgi:
        visitor = Visitor(asgi, acme.host)
        await visitor.until_hit("/")
        wire.hold()
        # The heartbeat is not answered: from then on what is kept counts as stale, and is served.
        stale = await until(lambda: visitor.ask("/"), lambda answer: answer.header("x-cache") == "stale")
        assert stale.status == 200
        async with asyncio.timeout(PATIENCE_S):  # were it asked each time, this would take ten times as long
            answers = [await visitor.ask("/") for _ in range(400)]
        assert {a.header("x-cache") for a in answers} == {"stale"}
        wire.release()
        await acme.publish(await acme.edit(page, title="After"))
        await visitor_until_after(visitor)


async def test_a_missing_page_that_was_asked_for_stays_missing(acme: Author, wire: Wire) -> None:
    await acme.show("Home", "/")
    async with another_process(acme.app, port=wire.port) as asgi:
        visitor = Visitor(asgi, acme.host)
        await visitor.until_hit("/")
        await visitor.ask("/nothing")
        await wire.cut()
        gone = await until(
            lambda: visitor.ask("/nothing"), lambda answer: answer.header("x-cache") == "stale"
        )
        assert gone.status == 404


async def visitor_until_after(visitor: Visitor) -> Any:
    return await until(
        lambda: visitor.ask("/"), lambda answer: answer.status == 200 and "After" in answer.text
    )

"""When the database is away or silent, or the listening connection breaks: pages stay, and nothing stays stale."""

from __future__ import annotations

import asyncio
from typing import Any

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
    acme: Author, wire: Wire
) -> None:
    page = await acme.show("Before", "/")
    async with another_process(acme.app, port=wire.port) as asgi:
        visitor = Visitor(asgi, acme.host)
        await visitor.until_hit("/")
        await wire.cut()
        await acme.publish(await acme.edit(page, title="After"))
        await wire.start()
        fresh = await visitor_until_after(visitor)
        assert "After" in fresh.text


async def test_a_silent_database_costs_a_moment_and_not_the_page(acme: Author, wire: Wire) -> None:
    page = await acme.show("Home", "/")
    async with another_process(acme.app, port=wire.port) as asgi:
        visitor = Visitor(asgi, acme.host)
        await visitor.until_hit("/")
        wire.hold()
        # The heartbeat is not answered: from then on what is kept counts as stale, and is served.
        stale = await until(lambda: visitor.ask("/"), lambda answer: answer.header("x-cache") == "stale")
        assert stale.status == 200
        async with asyncio.timeout(PATIENCE_S):  # twenty waits for a connection would take five times that
            answers = [await visitor.ask("/") for _ in range(20)]
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

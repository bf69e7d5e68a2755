"""A change drops what it touches, in every process, and nothing else; what is dropped is rendered once.

Covers: changes.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shipworthy.rooms.site import lane as lane_module
from shipworthy.rooms.site.tags import MENU, THEME, path_tag, surrogate_keys
from tests.rooms.site.conftest import Author, Visitor, another_process, site_of, until


async def states(visitor: Visitor, *paths: str) -> dict[str, str | None]:
    return {path: (await visitor.ask(path)).header("x-cache") for path in paths}


async def test_an_edit_drops_its_page_and_no_other(acme: Author) -> None:
    await acme.show("Home", "/")
    page = await acme.show("About", "/about", in_menu=False)
    paths = ("/", "/about", "/nothing", "/About")
    async with another_process(acme.app) as asgi:
        visitors = (acme.visitor, Visitor(asgi, acme.host))
        for visitor in visitors:
            for path in paths:
                await visitor.until_hit(path)
        await acme.publish(await acme.edit(page, body="News."))
        for visitor in visitors:
            await until(lambda: visitor.text("/about"), lambda text: "News." in text)  # noqa: B023
            assert await states(visitor, "/", "/nothing") == {"/": "hit", "/nothing": "hit"}


async def test_what_stands_in_the_menu_drops_every_page(acme: Author) -> None:
    await acme.show("Home", "/")
    page = await acme.show("About", "/about")
    await acme.visitor.until_hit("/")
    await acme.publish(await acme.edit(page, body="Only the text."))
    assert await states(acme.visitor, "/") == {"/": "hit"}
    await acme.publish(await acme.edit({**page, "version": 2}, title="Who we are"))
    assert ">Who we are</a>" in await acme.visitor.text("/")
    await acme.visitor.until_hit("/")
    await acme.unpublish(page)
    assert "Who we are" not in await acme.visitor.text("/")


async def test_every_way_of_writing_an_address_and_its_absence_hear_of_its_page(acme: Author) -> None:
    await acme.show("Home", "/")
    for path in ("/soon", "/Soon"):
        assert (await acme.visitor.until_hit(path)).status == 404
    page = await acme.show("Soon", "/soon", in_menu=False)
    assert [(await acme.visitor.ask(path)).status for path in ("/soon", "/Soon")] == [200, 308]
    await acme.visitor.until_hit("/Soon")
    await acme.unpublish(page)
    assert [(await acme.visitor.ask(path)).status for path in ("/soon", "/Soon")] == [404, 404]


async def test_a_hot_page_that_is_purged_under_load_is_rendered_once(
    acme: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await acme.show("Home", "/")
    await acme.visitor.until_hit("/")
    rendered, render = [], lane_module.render_page

    def counting(*args: Any, **kwargs: Any) -> Any:
        rendered.append(args)
        return render(*args, **kwargs)

    monkeypatch.setattr(lane_module, "render_page", counting)
    bodies: list[str] = []
    is_over = asyncio.Event()

    async def read() -> None:
        while not is_over.is_set():
            bodies.append((await acme.visitor.ask("/")).text)
            await asyncio.sleep(0)

    readers = [asyncio.create_task(read()) for _ in range(50)]
    await acme.publish(await acme.edit(page, title="News"))
    await until(lambda: asyncio.sleep(0, bodies), lambda seen: len(seen) > 500 and "News" in seen[-1])
    is_over.set()
    await asyncio.gather(*readers)
    assert "News" in bodies[-1]
    assert len(rendered) == 1  # although the process hears of its own change twice


async def test_an_answer_names_what_it_was_made_of(acme: Author) -> None:
    await acme.show("Home", "/")
    expected = surrogate_keys(await site_of(acme), [path_tag("/"), MENU, THEME])
    answer = await acme.visitor.ask("/")
    assert str(answer.header("surrogate-key")).split(" ") == expected
    assert str(answer.header("cache-tag")).split(",") == expected
    for path in ("/nothing", "/robots.txt"):  # nobody else keeps the one, and nothing changes the other
        assert MENU not in str((await acme.visitor.ask(path)).header("cache-tag"))

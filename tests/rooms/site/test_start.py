"""A tenant's site starts with its first page."""

from __future__ import annotations

import asyncio

from shipworthy.rooms.site.start import _parent_host
from tests.rooms.site.conftest import Author, author
from tests.support.app import RunningApp


async def test_the_first_page_starts_a_site_under_the_organisations_short_name(
    app: RunningApp, acme: Author
) -> None:
    assert (await acme.get("/pages")).status == 200
    assert (await acme.visitor.ask("/")).status == 421
    app.runtime.state["site.lane"]._hosts._known.clear()  # as ten seconds later
    await acme.show("Hello", "/")
    assert "<b>Acme</b>" in await acme.visitor.text("/")


async def test_first_pages_written_at_once_start_one_site(app: RunningApp, acme: Author) -> None:
    await asyncio.gather(*(acme.write(f"Page {n}") for n in range(5)))
    assert len(await app.admin("select * from site")) == 1
    assert len((await acme.get("/api/pages")).json["pages"]) == 5


async def test_a_host_that_is_taken_is_refused_and_nothing_is_started(app: RunningApp, acme: Author) -> None:
    await acme.write("Mine")
    globex = await author(app, "Globex")
    await app.admin("update site_domain set host = $1 where role = 'primary'", globex.host)
    refused = await globex.send("POST", "/api/pages", {"title": "x"})
    assert (refused.status, refused.json["code"]) == (409, "site.host_taken")
    page = await globex.submit("/pages", title="x", body="what I wrote")
    assert page.status == 409
    assert "what I wrote" in page.text
    assert globex.host in page.text
    assert len(await app.admin("select * from site")) == 1


def test_sites_live_under_the_consoles_name_and_never_under_a_number() -> None:
    assert _parent_host(("127.0.0.1", "app.example")) == "app.example"
    assert _parent_host(("127.0.0.1",)) == "localhost"

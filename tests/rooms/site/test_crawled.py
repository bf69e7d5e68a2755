"""What crawlers fetch is counted, what people fetch is not; a batch counts once; who is out of budget is told to wait.

Covers: crawled, asked.
"""

from __future__ import annotations

import pytest

from shipworthy.kernel.errors import Busy
from shipworthy.rooms.site.crawled import Crawled, is_bot
from tests.rooms.site.conftest import author
from tests.support.app import RunningApp

GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


def test_a_bot_says_so_and_a_person_does_not() -> None:
    assert is_bot(GOOGLE.encode()) and is_bot(b"AhrefsBot/7.0") and is_bot(b"Some Spider")
    assert not is_bot(CHROME.encode()) and not is_bot(b"") and not is_bot(b"Mozilla/5.0 (Cubot X30)X")


def _lane(app: RunningApp) -> Crawled:
    found: Crawled = app.runtime.state["site.lane"].crawled
    return found


async def test_bytes_for_crawlers_are_counted_once_and_those_for_people_never(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = await author(app)
    await acme.show("Home", "/")
    first = await acme.visitor.ask("/", user_agent=GOOGLE)
    again = await acme.visitor.ask("/", user_agent=GOOGLE)
    await acme.visitor.ask("/", method="HEAD", user_agent=GOOGLE)
    await acme.visitor.ask("/", user_agent=CHROME)
    assert first.status == again.status == 200
    crawled = _lane(app)
    begin = app.runtime.database.begin

    class Deaf:
        """A database whose commit is not heard of."""

        def __init__(self, *args: object) -> None:
            self.inner = begin(*args)  # type: ignore[arg-type]

        async def __aenter__(self) -> object:
            return await self.inner.__aenter__()

        async def __aexit__(self, *failure: object) -> None:
            await self.inner.__aexit__(*failure)  # type: ignore[arg-type]
            raise Busy("database.away", "The answer was lost.")

    with monkeypatch.context() as patched:
        patched.setattr(app.runtime.database, "begin", Deaf)
        await crawled.write_down()
    await crawled.write_down()
    await crawled.write_down()
    rows = await app.admin("select used from budget where meter = 'crawl_bytes'")
    assert [row["used"] for row in rows] == [len(first.body) + len(again.body)]

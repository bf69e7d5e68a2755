"""What crawlers fetch is counted, what people fetch is not; a batch counts once; who is out of budget is told to wait.

Covers: crawled, asked.
"""

from __future__ import annotations

import pytest

from shipworthy.kernel.edge.crawlers import Standing
from shipworthy.kernel.errors import Busy
from shipworthy.rooms.site.crawled import Crawled
from tests.rooms.site.conftest import author
from tests.support.app import RunningApp

GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


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


async def test_programs_are_told_to_wait_before_search_engines_and_people_never(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = await author(app)
    await acme.show("Home", "/")
    known = {"standing": Standing.UNVERIFIED}
    monkeypatch.setattr(app.runtime.edge.crawlers, "standing", lambda *_: known["standing"])

    async def told() -> tuple[int, int, int, int]:
        """What a program, a verified search engine, a person and whoever asks for robots.txt are answered."""
        known["standing"] = Standing.UNVERIFIED
        program = await acme.visitor.ask("/", user_agent="AhrefsBot/7.0")
        robots = await acme.visitor.ask("/robots.txt", user_agent="AhrefsBot/7.0")
        known["standing"] = Standing.VERIFIED
        google = await acme.visitor.ask("/", user_agent=GOOGLE)
        person = await acme.visitor.ask("/", user_agent=CHROME)
        for refused in (program, google):
            assert refused.status == 200 or refused.header("retry-after") == "3600"
        return program.status, google.status, person.status, robots.status

    assert await told() == (200, 200, 200, 200)
    (used,) = [_lane(app)._bytes[acme.tenant_id]]
    for most, expected in ((used + 1, (429, 200, 200, 200)), (used, (429, 503, 200, 200))):
        await app.admin(
            "insert into tenant_limit (tenant_id, meter, most) values ($1, 'crawl_bytes', $2)"
            " on conflict (tenant_id, meter) do update set most = excluded.most",
            acme.tenant_id,
            most,
        )
        await _lane(app).write_down()
        assert await told() == expected
        _lane(app)._bytes.clear()
    await app.admin("update tenant_limit set most = null")
    await _lane(app).write_down()
    assert await told() == (200, 200, 200, 200)

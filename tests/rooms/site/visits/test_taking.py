"""What counts as a visit: a person on a published page who did not ask to be left alone, and no more often.

Covers: counted, report, web.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from shipworthy.rooms.site.visits.beacon import BEACON_PATH
from shipworthy.rooms.site.visits.counted import VisitTally
from shipworthy.rooms.site.visits.vitals import ENOUGH
from tests.rooms.site.conftest import Author, author
from tests.support.app import RunningApp
from tests.support.client import Answer

PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def leave(
    person: Author,
    path: str = "/",
    *,
    body: bytes | None = None,
    address: str = "127.0.0.1",
    headers: Any = None,
    **said: Any,
) -> Answer:
    """Send what the script of a page sends when it is left."""
    sent = {"user-agent": PERSON, "content-type": "text/plain;charset=UTF-8", **(headers or {})}
    content = json.dumps({"path": path, "from": "", "lcp": 900, "inp": 40, "cls": 5, **said}).encode()
    client = person.app.client(person.host, address=address)
    return await client.post(BEACON_PATH, body=content if body is None else body, headers=sent)


async def counts(person: Author) -> dict[tuple[str, str, str], int]:
    await person.app.runtime.state["site.lane"].visits.tally.write_down()
    rows = await person.app.admin(
        "select kind, path, name, count from visit_count where tenant_id = $1", person.tenant_id
    )
    return {(row["kind"], row["path"], row["name"]): row["count"] for row in rows}


async def test_a_visit_is_a_view_a_referrer_and_what_was_felt(acme: Author) -> None:
    await acme.show("Home", "/")
    await acme.show("About", "/about")
    answer = await leave(acme, "/about", **{"from": "news.example:8080"})
    assert (answer.status, answer.body, answer.header("set-cookie")) == (204, b"", None)
    await leave(acme, "/about", lcp=0, inp=0)
    assert await counts(acme) == {
        ("view", "/about", ""): 2,
        ("referrer", "/about", "news.example"): 1,
        ("lcp", "/about", "1000"): 1,
        ("inp", "/about", "50"): 1,
        ("cls", "/about", "10"): 2,
    }
    await leave(acme, "/about")
    assert (await counts(acme))["view", "/about", ""] == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-gpc": "1"}, {"dnt": "1"}, {"sec-purpose": "prefetch;prerender"}, {"origin": "https://evil.example"},
        {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"user-agent": "Mozilla/5.0 HeadlessChrome/140.0 Safari/537.36"}, {"user-agent": "curl/8.5.0"}, {"user-agent": ""},
    ],
    ids=str,
)  # fmt: skip
async def test_who_does_not_want_to_be_counted_or_is_nobody_is_not(
    acme: Author, headers: dict[str, str]
) -> None:
    await acme.show("Home", "/")
    assert (await leave(acme, headers=headers)).status == 204
    assert await counts(acme) == {}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"path": 1}', b'{"path": "/", "lcp": "fast"}', b'{"path": "/nothing"}', b'{"path": "/draft"}', b"\xff\xfe",
     b'{"path": "/", "lcp": 1e99}', b'{"path": "/\\u0000"}', b'{"lcp": 5}'],
)  # fmt: skip
async def test_what_the_script_never_says_is_not_counted(acme: Author, body: bytes) -> None:
    await acme.show("Home", "/home")
    await acme.write("Draft", path="/draft")
    assert (await leave(acme, body=body)).status == 204
    assert await counts(acme) == {}


async def test_a_body_that_is_too_large_and_other_addresses_are_refused(acme: Author) -> None:
    await acme.show("Home", "/")
    assert (await leave(acme, body=b"x" * 5_000)).status == 413
    client = acme.app.client(acme.host)
    assert (await client.post("/", body=b"{}")).status == 405
    assert (await client.get(BEACON_PATH)).status == 404
    assert await counts(acme) == {}


async def test_a_visitor_who_sends_without_end_counts_for_a_minute_of_visits(acme: Author) -> None:
    await acme.show("Home", "/")
    for _ in range(100):
        assert (await leave(acme)).status == 204
    await leave(acme, address="10.9.8.7")
    assert (await counts(acme))["view", "/", ""] == 61


async def test_a_neighbour_is_counted_for_itself(app: RunningApp, acme: Author) -> None:
    globex = await author(app, "Globex")
    await acme.show("Home", "/")
    await globex.show("Home", "/")
    await leave(acme)
    await leave(globex, "/")
    await leave(globex, "/")
    assert (await counts(acme))["view", "/", ""] == 1
    assert (await counts(globex))["view", "/", ""] == 2


async def test_nothing_of_a_person_is_kept(acme: Author) -> None:
    await acme.show("Home", "/")
    await leave(acme, address="203.0.113.77", **{"from": "news.example/private?q=me"})
    await counts(acme)
    (row,) = await acme.app.admin("select coalesce(string_agg(v::text, ' '), '') as text from visit_count v")
    for secret in ("203.0.113", "Firefox", "private"):
        assert secret not in row["text"]


async def test_the_screen_shows_what_was_counted_to_owners_only(app: RunningApp, acme: Author) -> None:
    empty = await acme.get("/visits")
    assert empty.status == 200 and "Nobody was counted" in empty.text
    await acme.show("Home", "/")
    for n in range(ENOUGH):
        await leave(acme, address=f"10.0.0.{n}", lcp=3_100, inp=120, cls=300, **{"from": "news.example"})
    await counts(acme)
    for days in ("", "?days=7", "?days=90"):
        page = await acme.get(f"/visits{days}")
        assert page.status == 200
        for said in (
            "news.example",
            f">{ENOUGH}<",
            "≤ 3.5 s",
            "needs work",
            "≤ 125 ms",
            "good up to",
            "≤ 0.5",
            "poor",
        ):
            assert said in page.text, (days, said)
    assert (await acme.get("/visits?days=31")).status == 422
    member = await author(app, tenant_id=acme.tenant_id, role="member")
    assert (await member.get("/visits")).status == 403


async def test_counts_wait_for_a_database_that_is_away(acme: Author) -> None:
    await acme.show("Home", "/")
    await leave(acme)
    lane = acme.app.runtime.state["site.lane"]
    tally: VisitTally = lane.visits.tally
    begin, tally._runtime.database.begin = tally._runtime.database.begin, _away  # type: ignore[method-assign]
    await tally.write_down()
    tally._runtime.database.begin = begin  # type: ignore[method-assign]
    assert (await counts(acme))["view", "/", ""] == 1


def _away(*_: Any) -> Any:
    from shipworthy.kernel.errors import Busy

    raise Busy("database.away", "Away.")

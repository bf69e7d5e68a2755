"""The list of pages: every page once, both ways, at any size."""

from __future__ import annotations

import base64

import pytest

from tests.rooms.site.conftest import Author, Clock


async def test_every_page_is_listed_once_the_last_edited_first(acme: Author, clock: Clock) -> None:
    for n in range(60):
        clock.move(n % 2)  # some at the very same moment
        await acme.write(f"Page {n}")
    seen, cursor, parts = [], "", 0
    while True:
        part = (await acme.get(f"/api/pages?cursor={cursor}")).json
        seen += [page["title"] for page in part["pages"]]
        parts += 1
        if not (cursor := part["next_cursor"]):
            break
    assert parts == 3
    assert sorted(seen) == sorted(f"Page {n}" for n in range(60))
    assert seen[0] == "Page 59"


async def test_the_screen_leads_onward_and_back_to_the_same_rows(acme: Author, clock: Clock) -> None:
    for n in range(55):
        clock.move(1)
        await acme.write(f"Page {n}")
    first = (await acme.get("/pages")).text
    second = (await acme.get(link(first, "next"))).text
    third = (await acme.get(link(second, "next"))).text
    assert 'rel="next"' not in third
    back = (await acme.get(link(third, "prev"))).text
    assert titles(back) == titles(second)
    start = (await acme.get(link(back, "prev"))).text
    assert titles(start) == titles(first)
    assert 'rel="prev"' not in start
    assert len(titles(first)) == 25


@pytest.mark.parametrize(
    "cursor",
    ["x", "!!", base64.urlsafe_b64encode(b"next/2026-01-01/x").decode(), base64.urlsafe_b64encode(b"next//").decode(),
     base64.urlsafe_b64encode(b"next/0001-01-01T00:00:00+23:59/00000000-0000-0000-0000-000000000000").decode(),
     base64.urlsafe_b64encode(b"down/2026-01-01T00:00:00+00:00/00000000-0000-0000-0000-000000000000").decode(),
     base64.urlsafe_b64encode(b"next/2026-01-01T00:00:00/00000000-0000-0000-0000-000000000000").decode()],
)  # fmt: skip
async def test_a_cursor_that_is_none_of_ours_is_refused(acme: Author, cursor: str) -> None:
    await acme.write("One")
    refused = await acme.get(f"/api/pages?cursor={cursor}")
    assert (refused.status, refused.json["code"]) == (422, "site.cursor_invalid")


def link(html: str, way: str) -> str:
    return (
        html.partition(f'rel="{way}" href="')[2]
        .partition('"')[0]
        .replace("&#x2f;", "/")
        .replace("&amp;", "&")
    )


def titles(html: str) -> list[str]:
    return [
        part.partition("<")[0]
        for part in html.split('class="cover" href="')[1:]
        for part in [part.partition(">")[2]]
    ]

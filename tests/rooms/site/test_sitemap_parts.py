"""A large site's sitemap is in parts that keep their pages and their names; only what changed is made anew.

Covers: sitemap.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shipworthy.rooms.site.sitemap import PART_PAGES, Listed, Part, divide
from tests.rooms.site.assets.conftest import send_picture
from tests.rooms.site.conftest import PORT, Author, Clock, work
from tests.rooms.site.test_sitemap import NAMESPACE
from tests.support.app import RunningApp

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
_FILL = """
insert into page (tenant_id, page_id, site_id, path, status, published_version, content_changed_at, created_at, updated_at)
select tenant_id, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, site_id, '/p/' || n, 'published', 1,
  timestamptz '2026-01-01' + n * interval '1 second', now(), now()
from site, generate_series(1, 30000) as n
"""


@settings(max_examples=15, deadline=None)
@example(120_001, 2)
@given(st.integers(0, 120_001), st.integers(2, 90))
def test_every_page_is_in_exactly_one_part_and_none_is_too_large(count: int, next_number: int) -> None:
    pages = [Listed(uuid.UUID(int=n), "/x", AT) for n in range(1, count + 1)]
    parts = divide(Part(1, uuid.UUID(int=0)), pages, next_number=next_number, pages_max=PART_PAGES)
    assert [page for _, its_pages in parts for page in its_pages] == pages
    assert all(len(its_pages) <= PART_PAGES for _, its_pages in parts)
    assert parts[0][0] == Part(1, uuid.UUID(int=0))
    assert [part.number for part, _ in parts[1:]] == list(range(next_number, next_number + len(parts) - 1))
    assert all(part.first_page_id == its_pages[0].page_id for part, its_pages in parts[1:])


async def read(person: Author, path: str) -> tuple[str, dict[str, str]]:
    """Return the root of a sitemap and its addresses with their days."""
    answer = await person.visitor.ask(path)
    assert answer.status == 200, path
    root = ElementTree.fromstring(answer.body)
    entries = {e.findtext(f"{NAMESPACE}loc", ""): e.findtext(f"{NAMESPACE}lastmod", "") for e in root}
    assert len(entries) == len(root)
    return root.tag.removeprefix(NAMESPACE), entries


async def stored(app: RunningApp) -> dict[str, Any]:
    return {r["path"]: r["etag"] for r in await app.admin("select path, etag from page_render")}


async def test_30_001_pages_are_in_four_parts_and_a_change_touches_one(
    app: RunningApp, acme: Author, clock: Clock
) -> None:
    home = await acme.show("Home", "/")
    await app.admin(_FILL)
    await work(app)
    kind, index = await read(acme, "/sitemap.xml")
    assert (kind, len(index)) == ("sitemapindex", 4)
    found: dict[str, str] = {}
    for address, lastmod in index.items():
        kind, entries = await read(acme, "/" + address.split("/", 3)[3])
        assert kind == "urlset"
        assert len(entries) <= PART_PAGES
        assert lastmod == max(entries.values())
        assert not found.keys() & entries.keys()
        found |= entries
    assert len(found) == 30_001
    before = await stored(app)

    clock.move(3_600)
    await acme.publish(await acme.edit(home, body="News."))
    await work(app)
    changed = {path for path, etag in (await stored(app)).items() if before[path] != etag}
    assert changed == {
        "/sitemap.xml",
        "/sitemap-4.xml",
    }  # ids are times: the newest page is in the last part
    _, again = await read(acme, "/sitemap.xml")
    assert again.keys() == index.keys()
    assert max(again.values()) == (clock.at).strftime("%Y-%m-%dT%H:%M:%SZ")

    await app.admin(
        "update page set status = 'draft', published_version = null where path in ('/p/1', '/p/2')"
    )
    await acme.publish(home)
    await work(app)
    _, first = await read(acme, "/sitemap-1.xml")
    assert len(first) == PART_PAGES - 2  # nobody moved up into the room


async def test_a_part_that_no_page_is_in_is_missing(acme: Author) -> None:
    await acme.show("Home", "/")
    for path in ("/sitemap-1.xml", "/sitemap-99.xml", "/sitemap-x.xml"):
        assert (await acme.visitor.ask(path)).status == 404


async def test_a_page_names_the_pictures_that_visitors_see_and_no_others(
    app: RunningApp, acme: Author
) -> None:
    first, second = [(await send_picture(acme, seed=n)).json["path"] for n in range(2)]
    page = await acme.show("Home", "/", body=f"![x]({first})")
    await acme.edit(page, body=f"![x]({second})")  # nobody sees that yet
    await work(app)
    (url,) = ElementTree.fromstring((await acme.visitor.ask("/sitemap.xml")).body)
    image = "{http://www.google.com/schemas/sitemap-image/1.1}"
    shown = [e.findtext(f"{image}loc") for e in url.findall(f"{image}image")]
    assert shown == [f"http://{acme.host}:{PORT}{first}"]

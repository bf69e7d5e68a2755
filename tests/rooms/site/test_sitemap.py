"""The sitemap says what is published, once each, and when it truly changed.

Covers: jobs.
"""

from __future__ import annotations

import asyncio
import os
import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from shipworthy.kernel.queue.worker import work as run_worker
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.jobs import JOBS
from shipworthy.rooms.site.sitemap import Listed, sitemap_xml
from tests.rooms.site.conftest import Author, Clock, Visitor, another_process, queued, seeded, until, work
from tests.support.app import RunningApp
from tests.support.page import parse

NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
SCHEMA = Path(os.environ.get("SHIPWORTHY_TEST_DATA", "../shared/data")) / "sitemap" / "sitemap.xsd"


async def entries(visitor: Visitor) -> dict[str, str]:
    """Return address -> day of change."""
    answer = await visitor.ask("/sitemap.xml")
    assert (answer.status, answer.header("content-type")) == (200, "application/xml; charset=utf-8")
    urls = ElementTree.fromstring(answer.body).findall(f"{NAMESPACE}url")
    found = {u.findtext(f"{NAMESPACE}loc", ""): u.findtext(f"{NAMESPACE}lastmod", "") for u in urls}
    assert len(found) == len(urls)
    return found


async def test_every_address_is_the_pages_own_canonical_one_and_answers(app: RunningApp) -> None:
    acme, _ = await seeded(app)
    await acme.show("Über uns", "/über uns")
    await work(app)
    found = await entries(acme.visitor)
    assert len(found) == 6
    for address in found:
        path = address.partition(acme.host)[2].partition("/")
        answer = await acme.visitor.ask(f"/{path[2]}")
        assert answer.status == 200, address
        canonical = [e for e in parse(answer.text).all("link") if e.attributes.get("rel") == "canonical"]
        assert [e.attributes["href"] for e in canonical] == [address]


async def test_drafts_and_pages_taken_back_are_not_in_it(app: RunningApp, acme: Author) -> None:
    await acme.show("Home", "/")
    gone = await acme.show("Gone", "/gone")
    await acme.write("Draft", path="/draft")
    await acme.unpublish(gone)
    await work(app)
    assert [address.rpartition("/")[2] for address in await entries(acme.visitor)] == [""]


async def test_a_site_with_nothing_published_has_none(app: RunningApp, acme: Author) -> None:
    page = await acme.show("Home", "/")
    await acme.unpublish(page)
    await work(app)
    assert (await acme.visitor.ask("/sitemap.xml")).status == 404


async def test_the_day_of_change_is_the_contents_and_not_the_builds(
    app: RunningApp, acme: Author, clock: Clock
) -> None:
    page = await acme.show("Home", "/")
    await work(app)
    first = await entries(acme.visitor)
    assert list(first.values()) == ["2026-03-01T12:00:00Z"]
    clock.move(86_400)
    await acme.publish(page)
    await work(app)
    assert await entries(acme.visitor) == first
    await acme.publish(await acme.edit(page, body="News."))
    await work(app)
    assert list((await entries(acme.visitor)).values()) == ["2026-03-02T12:00:00Z"]


async def test_the_job_is_what_makes_it_and_every_process_has_it_then(app: RunningApp, acme: Author) -> None:
    await acme.show("Home", "/")
    await work(app)
    async with another_process(app) as asgi:
        there = Visitor(asgi, acme.host)
        await there.until_hit("/sitemap.xml")
        await acme.show("More", "/more")
        assert len(await entries(acme.visitor)) == 1  # the last job's
        await work(app)
        assert len(await entries(acme.visitor)) == 2
        await until(lambda: there.ask("/sitemap.xml"), lambda answer: b"/more" in answer.body)


async def test_where_no_job_has_run_yet_it_is_made_when_it_is_asked_for(acme: Author) -> None:
    await acme.show("Home", "/")
    assert len(await entries(acme.visitor)) == 1


async def test_a_job_run_twice_has_one_effect(app: RunningApp, acme: Author, clock: Clock) -> None:
    await acme.show("Home", "/")
    jobs = await queued(app)
    stored = "select path, epoch, etag, body, rendered_at from page_render"
    await work(app, jobs)
    first = await app.admin(stored)
    clock.move(60)
    await work(app, jobs)
    assert await app.admin(stored) == first
    assert len(first) == 1


async def test_a_late_job_does_not_put_an_older_sitemap_over_a_newer(app: RunningApp, acme: Author) -> None:
    await acme.show("Home", "/")
    early = await queued(app)
    await acme.show("More", "/more")
    await work(app)
    await work(app, early)
    assert len(await entries(acme.visitor)) == 2


async def test_of_two_jobs_at_once_the_one_that_read_later_stays(app: RunningApp, acme: Author) -> None:
    """The slower one passed the check before the other wrote; what it writes must not win."""
    await acme.show("Home", "/")
    await work(app)
    row = dict(
        (await app.admin("select site_id, path, origin, epoch, media_type, body, gzipped from page_render"))[
            0
        ]
    )
    async with app.role("worker") as database:
        for epoch, stays in ((row["epoch"] - 1, "newer"), (row["epoch"] + 1, "older")):
            async with database.begin(app.ctx(tenant_id=acme.tenant_id).scope) as tx:
                await tx.run(
                    q.render_put, **{**row, "epoch": epoch, "etag": '"other"', "now": app.runtime.now()}
                )
            (there,) = await app.admin("select epoch, etag from page_render")
            assert (there["etag"] == '"other"') == (stays == "older")


async def test_a_publish_during_a_running_job_is_not_lost(app: RunningApp, acme: Author) -> None:
    """The first job has read its pages and not committed; the second publish must get a job all the same."""
    await acme.show("Home", "/")
    await app.admin("update pgqueuer set status = 'picked', heartbeat = now() + interval '1 hour'")
    await acme.show("More", "/more")
    rows = await app.admin("select status from pgqueuer where entrypoint = 'site.sitemap' order by id")
    assert [row["status"] for row in rows] == ["picked", "queued"]
    await work(app)
    assert len(await entries(acme.visitor)) == 2


async def test_the_worker_itself_makes_it(app: RunningApp, acme: Author) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    async with app.role("worker") as database:
        runtime = replace(app.runtime, database=database, state={})
        working = asyncio.create_task(
            run_worker(app.url("worker"), runtime, JOBS, stop=stop, on_ready=ready.set)
        )
        try:
            await ready.wait()
            await acme.show("Home", "/")
            await until(lambda: app.admin("select epoch from page_render"), bool)
        finally:
            stop.set()
            await working


async def test_a_job_for_a_site_that_is_not_the_tenants_does_nothing(app: RunningApp, acme: Author) -> None:
    await acme.show("Home", "/")
    (payload,) = await queued(app)
    foreign = re.sub(rb'"source":"[0-9a-f-]{36}', b'"source":"' + str(uuid.uuid4()).encode(), payload)
    await work(app, [foreign])
    assert await app.admin("select * from page_render") == []


def test_it_validates_against_the_schema() -> None:
    if not SCHEMA.is_file():
        pytest.skip(f"the sitemap schema is not at {SCHEMA}; set SHIPWORTHY_TEST_DATA")
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
    schema = etree.XMLSchema(etree.parse(str(SCHEMA)))
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    pages = [Listed(uuid.UUID(int=n), path, at) for n, path in enumerate(("/", "/über-uns"))]
    good = sitemap_xml(pages, site_origin="https://a.example")
    assert schema.validate(etree.fromstring(good)), schema.error_log
    assert not schema.validate(etree.fromstring(good.replace(b"T12:00:00Z", b"T12")))

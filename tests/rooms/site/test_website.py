"""The website from a person's and a visitor's side: write, publish, read, change, hide.

Covers: addresses, answers, bodies, changes, flights, hosts, jobs, lane, listing, markup, permissions, publish,
render, robots, screens, seed, shelf, shown, sitemap, start, versions, web, write.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.app import running, web_app
from shipworthy.kernel.queue.job import Payload
from shipworthy.kernel.queue.worker import run_job
from shipworthy.kernel.seed import demo_tenants, seed_demo, tenant_id_of
from shipworthy.kernel.sessions.store import NewSession
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.site.addresses import canonical_path
from shipworthy.rooms.site.room import ROOM
from tests.support.app import RunningApp, app_running
from tests.support.client import Answer, Client

HOSTS = ("acme.localhost", "globex.localhost")


@pytest.fixture
async def website(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[RunningApp]:
    """An app with the two demo tenants and their sites."""
    async with app_running(cluster, (ROOM,), tmp_path) as app:
        await seed_demo(app.runtime, demo_tenants(app.runtime.realm_id, "secret"))
        yield app


async def owner(app: RunningApp, number: int = 0, *, role: str = "owner") -> Client:
    tenant = demo_tenants(app.runtime.realm_id, "secret")[number]
    client = app.client()
    client.cookies["sid"] = await app.runtime.sessions.create(
        NewSession(
            user_id=tenant.user_id,
            device_id=uuid.uuid4(),
            device_name="Test",
            email=tenant.email,
            tenant_id=tenant_id_of(app.runtime.realm_id, tenant),
            tenant_name=tenant.name,
            role=role,
        )
    )
    return client


async def keyed(client: Client, path: str, body: Any = None) -> Answer:
    return await client.post(
        path, json_body={} if body is None else body, headers={"idempotency-key": str(uuid.uuid4())}
    )


async def published(client: Client, path: str, **text: Any) -> str:
    body = {"title": "Spring offer", "path": path, "body": "Call **us**.", "in_menu": False, **text}
    created = await keyed(client, "/api/pages", body)
    assert created.status == 201, created.text
    page_id: str = created.json["page_id"]
    assert (await keyed(client, f"/api/pages/{page_id}/publish")).status == 200
    return page_id


async def sitemap_made(app: RunningApp) -> None:
    """Do what the worker does with every waiting job."""
    async with app.role("worker") as database:
        runtime = replace(app.runtime, database=database)
        for row in await app.admin(
            "delete from pgqueuer where entrypoint = 'site.sitemap' returning payload"
        ):
            assert msgspec.json.decode(row["payload"], type=Payload).tenant
            await run_job(ROOM.jobs[0], runtime, row["payload"], attempt=0)


async def test_a_published_page_is_seen_and_a_draft_is_not(website: RunningApp) -> None:
    acme, visitor = await owner(website), website.client(HOSTS[0])
    created = await keyed(
        acme, "/api/pages", {"title": "Spring", "path": "/spring", "body": "Soon.", "in_menu": False}
    )
    assert (await visitor.get("/spring")).status == 404
    page_id = created.json["page_id"]
    assert (await keyed(acme, f"/api/pages/{page_id}/publish")).status == 200
    seen = await visitor.get("/spring")
    assert (seen.status, "Soon." in seen.text) == (200, True)
    assert (await keyed(acme, f"/api/pages/{page_id}/unpublish")).status == 200
    assert (await visitor.get("/spring")).status == 404


async def test_an_edit_shows_only_when_published_and_then_in_every_process(website: RunningApp) -> None:
    acme = await owner(website)
    page_id = await published(acme, "/spring")
    async with running(website.runtime.settings, (ROOM,), website.installation) as second:
        elsewhere = Client(web_app(second), host=HOSTS[0])
        assert "Call" in (await elsewhere.get("/spring")).text
        etag = (await acme.get(f"/api/pages/{page_id}")).header("etag")
        assert etag
        edit = {"title": "Spring offer", "path": "/spring", "body": "Write to us.", "in_menu": False}
        changed = await acme.request(
            "PUT", f"/api/pages/{page_id}", json_body=edit, headers={"if-match": etag}
        )
        assert changed.status == 200
        assert "Call" in (await website.client(HOSTS[0]).get("/spring")).text
        stale = await acme.request("PUT", f"/api/pages/{page_id}", json_body=edit, headers={"if-match": etag})
        assert stale.status == 412
        assert (await acme.request("PUT", f"/api/pages/{page_id}", json_body=edit)).status == 428
        assert (await keyed(acme, f"/api/pages/{page_id}/publish")).status == 200
        assert "Write to us." in (await website.client(HOSTS[0]).get("/spring")).text
        async with asyncio.timeout(10):
            while "Write to us." not in (await elsewhere.get("/spring")).text:
                await asyncio.sleep(0)


async def test_an_address_has_one_form_and_one_canonical_whatever_the_headers_say(
    website: RunningApp,
) -> None:
    await published(await owner(website), "/spring")
    visitor = website.client(HOSTS[0])
    plain = await visitor.get("/spring")
    assert re.search(r'rel="?canonical"? href="?http://acme\.localhost/spring', plain.text)
    for other in ("/Spring", "/spring/", "//spring", "/x/../spring", "/./spring"):
        moved = await visitor.get(other)
        assert (moved.status, moved.header("location")) == (308, "http://acme.localhost/spring"), other
    assert (await visitor.get("/nothing/")).status == 404
    for headers in (
        {"x-forwarded-host": "evil.example"},
        {"x-original-url": "/evil"},
        {"forwarded": "host=evil.example"},
    ):
        assert (await visitor.get("/spring", headers=headers)).body == plain.body
    refused = await website.client("evil.example").get("/spring")
    assert refused.status == 421
    assert "evil" not in refused.text


async def test_an_unchanged_page_is_304_in_both_encodings_and_head_has_no_body(website: RunningApp) -> None:
    await published(await owner(website), "/spring")
    visitor = website.client(HOSTS[0])
    for encoding in ("identity", "gzip"):
        first = await visitor.get("/spring", headers={"accept-encoding": encoding})
        etag = first.header("etag")
        assert etag
        again = await visitor.get("/spring", headers={"accept-encoding": encoding, "if-none-match": etag})
        assert (again.status, again.body) == (304, b"")
    zipped = await visitor.get("/spring", headers={"accept-encoding": "gzip"})
    assert gzip.decompress(zipped.body) == (await visitor.get("/spring")).body
    head = await visitor.request("HEAD", "/spring")
    assert (head.status, head.body) == (200, b"")
    assert (await visitor.post("/spring", form={})).status == 405


async def test_the_sitemap_holds_what_is_published_and_its_days_move_with_the_content(
    website: RunningApp,
) -> None:
    acme, visitor = await owner(website), website.client(HOSTS[0])
    page_id = await published(acme, "/spring")
    await sitemap_made(website)
    robots = await visitor.get("/robots.txt")
    assert "Sitemap: http://acme.localhost/sitemap.xml" in robots.text
    before = (await visitor.get("/sitemap.xml")).text
    addresses = re.findall(r"<loc>http://acme\.localhost([^<]*)</loc>", before)
    assert "/spring" in addresses
    for address in addresses:
        assert (await visitor.get(address)).status == 200, address
    assert (await keyed(acme, f"/api/pages/{page_id}/publish")).status == 200
    await sitemap_made(website)
    assert (await visitor.get("/sitemap.xml")).text == before
    assert (await keyed(acme, f"/api/pages/{page_id}/unpublish")).status == 200
    await sitemap_made(website)
    assert "/spring" not in (await visitor.get("/sitemap.xml")).text


async def test_what_people_write_comes_out_inert(website: RunningApp) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    body = f"{evil}\n\n[x](javascript:alert(1)) <iframe src=//evil></iframe>"
    await published(await owner(website), "/spring", title=evil[:60], description=evil, body=body)
    text = (await website.client(HOSTS[0]).get("/spring")).text
    for needle in ("<script>alert", "<img src=x", 'href="javascript', "href=javascript", "<iframe"):
        assert needle not in text
    assert "script-src" not in text


async def test_fifty_visitors_of_a_cold_page_render_it_once(website: RunningApp) -> None:
    await published(await owner(website), "/spring")
    before = await _times_looked_up(website)
    fresh = Client(web_app(website.runtime), host=HOSTS[0])
    answers = await asyncio.gather(*(fresh.get("/spring") for _ in range(50)))
    assert {a.status for a in answers} == {200}
    assert len({a.body for a in answers}) == 1
    assert await _times_looked_up(website) == before + 1


async def _times_looked_up(app: RunningApp) -> int:
    rows = await app.admin(
        "select coalesce(sum(calls), 0)::int as calls from pg_stat_statements"
        " where query like '%site.published_page %' and dbid = (select oid from pg_database where datname = current_database())"
    )
    return int(rows[0]["calls"])


async def test_the_neighbour_can_neither_read_nor_change(website: RunningApp) -> None:
    page_id = await published(await owner(website), "/spring")
    globex = await owner(website, 1)
    for method, path in (("GET", ""), ("POST", "/publish"), ("POST", "/unpublish")):
        foreign = await globex.request(
            method, f"/api/pages/{page_id}{path}", json_body={}, headers={"idempotency-key": "k"}
        )
        missing = await globex.request(
            method, f"/api/pages/{uuid.uuid4()}{path}", json_body={}, headers={"idempotency-key": "m"}
        )
        assert (foreign.status, foreign.body) == (404, missing.body)
    assert (await website.client(HOSTS[1]).get("/spring")).status == 404
    assert page_id not in (await globex.get("/api/pages")).text
    viewer = await owner(website, role="viewer")
    assert (await viewer.get("/api/pages")).status == 200
    assert (await keyed(viewer, f"/api/pages/{page_id}/publish")).status == 403


async def test_the_same_create_twice_is_one_page_and_a_taken_address_is_refused(website: RunningApp) -> None:
    acme = await owner(website)
    send = {"json_body": {"title": "A", "path": "/a", "body": "x"}, "headers": {"idempotency-key": "once"}}
    first, second = await acme.post("/api/pages", **send), await acme.post("/api/pages", **send)
    assert (first.status, first.body) == (201, second.body)
    taken = await keyed(acme, "/api/pages", {"title": "B", "path": "/A/", "body": "x"})
    assert taken.status == 409
    for path in ("/robots.txt", "/sitemap.xml"):
        assert (await keyed(acme, "/api/pages", {"title": "B", "path": path, "body": "x"})).status == 422


async def test_every_screen_renders_and_the_preview_is_kept_from_indexes(website: RunningApp) -> None:
    acme = await owner(website)
    page_id = await published(acme, "/spring")
    html = {"accept": "text/html"}
    for path in ("/pages", "/pages/new", f"/pages/{page_id}"):
        shown = await acme.get(path, headers=html)
        assert (shown.status, "<h1" in shown.text) == (200, True), path
    there = await acme.get(f"/pages/{page_id}/preview", headers=html)
    assert there.status == 303
    path = str(there.header("location")).removeprefix(f"http://preview.{HOSTS[0]}")
    preview = await website.client(f"preview.{HOSTS[0]}").get(path)
    assert (preview.status, preview.header("x-robots-tag")) == (200, "noindex, nofollow")
    assert "Call" in preview.text


@given(st.text(alphabet=st.sampled_from("aÄ/.%2f-~Σ "), max_size=30))
def test_a_canonical_path_is_canonical_already(path: str) -> None:
    once = canonical_path("/" + path)
    assert canonical_path(once) == once
    assert "//" not in once

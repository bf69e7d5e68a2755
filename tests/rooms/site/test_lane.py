"""The lane: what visitors and crawlers get, whatever they send.

Covers: answers, hosts.
"""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import brotli
import pytest

from shipworthy.kernel.settings import SiteSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.site import lane as lane_module
from shipworthy.rooms.site.room import ROOM
from tests.rooms.site.conftest import PATIENCE_S, PORT, Author, Visitor, author, site_app, site_of
from tests.support.app import RunningApp, make_settings
from tests.support.page import parse


def canonical_of(html: str) -> str | None:
    links = [e for e in parse(html).all("link") if e.attributes.get("rel") == "canonical"]
    return links[0].attributes["href"] if links else None


async def add_alias(person: Author, host: str) -> Visitor:
    await person.app.admin(
        "insert into site_domain (realm_id, host, tenant_id, site_id, role)"
        " select $1, $2, tenant_id, site_id, 'alias' from site where tenant_id = $3",
        person.app.runtime.realm_id,
        host,
        person.tenant_id,
    )
    return Visitor(person.app.asgi, host)


@pytest.mark.parametrize(
    "host", ["evil.example", "acme.evil.example", "", "[::1]", "a b", "x" * 300, "a\x00b", "é.example"]
)
async def test_an_unknown_host_gets_421_and_nothing_of_what_it_sent(acme: Author, host: str) -> None:
    await acme.show()
    answer = await acme.visitor.ask("/?secret=canary", host=host, x_forwarded_host=acme.host)
    assert answer.status == 421
    assert b"canary" not in answer.body
    assert host.encode() not in answer.body or not host
    assert (await acme.visitor.ask("/")).status == 200


async def test_the_canonical_address_comes_from_the_domain_record_whatever_is_sent(acme: Author) -> None:
    await acme.show("About", "/about")
    plain = await acme.visitor.ask("/about")
    for headers in (
        {"host": f"{acme.host}:6666"},
        {"host": acme.host.upper()},
        {"host": f"{acme.host}:@evil.example"},
        {"x_forwarded_host": "evil.example"},
        {"x_forwarded_proto": "https"},
        {"forwarded": "host=evil.example;proto=https"},
        {"x_original_url": "/evil"},
        {"x_rewrite_url": "/evil"},
        {"cookie": "sid=evil"},
    ):
        answer = await acme.visitor.ask("/about", **headers)
        assert (answer.status, answer.body) == (200, plain.body), headers
    assert canonical_of(plain.text) == f"http://{acme.host}:{PORT}/about"


async def test_trackers_in_the_query_change_nothing(acme: Author) -> None:
    await acme.show()
    await acme.visitor.until_hit()
    tracked = await acme.visitor.ask("/?utm_source=x&gclid=1")
    assert tracked.header("x-cache") == "hit"
    assert tracked.body == (await acme.visitor.ask("/")).body


@pytest.mark.parametrize(
    "path",
    [
        "/About",
        "/about/",
        "//about",
        "/./about",
        "/x/../about",
        "/%61bout",
        "/ABOUT//",
        "/about/.",
        "/%2Fabout",
    ],
)
async def test_another_way_of_writing_an_address_leads_to_it_in_one_step(acme: Author, path: str) -> None:
    await acme.show("About", "/about")
    answer = await acme.visitor.ask(path)
    assert (answer.status, answer.header("location")) == (308, f"http://{acme.host}:{PORT}/about")
    assert (await acme.visitor.ask("/about")).status == 200


@pytest.mark.parametrize(
    "path", ["/Nothing", "/nothing/", "//nothing", "/x/../nothing", "//evil.example/", "/%ff", "/a%00"]
)
async def test_where_no_page_is_the_answer_is_404_at_once(acme: Author, path: str) -> None:
    await acme.show()
    answer = await acme.visitor.ask(path)
    assert answer.status == 404
    assert answer.header("location") is None
    assert (answer.header("x-robots-tag"), answer.header("cache-control")) == ("noindex", "no-store")
    assert canonical_of(answer.text) is None


async def test_an_address_in_any_alphabet_has_one_encoded_form(acme: Author) -> None:
    page = await acme.show("Café", "/Café")
    assert page["path"] == "/caf\u00e9"
    assert (await acme.visitor.ask("/caf%C3%A9")).status == 200
    for other in ("/caf%c3%a9", "/cafe%CC%81", "/CAF%C3%89"):
        answer = await acme.visitor.ask(other)
        assert (answer.status, answer.header("location")) == (308, f"http://{acme.host}:{PORT}/caf%C3%A9")


async def test_a_redirect_takes_the_query_along(acme: Author) -> None:
    await acme.show("About", "/about")
    for _ in range(2):  # rendered, and from memory
        answer = await acme.visitor.ask("/About?utm_source=x")
        assert answer.header("location") == f"http://{acme.host}:{PORT}/about?utm_source=x"


async def test_an_unchanged_page_is_304_by_the_name_of_the_form_it_was_sent_in(acme: Author) -> None:
    await acme.show()
    await acme.visitor.until_hit()
    plain, packed = await acme.visitor.ask("/"), await acme.visitor.ask("/", accept_encoding="gzip")
    assert plain.header("etag") != packed.header("etag")
    assert gzip.decompress(packed.body) == plain.body
    assert packed.header("content-encoding") == "gzip"
    for answer, accepts in ((plain, ""), (packed, "gzip")):
        etag = str(answer.header("etag"))
        for name in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            again = await acme.visitor.ask("/", if_none_match=name, accept_encoding=accepts)
            assert (again.status, again.body, again.header("etag")) == (304, b"", etag)
            assert again.header("vary") == "accept-encoding"
            assert again.header("cache-control") == answer.header("cache-control")
        assert (await acme.visitor.ask("/", if_none_match='"other"', accept_encoding=accepts)).status == 200
    # The name of the other form is another thing.
    assert (await acme.visitor.ask("/", if_none_match=str(packed.header("etag")))).status == 200


async def test_the_smallest_form_that_is_welcome_is_sent(acme: Author) -> None:
    await acme.show()
    for _ in range(2):  # rendered, and from memory
        plain = await acme.visitor.ask("/")
        for accepts, coding in (("gzip, deflate, br", "br"), ("gzip;q=1.0", "gzip"), ("gzip;q=0", None)):
            answer = await acme.visitor.ask("/", accept_encoding=accepts)
            assert answer.header("content-encoding") == coding
            unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
            assert unpack(answer.body) == plain.body
    assert (await acme.visitor.ask("/robots.txt", accept_encoding="br, gzip")).header(
        "content-encoding"
    ) == "gzip"


async def test_head_says_what_get_says_without_the_body(acme: Author) -> None:
    await acme.show()
    await acme.visitor.until_hit()
    for path in ("/", "/nothing", "/robots.txt", "/About"):
        got, head = await acme.visitor.ask(path), await acme.visitor.ask(path, method="HEAD")
        got, head = await acme.visitor.ask(path), await acme.visitor.ask(path, method="HEAD")
        assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")
        assert int(str(got.header("content-length"))) == len(got.body)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
async def test_other_methods_are_refused_with_what_is_allowed(acme: Author, method: str) -> None:
    await acme.show()
    answer = await acme.visitor.ask("/", method=method)
    assert (answer.status, answer.header("allow")) == (405, "GET, HEAD")


async def test_a_page_may_show_itself_and_nothing_else(acme: Author) -> None:
    await acme.show()
    answer = await acme.visitor.ask("/")
    policy = str(answer.header("content-security-policy"))
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("set-cookie") is None
    assert str(answer.header("cache-control")).startswith(
        "public, max-age=0, s-maxage=300, stale-while-revalidate="
    )


async def test_an_alias_leads_to_the_same_address_of_the_sites_own_host_in_one_step(acme: Author) -> None:
    await acme.show()
    await acme.show("About", "/about")
    await acme.edit(await acme.show("Old", "/old"), path="/new")
    alias = await add_alias(acme, "www.acme.example")
    own = f"http://{acme.host}:{PORT}"
    for _ in range(2):  # read, and from memory
        for path, leads in (("/", "/"), ("/about?x=1", "/about?x=1"), ("/About/", "/about"), ("/old", "/new"),
                            ("/sitemap.xml", "/sitemap.xml")):  # fmt: skip
            answer = await alias.ask(path)
            assert (answer.status, answer.header("location")) == (301, own + leads), path
            assert answer.header("x-robots-tag") == "noindex"
    missing, robots = await alias.ask("/nothing"), await alias.ask("/robots.txt")
    assert (missing.status, missing.header("x-robots-tag")) == (404, "noindex")
    assert (robots.status, robots.text) == (200, "User-agent: *\nAllow: /\n")
    for path in ("/", "/robots.txt", "/sitemap.xml", "//"):
        assert (await acme.visitor.ask(path)).header("x-robots-tag") is None, path
    assert f"Sitemap: {own}/sitemap.xml" in (await acme.visitor.ask("/robots.txt")).text


async def test_nothing_of_a_preview_host_reaches_an_index_and_crawlers_may_read_that(
    acme: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    await acme.show()
    await acme.send("DELETE", f"/api/pages/{(await acme.show('Gone', '/gone'))['page_id']}")
    preview = Visitor(acme.app.asgi, f"preview.{acme.host}")
    for path in ("/", "/nothing", "/gone", "/sitemap.xml", "//", "/robots.txt"):  # no page without a token
        status = 200 if path == "/robots.txt" else 404
        answer = await preview.ask(path)
        assert (answer.status, answer.header("x-robots-tag")) == (status, "noindex"), path
    robots = (await preview.ask("/robots.txt")).text
    assert "Allow: /" in robots and "Disallow" not in robots and "Sitemap" not in robots
    assert (await preview.ask("/", method="POST")).header("x-robots-tag") == "noindex"

    def crash(*_: Any, **__: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(lane_module, "show_preview", crash)
    broken = await preview.ask("/")
    assert (broken.status, broken.header("x-robots-tag")) == (500, "noindex")


async def test_a_host_is_known_for_ten_seconds_and_then_asked_for_again(
    app: RunningApp, acme: Author
) -> None:
    await acme.show()
    now = [0.0]
    app.runtime.state["site.lane"]._hosts._clock = lambda: now[0]
    assert (await acme.visitor.ask("/", host="new.example")).status == 421
    await add_alias(acme, "new.example")
    assert (await acme.visitor.ask("/", host="new.example")).status == 421
    now[0] = 11.0
    assert (await acme.visitor.ask("/", host="new.example")).status == 301
    await app.admin("delete from site_domain where host = 'new.example'")
    assert (await acme.visitor.ask("/", host="new.example")).status == 301
    now[0] = 22.0
    assert (await acme.visitor.ask("/", host="new.example")).status == 421


async def test_fifty_who_ask_at_once_render_it_once(acme: Author, monkeypatch: pytest.MonkeyPatch) -> None:
    await acme.show()
    await acme.visitor.until_hit()
    rendered = []
    render = lane_module.render_page

    def counting(*args: Any, **kwargs: Any) -> Any:
        rendered.append(args)
        return render(*args, **kwargs)

    monkeypatch.setattr(lane_module, "render_page", counting)
    monkeypatch.setattr(lane_module, "PATIENCE_S", PATIENCE_S)  # on a busy machine it would be served stale
    acme.app.runtime.state["site.lane"].changed(f"{await site_of(acme)} *")
    answers = await asyncio.gather(*(acme.visitor.ask("/") for _ in range(50)))
    assert {a.status for a in answers} == {200}
    assert len(rendered) == 1


async def test_a_miss_asks_the_database_once_and_a_hit_never(acme: Author) -> None:
    await acme.show()
    await acme.visitor.until_hit()
    statements = "select coalesce(sum(calls), 0) as calls from pg_stat_statements where query like '%site.published_page%'"
    (before,) = await acme.app.admin(statements)
    acme.app.runtime.state["site.lane"].changed(f"{await site_of(acme)} *")
    for _ in range(3):
        await acme.visitor.ask("/")
    (after,) = await acme.app.admin(statements)
    assert after["calls"] - before["calls"] == 1


async def test_missing_addresses_are_remembered_too_and_forgotten_when_a_page_comes(acme: Author) -> None:
    await acme.show()
    await acme.visitor.until_hit()
    assert (await acme.visitor.ask("/soon")).header("x-cache") == "miss"
    assert (await acme.visitor.ask("/soon")).header("x-cache") == "hit"
    await acme.show("Soon", "/soon")
    assert (await acme.visitor.ask("/soon")).status == 200


async def test_a_small_cache_serves_every_page_and_keeps_within_its_bytes(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    small = 40_000
    settings = make_settings((ROOM,), site=SiteSection(cache_bytes_max=small))
    async with site_app(cluster, tmp_path, settings=settings) as app:
        acme = await author(app)
        for n in range(8):
            await acme.show(f"Page {n}", f"/page-{n}", body="word " * 500)
        for _ in range(2):
            for n in range(8):
                assert f"Page {n}" in await acme.visitor.text(f"/page-{n}")
        for n in range(50):
            assert (await acme.visitor.ask(f"/nothing-{n}")).status == 404
        assert app.runtime.state["site.lane"]._shelf.size_bytes <= small


async def test_a_page_that_is_slow_to_be_read_again_is_served_as_it_was(
    acme: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    await acme.show()
    kept = await acme.visitor.until_hit()
    lane = acme.app.runtime.state["site.lane"]

    async def never(*_: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(lane, "_load_page", never)
    lane.changed(f"{await site_of(acme)} *")
    async with asyncio.timeout(PATIENCE_S):
        answer = await acme.visitor.ask("/")
    assert (answer.status, answer.body, answer.header("x-cache")) == (200, kept.body, "stale")


async def test_a_crash_is_one_logged_500_and_says_nothing(
    acme: Author, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await acme.show()

    def crash(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(lane_module, "render_page", crash)
    answer = await acme.visitor.ask("/")
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert "page crashed" in caplog.text
    monkeypatch.undo()
    assert (await acme.visitor.ask("/")).status == 200


async def test_answers_are_counted_by_where_they_came_from(acme: Author) -> None:
    await acme.show()
    await acme.visitor.until_hit()
    metrics = (await acme.get("/-/metrics")).text
    assert 'site_cache_answers_total{state="hit"} 1.0' in metrics
    assert 'http_server_request_duration_seconds_count{route="site",status="2xx"}' in metrics


async def test_two_sites_share_nothing(app: RunningApp, acme: Author) -> None:
    globex = await author(app, "Globex")
    await acme.show("Of Acme", "/", body="acme only")
    await globex.show("Of Globex", "/", body="globex only")
    for _ in range(2):
        assert "acme only" in await acme.visitor.text("/")
        assert "globex only" in await globex.visitor.text("/")
    await globex.show("More", "/more")
    assert (await acme.visitor.ask("/more")).status == 404


async def test_the_lane_is_one_for_a_process_and_stops_listening_with_it(app: RunningApp) -> None:
    assert ROOM.raw_lane
    assert ROOM.raw_lane(app.runtime) is app.runtime.state["site.lane"]
    listening = app.runtime.state["site.tasks"][0]
    assert ROOM.on_stop
    await ROOM.on_stop(app.runtime)
    assert listening.done()
    # A process that does not serve visitors never listens.
    worker = replace(app.runtime, state={})
    await ROOM.on_stop(worker)
    assert worker.state == {}

"""Signed addresses: they open one file, for a while, and nothing that was changed in them opens anything.

Covers: links, web.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import msgspec
import pytest

from shipworthy.kernel.errors import Forbidden
from shipworthy.kernel.files.links import FileLinks, LinkQuery, key_of
from shipworthy.kernel.files.store import object_key
from shipworthy.kernel.files.web import disposition
from tests.support.app import RunningApp

NOW = datetime(2026, 11, 28, 12, 34, 56, tzinfo=UTC)
REALM, TENANT = uuid.uuid4(), uuid.uuid4()
NEW, OLD = b"n" * 32, b"o" * 32
KEY = object_key(TENANT, "asset", "logo.png")


def links(*keys: bytes, realm_id: uuid.UUID = REALM) -> FileLinks:
    return FileLinks(keys=keys or (NEW,), realm_id=realm_id)


def told(path: str) -> LinkQuery:
    query = path.partition("?")[2]
    from shipworthy.kernel.http.binding import parse_query

    parsed: LinkQuery = parse_query(query, LinkQuery)
    return parsed


async def test_a_link_opens_its_file_until_it_expires_and_needs_no_session(toy: RunningApp) -> None:
    runtime = toy.runtime
    key = object_key(TENANT, "invoice-pdf", "ab.pdf")
    await runtime.files.put(key, b"%PDF")
    link = runtime.file_links.sign(key, name="RE 1/ä.pdf", now=runtime.now(), ttl_s=3600, show="inline")
    opened = await toy.client().get(link.path)
    assert (opened.status, opened.body, opened.header("content-type")) == (200, b"%PDF", "application/pdf")
    assert opened.header("content-disposition") == (
        "inline; filename=\"RE 1--.pdf\"; filename*=UTF-8''RE%201-%C3%A4.pdf"
    )
    cache = opened.header("cache-control") or ""
    assert cache.startswith("private, max-age=")
    assert 3600 <= int(cache.split("=")[1].partition(",")[0]) <= 7200
    gone = runtime.file_links.sign(key, name="a.pdf", now=runtime.now() - timedelta(hours=3), ttl_s=3600)
    late = await toy.client().get(gone.path)
    assert (late.status, late.json["code"]) == (403, "files.link_expired")
    bare = await toy.client().get(f"/files/{quote(key)}")
    assert (bare.status, bare.json["code"]) == (403, "files.link_refused")
    lost = runtime.file_links.sign(f"{key}x", name="a.pdf", now=runtime.now(), ttl_s=3600)
    assert (await toy.client().get(lost.path)).status == 404


async def test_what_a_browser_would_run_here_is_saved_and_not_shown(toy: RunningApp) -> None:
    key = object_key(TENANT, "asset", "x")
    await toy.runtime.files.put(key, b"<svg/>")
    for name in ("x.svg", "x.html", "x.xml", "x"):
        link = toy.runtime.file_links.sign(
            key, name=name, now=toy.runtime.now(), ttl_s=60, show="inline", shared=True
        )
        answer = await toy.client().get(link.path)
        assert (answer.header("content-disposition") or "").startswith("attachment;"), name
        assert "html" not in (answer.header("content-type") or "")
        assert (answer.header("cache-control") or "").startswith("public, ")


@pytest.mark.parametrize("part", ["name", "show", "cache", "expires", "kid", "sig"])
def test_whatever_is_changed_opens_nothing(part: str) -> None:
    query = told(links().sign(KEY, name="logo.png", now=NOW, ttl_s=60).path)
    assert links().open(KEY, query, now=NOW).key == KEY
    for other in ("", "9" * 12, f"{getattr(query, part)}0", "ä", "public"):
        changed = msgspec.structs.replace(query, **{part: other})
        with pytest.raises(Forbidden) as refused:
            links().open(KEY, changed, now=NOW)
        assert refused.value.code == "files.link_refused"


def test_a_link_is_for_one_file_of_one_realm() -> None:
    query = told(links().sign(KEY, name="logo.png", now=NOW, ttl_s=60).path)
    for key, realm_id in (
        (KEY + "x", REALM),
        (object_key(uuid.uuid4(), "asset", "logo.png"), REALM),
        (KEY, uuid.uuid4()),
    ):
        with pytest.raises(Forbidden, match="not valid"):
            links(realm_id=realm_id).open(key, query, now=NOW)


def test_two_keys_live_at_once_and_the_first_signs() -> None:
    before = told(links(OLD).sign(KEY, name="logo.png", now=NOW, ttl_s=60).path)
    assert links(NEW, OLD).open(KEY, before, now=NOW).name == "logo.png"
    after = told(links(NEW, OLD).sign(KEY, name="logo.png", now=NOW, ttl_s=60).path)
    assert links(NEW).open(KEY, after, now=NOW)
    with pytest.raises(Forbidden, match="not valid"):
        links(NEW).open(KEY, before, now=NOW)
    with pytest.raises(AssertionError):
        links(NEW, OLD, key_of(b"third"))


def test_the_address_stays_the_same_for_a_while_and_opens_for_all_of_the_time_asked_for() -> None:
    begin = NOW.replace(minute=0, second=0)
    made = [
        links().sign(KEY, name="a.png", now=begin + timedelta(seconds=s), ttl_s=3600) for s in (0, 3599, 3600)
    ]
    assert made[0].path == made[1].path != made[2].path
    for link, begun_s in zip(made, (0, 3599, 3600), strict=True):
        last = begin + timedelta(seconds=begun_s + 3599)
        assert links().open(KEY, told(link.path), now=last).max_age_s >= 1
        with pytest.raises(Forbidden, match="expired"):
            links().open(KEY, told(link.path), now=link.expires_at)


def test_a_name_cannot_leave_its_header() -> None:
    header = disposition("attachment", 'a"\r\nset-cookie: x=1;/../b.pdf')
    assert "\r" not in header
    assert header.count('"') == 2

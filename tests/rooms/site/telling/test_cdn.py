"""A change is told to the CDN by a job, in its own words, until it is heard; a publish waits for nothing.

Covers: post.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from pgqueuer.errors import RetryRequested

from shipworthy.kernel.settings import HttpSection, SiteSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.site.room import ROOM
from shipworthy.rooms.site.tags import EVERYTHING, MENU, path_tag
from shipworthy.rooms.site.telling.cdn import PURGE_JOB, keys_to_drop
from tests.rooms.site.conftest import PORT, Author, author, site_app
from tests.rooms.site.telling.conftest import Ear, kinds, run, taken
from tests.support.app import make_settings


def site_settings(cdn: str, ear: Ear) -> SiteSection:
    return SiteSection(cdn=cdn, cdn_purge_url=f"http://127.0.0.1:{ear.port}/purge")  # type: ignore[arg-type]


@pytest.mark.parametrize("cdn", ["cloudflare", "fastly"])
async def test_a_publish_tells_what_it_touched(
    cluster: PostgresAddress, tmp_path: Path, ear: Ear, cdn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIPWORTHY_CDN_TOKEN", "a-token")
    settings = make_settings((ROOM,), http=HttpSection(public_port=PORT), site=site_settings(cdn, ear))
    async with site_app(cluster, tmp_path, settings=settings) as app:
        acme = await author(app)
        page = await acme.show("Home", "/")
        assert ear.heard == []  # nobody waited for anybody
        own = str((await acme.visitor.ask("/")).header("surrogate-key")).split(" ")
        await run(app, await taken(app, PURGE_JOB))
        told = [_keys(heard.headers, heard.body) for heard in ear.heard]
        assert {"a-token", "Bearer a-token"} & set(ear.heard[0].headers.values())
        assert own[1] in told[0] and own[2] in told[0] and own[0] not in told[0]
        ear.heard.clear()
        await acme.publish(await acme.edit(page, body="Only the text."))
        await run(app, await taken(app, PURGE_JOB))
        told = [_keys(heard.headers, heard.body) for heard in ear.heard]
        assert own[1] in told[0] and own[2] not in told[0]


async def test_a_cdn_that_does_not_hear_is_told_again_and_one_that_refuses_is_not(
    cluster: PostgresAddress, tmp_path: Path, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    settings = make_settings((ROOM,), http=HttpSection(public_port=PORT), site=site_settings("fastly", ear))
    async with site_app(cluster, tmp_path, settings=settings) as app:
        acme = await author(app)
        await acme.show("Home", "/")
        jobs = await taken(app, PURGE_JOB)
        for status in (503, 429):
            ear.statuses = [status]
            with pytest.raises(RetryRequested):
                await run(app, jobs)
        await run(app, jobs)  # and it may run again: twice is as good as once
        assert len(ear.heard) == 3
        ear.statuses = [403]
        await run(app, jobs)
        assert "the CDN refused a purge" in caplog.text


async def test_where_no_cdn_is_set_nothing_is_queued(acme: Author) -> None:
    await acme.show("Home", "/")
    assert PURGE_JOB not in await kinds(acme.app)


def test_everything_is_the_sites_own_name() -> None:
    site_id = uuid.uuid4()
    assert len(keys_to_drop(site_id, [path_tag("/"), MENU])) == 2
    assert len(keys_to_drop(site_id, [MENU, EVERYTHING])) == 1


def _keys(headers: dict[str, str], body: bytes) -> list[str]:
    keys: list[str] = json.loads(body)["tags"] if body else headers["surrogate-key"].split(" ")
    return keys

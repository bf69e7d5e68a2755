"""Search engines hear of what was published, and find the key that proves whose word it is."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pgqueuer.errors import RetryRequested

from shipworthy.kernel.settings import HttpSection, SiteSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.site.room import ROOM
from shipworthy.rooms.site.telling.indexnow import INDEXNOW_JOB
from tests.rooms.site.conftest import PORT, Author, author, site_app
from tests.rooms.site.telling.conftest import Ear, kinds, run, taken
from tests.support.app import make_settings


async def test_a_page_that_is_published_changed_or_taken_back_is_named_once_a_version(
    cluster: PostgresAddress, tmp_path: Path, ear: Ear
) -> None:
    site = SiteSection(indexnow_url=f"http://127.0.0.1:{ear.port}/indexnow")
    settings = make_settings((ROOM,), http=HttpSection(public_port=PORT), site=site)
    async with site_app(cluster, tmp_path, settings=settings) as app:
        acme = await author(app)
        page = await acme.show("About", "/über")
        await acme.publish(page)  # the same again is no news
        jobs = await taken(app, INDEXNOW_JOB)
        assert [job.source for job in jobs] == [f"{page['page_id']}:1"]
        ear.statuses = [500, 202]
        with pytest.raises(RetryRequested):
            await run(app, jobs)
        await run(app, jobs)
        said = json.loads(ear.heard[-1].body)
        assert said["host"] == acme.host
        assert said["urlList"] == [f"http://{acme.host}:{PORT}/%C3%BCber"]
        proof = await acme.visitor.ask(urlsplit(said["keyLocation"]).path)
        assert (proof.status, proof.text) == (200, said["key"])
        assert (await acme.visitor.ask(f"/{'0' * 32}.txt")).status == 404
        await acme.unpublish(page)
        assert len(await taken(app, INDEXNOW_JOB)) == 1


async def test_where_no_endpoint_is_set_nobody_is_told_and_no_key_is_shown(acme: Author) -> None:
    await acme.show("Home", "/")
    assert INDEXNOW_JOB not in await kinds(acme.app)

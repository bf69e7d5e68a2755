"""Publishing is followed to where visitors look: sound is timed, and each lateness is found by its name."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.probes.crawl_publish import EDITED, GONE, LISTED, SEEN, UNLISTED, Fresh, publisher_of
from shipworthy.gauntlet.probes.crawl_survey import Bot, Listing, Survey
from tests.gauntlet.conftest import check_named
from tests.support.crawled_app import CRAWL, PUBLISHING, CrawledApp, crawled_app

LISTED_IN = Survey(robots="", listing=Listing(files=("/sitemap.xml",)), pages={"/": ""}, wrongs=())


async def one_round(app: CrawledApp, *, fresh_s: float = 0.3, **changes: object) -> Fresh:
    load = replace(CRAWL, publishing=replace(PUBLISHING, **changes))  # type: ignore[arg-type]
    exam = app.exam(check_named("load.crawl"))
    stop = asyncio.Event()
    stop.set()
    try:
        return await publisher_of(exam, Bot(exam, load), load, LISTED_IN, fresh_s=fresh_s).rounds(stop)
    finally:
        assert await exam.heal() == []
        await exam.close()


async def test_a_sound_site_shows_changes_and_forgets_and_the_sitemap_with_it() -> None:
    async with crawled_app() as app:
        fresh = await one_round(app, fresh_s=30.0)
    assert fresh.wrongs == []
    assert {what: len(times) for what, times in fresh.after_s.items()} == {
        SEEN: 1, EDITED: 1, GONE: 1, LISTED: 2, UNLISTED: 1,
    }  # fmt: skip
    assert all(post.shown is None for path, post in app.posts.items() if path.startswith("/post-"))


@pytest.mark.parametrize(
    ("defect", "what", "says"),
    [
        ("draft_seen", SEEN, "before it is published"),
        ("never_seen", SEEN, "is not seen"),
        ("sitemap_late", LISTED, "is not listed"),
        ("edit_late", EDITED, "is not edited"),
        ("lastmod_stays", LISTED, "is not dated by its last edit"),
        ("never_gone", GONE, "is not gone"),
        ("sitemap_keeps", UNLISTED, "is not unlisted"),
    ],
)
async def test_each_lateness_is_found_by_its_name(defect: str, what: str, says: str) -> None:
    async with crawled_app(defect) as app:
        fresh = await one_round(app)
    assert any(wrong.rule == what and says in wrong.what for wrong in fresh.wrongs), fresh.wrongs


async def test_what_is_not_declared_is_not_done_and_what_was_made_is_taken_back() -> None:
    async with crawled_app() as app:
        fresh = await one_round(app, fresh_s=30.0, edit="", unpublish="")
        assert set(fresh.after_s) == {SEEN, LISTED}
        fresh = await one_round(app, fresh_s=30.0, edit="", address="/{id}")
        assert fresh.wrongs == [] and GONE in fresh.after_s


async def test_an_app_that_does_otherwise_than_declared_leaves_it_undecided() -> None:
    async with crawled_app() as app:
        with pytest.raises(Undecided, match="answered 405"):
            await one_round(app, create="PUT /posts")
        with pytest.raises(Undecided, match="holds the page's address"):
            await one_round(app, address="post.place")
        exam = app.exam(check_named("load.crawl"))
        bare = replace(CRAWL, publishing=None)
        with pytest.raises(Unmeasurable, match="how a page is published"):
            publisher_of(exam, Bot(exam, bare), bare, LISTED_IN, fresh_s=1.0)
        await exam.close()

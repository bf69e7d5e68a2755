"""The crawl's journey on a small site: a sound one gives nothing to observe, defects are seen by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.contract.manifest import Journey
from shipworthy.gauntlet.load import named
from shipworthy.gauntlet.load.engine import offer
from shipworthy.gauntlet.load.plan import LoadPlan
from shipworthy.gauntlet.load.result import JourneyResult
from tests.support.crawled_app import MANIFEST, CrawledApp, crawled_app


async def crawled(app: CrawledApp) -> JourneyResult:
    robots = f"User-agent: *\nAllow: /\n\nSitemap: {app.base_url}/sitemap.xml\n"
    pages = {path: app.base_url + path for path in ("/", "/about")}
    plan = LoadPlan(
        name="crawl",
        base_url=app.base_url,
        journeys=(Journey(name="page", slo="fast", rate_per_s=150.0, login=False, code="crawl.py:page"),),
        slos=MANIFEST.slos,
        code_folder=str(Path(named.__file__).parent),
        facts={"host": "console", "robots": robots, "sitemaps": ["/sitemap.xml"], "pages": pages},
        blocks=4,
        block_s=0.25,
        warmup_s=0.0,
    )
    return (await offer(plan)).journey("page")


async def test_a_sound_site_gives_nothing_to_observe() -> None:
    async with crawled_app() as app:
        found = await crawled(app)
    assert (found.failures, found.observed) == ({}, {})
    assert found.requests > 75


@pytest.mark.parametrize(
    ("defect", "observed"),
    [
        ("robots_vary", "robots_changed"),
        ("sitemap_cut", "sitemap_broken"),
        ("canonical_home", "canonical_differs"),
        ("noindex", "noindex"),
        ("no_304", "sent_again"),
    ],
)
async def test_each_defect_is_observed_by_its_name(defect: str, observed: str) -> None:
    async with crawled_app(defect) as app:
        found = await crawled(app)
    assert set(found.observed) == {observed}
    assert found.samples[observed]


async def test_a_site_that_refuses_crawlers_fails_every_visit_that_says_who_it_is() -> None:
    async with crawled_app("refuses_bots") as app:
        found = await crawled(app)
    assert found.failures["status_403"] > 10

"""One careful look at a site: a sound one has nothing wrong, and each defect is found under its rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipworthy.contract.manifest import Route
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.probes.crawl_rules import Wrong
from shipworthy.gauntlet.probes.crawl_survey import Bot, Survey, survey
from tests.gauntlet.conftest import check_named
from tests.support.crawled_app import CRAWL, CrawledApp, crawled_app


async def surveyed(app: CrawledApp, **changes: object) -> Survey:
    load = changes.pop("load", CRAWL)
    exam = app.exam(check_named("load.crawl"), **changes)
    try:
        return await survey(exam, Bot(exam, load))  # type: ignore[arg-type]
    finally:
        await exam.close()


def by_rule(wrongs: tuple[Wrong, ...]) -> dict[str, str]:
    return {wrong.rule: wrong.what for wrong in reversed(wrongs)}


async def test_a_sound_site_has_nothing_wrong_and_all_of_it_was_asked() -> None:
    async with crawled_app() as app:
        seen = await surveyed(app)
    assert seen.wrongs == ()
    assert seen.pages == {path: app.base_url + path for path in ("/", "/about", "/contact")}
    assert seen.asked["spelling"] == 7
    assert seen.listing.files == ("/sitemap.xml",)


@pytest.mark.parametrize(
    ("defect", "rule", "says"),
    [
        ("robots_broken", "robots", "503"),
        ("robots_absent", "robots", "404"),
        ("robots_html", "robots", "text/html"),
        ("robots_forbids", "robots", "everybody from /about"),
        ("robots_names_no_sitemap", "robots", "names no sitemap"),
        ("robots_mistyped", "robots", "line 2"),
        ("sitemap_absent", "sitemap", "404"),
        ("sitemap_cut", "sitemap", "not well-formed"),
        ("sitemap_other_host", "sitemap", "another host"),
        ("sitemap_future", "sitemap", "in the future"),
        ("sitemap_twice", "sitemap", "listed twice"),
        ("sitemap_lists_missing", "pages", "listed and answers 404"),
        ("refuses_bots", "pages", "answers 403"),
        ("noindex", "pages", "noindex"),
        ("canonical_absent", "canonical", "names no canonical"),
        ("canonical_home", "canonical", "its canonical address is"),
        ("no_etag", "conditional", "no ETag"),
        ("no_304", "conditional", "answers 200 to who has it"),
        ("soft_404", "missing", "it answers 200"),
        ("chain", "spelling", "2 hops"),
        ("spelled_twice", "spelling", "stands there too"),
        ("host_believed", "hosts", "Host: elsewhere.example comes back in its text"),
        ("host_kept", "hosts", "X-Forwarded-Host"),
    ],
)
async def test_each_defect_is_found_under_its_rule(defect: str, rule: str, says: str) -> None:
    async with crawled_app(defect) as app:
        found = by_rule((await surveyed(app)).wrongs)
    assert says in found[rule], found
    # What a broken page or robots.txt drags along aside, nothing else is accused.
    assert len(found) == 1 or defect in ("refuses_bots", "soft_404", "canonical_absent"), found


async def test_what_a_cache_kept_of_a_lie_is_told_apart() -> None:
    async with crawled_app("host_kept") as app:
        wrongs = (await surveyed(app)).wrongs
    assert any("it was kept" in wrong.what for wrong in wrongs)


async def test_a_page_that_is_broken_already_is_no_part_of_the_load() -> None:
    async with crawled_app("sitemap_lists_missing") as app:
        assert "/gone" not in (await surveyed(app)).pages


async def test_without_a_sitemap_the_declared_routes_are_crawled() -> None:
    routes = (
        Route(name="about", room="", method="GET", path="/about", auth="public"),
        Route(name="one", room="", method="GET", path="/{thing}", auth="public"),
        Route(name="mine", room="", method="GET", path="/mine"),
    )
    async with crawled_app("sitemap_absent") as app:
        seen = await surveyed(app, routes=routes)
    assert seen.pages == {"/about": ""}
    assert seen.asked["canonical"] == 0


async def test_addresses_may_be_written_with_another_origin_than_the_examined() -> None:
    async with crawled_app("sitemap_other_host") as app:
        seen = await surveyed(app, load=replace(CRAWL, origin="https://www.example.com/"))
    assert set(seen.pages) == {"/", "/about", "/contact"}
    assert "sitemap" not in by_rule(seen.wrongs)


async def test_a_site_that_does_not_answer_is_undecided() -> None:
    with pytest.raises(Undecided, match="no answer"):
        await surveyed(CrawledApp(base_url="http://127.0.0.1:1"))

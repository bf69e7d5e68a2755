"""L3 as a check: a sound site holds everywhere; defects, and what is not declared, are told apart.

Covers: crawl_findings, crawl_visits.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shipworthy.contract.manifest import NamedLoad, Slo
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.probes.crawl import Pace, crawl
from shipworthy.gauntlet.probes.crawl_findings import freshness_findings, vitals_finding
from shipworthy.gauntlet.probes.crawl_publish import EDITED, SEEN, Fresh
from shipworthy.gauntlet.probes.crawl_survey import Listing, Survey
from shipworthy.gauntlet.probes.crawl_visits import visits_until
from shipworthy.gauntlet.probes.under_load import Shape
from shipworthy.gauntlet.visit import Vitals
from shipworthy.judge.exceedance import QUICK
from tests.gauntlet.conftest import by_subject, check_named, verdicts
from tests.support.browser import needs_chromium
from tests.support.crawled_app import CRAWL, PUBLISHING, CrawledApp, crawled_app

SHORT = Shape(rule=QUICK, blocks=24, block_s=0.1, warmup_s=0.1)
PACE = Pace(cost_s=1.0, try_s=1.0, tries_max=1, visits_s=1.0, fresh_s=30.0, shape=SHORT)
CHECK = check_named("load.crawl")
FRESH = {"published", "edited", "unpublished", "sitemap_fresh"}


@pytest.fixture(autouse=True)
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting one takes seconds; the two tests that need one say so."""
    monkeypatch.setenv("SHIPWORTHY_CHROMIUM", "no-such-browser")


async def test_a_sound_site_holds_at_its_rate_while_pages_come_and_go() -> None:
    async with crawled_app() as app:
        found = by_subject(list(await crawl(app.exam(CHECK), pace=PACE)))
    assert {
        s for s in FRESH | {"under_load", "rate", "sitemap_kept"} if found[s].verdict is not Verdict.PASS
    } == set()
    assert "50 requests of crawlers a second hold (10/s for each of 5 addresses)" in found["rate"].title
    assert found["vitals"].verdict is Verdict.NOT_MEASURED
    assert set(found) == FRESH | {"crawled_page", "rate", "under_load", "vitals", "sitemap_kept"}


async def test_what_is_wrong_during_and_after_the_load_are_findings_of_their_own() -> None:
    async with crawled_app("sitemap_moves", "no_304", "edit_late") as app:
        found = by_subject(list(await crawl(app.exam(CHECK), pace=replace(PACE, fresh_s=0.3))))
    failed = {subject for subject, finding in found.items() if finding.verdict is Verdict.FAIL}
    assert failed - {"crawled_page", "rate"} == {
        "sitemap_kept",
        "conditional.under_load.sent_again",
        "edited",
    }
    assert "another lastmod" in found["sitemap_kept"].title
    assert found["unpublished"].verdict is Verdict.PASS


async def test_an_objective_nothing_can_keep_fails_and_hides_nothing_else() -> None:
    never = Slo(name="fast", quantile=0.95, threshold_ms=0.001)
    async with crawled_app() as app:
        found = by_subject(list(await crawl(app.exam(CHECK, slos=(never,)), pace=PACE)))
    assert found["crawled_page"].verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)  # as busy as the machine is
    assert found["rate"].verdict is found["crawled_page"].verdict
    assert found["published"].verdict is Verdict.NOT_MEASURED
    assert found["sitemap_kept"].verdict is Verdict.PASS


async def test_without_a_page_to_read_nothing_is_offered_and_the_reason_is_said() -> None:
    async with crawled_app("sitemap_absent") as app:
        none = by_subject(list(await crawl(app.exam(CHECK), pace=PACE)))
    subjects = ("crawled_page", "rate", "published", "vitals")
    assert verdicts(list(none.values())) == dict.fromkeys(subjects, Verdict.NOT_MEASURED)


def test_what_publishing_does_not_declare_is_not_measured_and_what_it_cannot_do_undecided() -> None:
    seen = Survey(robots="", listing=Listing(), pages={}, wrongs=())
    exam, whole = CrawledApp(base_url="http://127.0.0.1:1").exam(CHECK), Fresh({SEEN: [0.1], EDITED: [70.0]})

    def said(load: NamedLoad, fresh: Fresh | Undecided) -> dict[str, Verdict]:
        return verdicts(freshness_findings(exam, load, seen, fresh, bound_s=60.0))

    missing = Unmeasurable("nothing is declared")
    assert said(replace(CRAWL, publishing=None), missing) == dict.fromkeys(FRESH, Verdict.NOT_MEASURED)
    assert said(CRAWL, Undecided("refused")) == {"published": Verdict.INCONCLUSIVE}
    part = replace(CRAWL, publishing=replace(PUBLISHING, edit=""))
    assert said(part, whole) == {
        "published": Verdict.PASS, "edited": Verdict.NOT_MEASURED, "unpublished": Verdict.NOT_MEASURED,
        "sitemap_fresh": Verdict.NOT_MEASURED,
    }  # fmt: skip


def test_vitals_are_judged_at_the_75th_percentile_and_by_the_largest_shift() -> None:
    def seen(*lcp_ms: float, cls: float = 0.0) -> list[Vitals]:
        return [
            Vitals(url="/", status=200, lcp_ms=ms, cls=cls, fcp_ms=1, ttfb_ms=1, tbt_ms=0) for ms in lcp_ms
        ]

    exam = CrawledApp(base_url="http://127.0.0.1:1").exam(CHECK)
    said = [
        vitals_finding(exam, vitals, at="").verdict
        for vitals in (
            seen(900, 900, 900, 900, 900, 9_000),
            seen(900, 900, 2_600, 2_600, 900, 2_600),
            seen(*[900] * 6, cls=0.2),
            seen(900, 900),
            Undecided("it died"),
        )
    ]
    assert said == [Verdict.PASS, Verdict.FAIL, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE]


@needs_chromium
@pytest.mark.browser
async def test_a_browser_visits_until_the_load_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHIPWORTHY_CHROMIUM")
    stop = asyncio.Event()
    stop.set()
    async with crawled_app() as app:
        seen = await visits_until(stop, [app.base_url + "/about"])
    assert not isinstance(seen, Undecided), seen.why
    assert [(one.status, one.cls) for one in seen] == [(200, 0)]

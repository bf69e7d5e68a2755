"""crawl.site: every rule is judged of a site that wants to be found, and only what any site owes of another."""

from __future__ import annotations

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Login, Route
from shipworthy.contract.verdict import Verdict
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.crawled_app import crawled_app

SITE = check_named("crawl.site")
RULES = {"robots", "sitemap", "pages", "canonical", "conditional", "shared", "spelling", "missing", "hosts"}
ANY_SITE = {"shared", "missing", "hosts"}
ABOUT = Route(name="about", room="", method="GET", path="/about", auth="public")


async def crawled(*defects: str, **changes: object) -> dict[str, Finding]:
    async with crawled_app(*defects) as app:
        exam = app.exam(SITE, **{"loads": (), **changes})
        try:
            return by_subject(list(await SITE.run(exam)))
        finally:
            await exam.close()


async def test_a_site_with_a_sitemap_is_judged_by_every_rule_without_any_declaration() -> None:
    found = await crawled()
    assert {subject: f.verdict for subject, f in found.items()} == dict.fromkeys(RULES, Verdict.PASS)
    found = await crawled("no_304", "soft_404", "robots_forbids", "shares_cookie")
    failed = {subject for subject, f in found.items() if f.verdict is Verdict.FAIL}
    assert failed == {"conditional", "missing", "robots", "shared"}


async def test_of_a_site_that_does_not_ask_to_be_found_only_what_any_site_owes_is_judged() -> None:
    hidden = ("sitemap_absent", "robots_absent")
    found = await crawled(*hidden, routes=(ABOUT,))
    assert {s for s, f in found.items() if f.verdict is Verdict.PASS} == ANY_SITE
    assert {s for s, f in found.items() if f.verdict is Verdict.NOT_MEASURED} == RULES - ANY_SITE
    found = await crawled(*hidden, "soft_404", "host_believed", "shares_cookie", "no_etag", routes=(ABOUT,))
    assert {s for s, f in found.items() if f.verdict is Verdict.FAIL} == ANY_SITE


async def test_robots_without_a_sitemap_is_judged_by_what_it_says() -> None:
    found = await crawled("sitemap_absent", "robots_names_no_sitemap", routes=(ABOUT,))
    assert found["robots"].verdict is Verdict.PASS
    assert (await crawled("sitemap_absent", "robots_broken", routes=(ABOUT,)))[
        "robots"
    ].verdict is Verdict.FAIL


async def test_an_address_nobody_has_may_be_spelt_rightly_first_and_is_then_missing() -> None:
    hidden = ("sitemap_absent", "robots_absent", "missing_slashed")
    assert (await crawled(*hidden, routes=(ABOUT,)))["missing"].verdict is Verdict.PASS
    assert (await crawled(*hidden, "soft_404", routes=(ABOUT,)))["missing"].verdict is Verdict.FAIL


async def test_where_everything_wants_a_session_nobody_is_told_what_is_missing() -> None:
    door = Login(route="POST /enter", page="/enter", form={})
    found = await crawled("sitemap_absent", "robots_absent", "missing_to_door", routes=(ABOUT,), login=door)
    assert found["missing"].verdict is Verdict.PASS
    found = await crawled("sitemap_absent", "robots_absent", "missing_to_door", routes=(ABOUT,))
    assert found["missing"].verdict is Verdict.FAIL

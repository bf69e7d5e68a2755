"""The pages of an app: what of its declared addresses a browser is shown as a page, and as whom.

Every declared reading route, the front doors, and what a journey reads of the site. A page that two
of them lead to is one page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.asking import ask_route
from shipworthy.gauntlet.browser import cookies_of
from shipworthy.gauntlet.call import Call, prepare, samples_of, subject_of
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer
from shipworthy.gauntlet.probes.page_assets import same_origin

REDIRECTS_MAX = 5
DOOR = Route(name="start", room="", method="GET", path="/", auth="public", media="html")
SITE_DOOR = replace(DOOR, host="site")
_REDIRECTS = (301, 302, 303, 307, 308)
_A_DOCUMENT = re.compile(r"<(?:!doctype|html|head|title|body)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page and who looks at it. `subject` names it in findings, `slo` its objective where it has one."""

    subject: str
    url: str
    is_signed_in: bool = False
    cookies: tuple[dict[str, Any], ...] = ()
    slo: str | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A declared page that could not be reached."""

    subject: str
    why: str
    fix: str = ""
    source: str = ""

    def finding(self, exam: Exam) -> Finding:
        """Return it as the NOT MEASURED of the running check."""
        title = f"{self.subject} could not be measured"
        return exam.finding(
            self.subject, Verdict.NOT_MEASURED, title, cause=self.why, fix=self.fix, source=self.source
        )


async def pages_of(exam: Exam) -> tuple[list[Page], list[Gap]]:
    """Return the pages, the site's and the doors first, and what was declared as one and is none.

    Looked for once a run: it asks for every page there is.
    """
    return await exam.once("pages", lambda: _found(exam))


async def _found(exam: Exam) -> tuple[list[Page], list[Gap]]:
    pages: dict[tuple[str, bool], Page] = {}
    led_to: list[Page] = []
    gaps: list[Gap] = []
    for subject, route in _candidates(exam):
        try:
            found = await _page(exam, subject, route)
        except Undecided as undecided:
            if route.media == "html" and route not in (DOOR, SITE_DOOR):
                gaps.append(Gap(subject=subject, why=undecided.why, fix=undecided.fix, source=route.source))
            continue
        if found is None:
            continue
        page, is_direct = found
        if is_direct:
            pages.setdefault((page.url, page.is_signed_in), page)
        else:
            led_to.append(page)
    for page in led_to:
        pages.setdefault((page.url, page.is_signed_in), page)
    return list(pages.values()), gaps


async def followed(exam: Exam, call: Call, person: Credential | None) -> tuple[Call, Answer]:
    """Send a reading call and go where it leads on the same host; return the last one and its answer.

    Errors:  Unmeasurable when it leads elsewhere; Undecided when it leads in circles.
    """
    base = origin_of(exam, call)
    for _ in range(REDIRECTS_MAX + 1):
        answer = await ask_route(exam, call, person)
        if answer.status not in _REDIRECTS:
            return call, answer
        try:
            there = urljoin(urljoin(base, call.path), answer.header("location"))
            is_here = same_origin(there, base)
        except ValueError as broken:
            raise Undecided(
                f"It leads to {answer.header('location')[:80]!r}, which is no address."
            ) from broken
        if not is_here:
            raise Unmeasurable(
                f"It only leads to {urlsplit(there).netloc}, which is not examined: there is no page to judge."
            )
        parts = urlsplit(there)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        call = Call(method="GET", path=path, site=call.site, headers=call.headers)
    raise Undecided(f"It redirects more than {REDIRECTS_MAX} times.")


def origin_of(exam: Exam, call: Call) -> str:
    return (exam.handle.site_url if call.site else None) or exam.handle.base_url


def _candidates(exam: Exam) -> Iterator[tuple[str, Route]]:
    """Yield what may be a page: for a stranger every reading route, since it does not say its media."""
    if exam.can("site"):
        yield "GET / (site)", SITE_DOOR
        seen = {"/"}
        for journey in exam.manifest.journeys:
            for step in journey.steps:
                is_plain = step.method == "GET" and step.host == "site" and "{" not in step.path
                if is_plain and step.path not in seen:
                    seen.add(step.path)
                    yield f"GET {step.path} (site)", replace(SITE_DOOR, path=step.path, slo=journey.slo)
    declared = [
        route
        for route in exam.manifest.routes
        if route.method == "GET"
        and (route.media == "html" or exam.target.kind != "shipworthy")
        and (route.host != "site" or exam.can("site"))
        and (route.auth == "public" or exam.can("login", "tenants.1"))
    ]
    if not any(route.path == "/" and route.host != "site" for route in declared):
        yield subject_of(DOOR), DOOR
    yield from ((subject_of(route), route) for route in declared)


async def _page(exam: Exam, subject: str, route: Route) -> tuple[Page, bool] | None:
    """Return the page and whether it is this address itself; None for what only leads elsewhere, and for
    a piece that a script puts into a page.

    Errors:  Undecided when what should be a page is none.
    """
    person = exam.people[0] if route.auth == "session" else None
    samples = await exam.samples_for(exam.people[0]) if exam.people and samples_of(route) else {}
    asked = prepare(route, samples)
    try:
        call, answer = await followed(exam, asked, person)
    except Unmeasurable:
        return None
    if answer.status != 200 or "html" not in answer.header("content-type"):
        kind = answer.header("content-type").partition(";")[0] or "no content type"
        raise Unmeasurable(
            f"It answered {answer.status} ({kind}), which is no page.",
            fix="Let the samples of this route make a request that succeeds.",
        )
    if not _A_DOCUMENT.search(answer.text):
        return None
    url = urljoin(origin_of(exam, call), call.path)
    cookies = cookies_of(await exam.session(person), url) if person else []
    page = Page(
        subject=subject,
        url=url,
        is_signed_in=person is not None,
        cookies=tuple(cookies),
        slo=route.slo or _slo_of(exam, route),
        source=route.source,
    )
    return page, call.path == asked.path


def _slo_of(exam: Exam, route: Route) -> str | None:
    """Return the objective of the journey that reads this page of the site."""
    if route.host != "site":
        return None
    journeys = exam.manifest.journeys
    steps = ((journey, step) for journey in journeys for step in journey.steps)
    return next((j.slo for j, s in steps if s.host == "site" and s.path == route.path), None)

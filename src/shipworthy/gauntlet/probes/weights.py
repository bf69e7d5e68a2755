"""P4: how many bytes a page costs before it can be used, held against its budget.

Counted are bytes on the wire, asked for with gzip as every browser does: what an app does not
compress counts in full. The signed-in start page is judged by its scripts and stylesheets (the
bundle), a published page by these and its own HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.manifest import Budget
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence, table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, HttpSession, Unanswered
from shipworthy.gauntlet.probes.page_assets import (
    Asset,
    assets_of_asset,
    assets_of_page,
    path_of,
    same_origin,
)
from shipworthy.gauntlet.subjects import ask_each

REDIRECTS_MAX = 5  # a start page leads to the first page, sometimes by way of a choice
ASSETS_MAX = 200  # a page with more is broken in another way, and would be fetched for ever
_REDIRECTS = (301, 302, 303, 307, 308)
_AS_A_BROWSER = {"accept-encoding": "gzip", "accept": "text/html,*/*;q=0.8"}


@dataclass
class _Weighed:
    """A page and what it links. Units: bytes on the wire."""

    url: str
    page_bytes: int
    assets: list[tuple[Asset, int]] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)  # on other hosts; nothing there is asked

    @property
    def bundle_bytes(self) -> int:
        return sum(size for _, size in self.assets)


async def bundle_bytes(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each bundle budget: scripts and stylesheets of the signed-in page."""

    async def ask(subject: str, budget: Budget) -> Finding:
        session = await _signed_in(exam)
        weighed = await _weigh(session, budget.subject or "/", exam.handle.base_url, is_site=False)
        return _judged(exam, subject, budget, weighed, weighed.bundle_bytes, "scripts and stylesheets")

    return await _each(exam, "bundle_bytes", ask)


async def page_bytes(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each page budget: a published page with all it links."""
    is_site = exam.handle.site_url is not None
    origin = exam.handle.site_url or exam.handle.base_url

    async def ask(subject: str, budget: Budget) -> Finding:
        weighed = await _weigh(exam.anonymous(), budget.subject or "/", origin, is_site=is_site)
        total = weighed.page_bytes + weighed.bundle_bytes
        return _judged(exam, subject, budget, weighed, total, "HTML, scripts and stylesheets")

    return await _each(exam, "page_bytes", ask)


async def _each(exam: Exam, kind: str, ask: Any) -> Sequence[Finding]:
    budgets = [(budget.subject or "/", budget) for budget in exam.manifest.budgets if budget.kind == kind]
    if not budgets:
        why = "No budget of this kind is declared."
        fix = f'Declare [[budget]] kind = "{kind}" with its bound in bytes.'
        title = "No bound is declared, so nothing is held against one"
        return [exam.finding("all", Verdict.NOT_MEASURED, title, cause=why, fix=fix)]
    return await ask_each(exam, budgets, ask)


async def _signed_in(exam: Exam) -> HttpSession:
    if exam.manifest.login is None or not exam.people:
        return exam.anonymous()
    return await exam.session(exam.people[0])


async def _weigh(session: HttpSession, path: str, origin: str, *, is_site: bool) -> _Weighed:
    """Fetch a page, following redirects on the same host, and everything it links.

    Errors:  Undecided when something on the way is not there.
    """
    url, page = await _page(session, urljoin(origin, path), is_site=is_site)
    weighed = _Weighed(url=url, page_bytes=page.wire_bytes)
    waiting, seen = assets_of_page(page.text, page_url=url), {url}
    while waiting:
        asset = waiting.pop(0)
        if asset.url in seen:
            continue
        seen.add(asset.url)
        if not same_origin(asset.url, url):
            weighed.elsewhere.append(asset.url)
            continue
        if len(weighed.assets) >= ASSETS_MAX:
            raise Undecided(f"{url} links more than {ASSETS_MAX} files; the rest was not fetched.")
        answer = await _fetched(session, asset.url, is_site=is_site)
        weighed.assets.append((asset, answer.wire_bytes))
        waiting += assets_of_asset(asset, answer.text)
    return weighed


async def _page(session: HttpSession, url: str, *, is_site: bool) -> tuple[str, Answer]:
    for _ in range(REDIRECTS_MAX + 1):
        answer = await _asked(session, url, is_site=is_site)
        if answer.status not in _REDIRECTS:
            break
        there = urljoin(url, answer.header("location"))
        if not same_origin(there, url):
            raise Undecided(f"{url} leads to {urlsplit(there).netloc}, which is not examined.")
        url = there
    if answer.status != 200 or "html" not in answer.header("content-type"):
        kind = answer.header("content-type") or "no content type"
        raise Undecided(
            f"{url} answered {answer.status} ({kind}), not a page, so its weight cannot be told.",
            evidence=(answer_evidence(answer),),
        )
    return url, answer


async def _fetched(session: HttpSession, url: str, *, is_site: bool) -> Answer:
    answer = await _asked(session, url, is_site=is_site)
    if answer.status != 200:
        raise Undecided(
            f"The page links {url}, which answered {answer.status}.",
            fix="Remove the link, or serve the file.",
            evidence=(answer_evidence(answer),),
        )
    return answer


async def _asked(session: HttpSession, url: str, *, is_site: bool) -> Answer:
    try:
        answer = await session.get(path_of(url), site=is_site, headers=_AS_A_BROWSER)
    except Unanswered as silent:
        raise Undecided(str(silent)) from silent
    if answer.is_cut:
        raise Undecided(f"{url} is longer than the examiner reads, so its weight is not known.")
    return answer


def _judged(exam: Exam, subject: str, budget: Budget, weighed: _Weighed, total: int, counted: str) -> Finding:
    rows = [("page", weighed.page_bytes, path_of(weighed.url))]
    rows += sorted(
        ((asset.kind, size, path_of(asset.url)) for asset, size in weighed.assets), key=lambda row: -row[1]
    )
    method = "bytes on the wire, asked for with gzip"
    facts: dict[str, Any] = {
        "measures": (
            Measure(name=budget.kind, unit="bytes", estimate=total, bound=budget.bound, method=method),
        ),
        "evidence": (
            table_evidence(f"What {path_of(weighed.url)} costs", ("kind", "bytes", "address"), rows),
        ),
    }
    says = f"{subject} costs {total:,} bytes of {counted}"
    if total > budget.bound:
        heaviest = max(rows, key=lambda row: row[1] if row[0] != "page" or "HTML" in counted else 0)
        return exam.finding(
            subject,
            Verdict.FAIL,
            f"{says}, where {budget.bound:,.0f} are allowed",
            severity=Severity.MEDIUM,
            cause=f"The heaviest is {heaviest[2]} with {heaviest[1]:,} bytes.",
            fix="Compress what is not compressed, load later what the first view does not need, drop the rest.",
            **facts,
        )
    if weighed.elsewhere:
        raise Undecided(
            f"{weighed.url} also links {', '.join(weighed.elsewhere[:3])} on other hosts, "
            "which are not asked: the sum is not known.",
            fix="Serve scripts and stylesheets from the app's own host.",
            evidence=facts["evidence"],
        )
    return exam.finding(
        subject,
        Verdict.PASS,
        f"{says}, of at most {budget.bound:,.0f}",
        severity=Severity.LOW,
        **facts,
    )

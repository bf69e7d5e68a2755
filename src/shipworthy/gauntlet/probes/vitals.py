"""P3, P9: Core Web Vitals of every page, on a desk and on a slow phone, in a real browser.

Each visit is a new visitor's, with an empty cache. The median of five visits is held against its
bound (of three in the quick gauntlet). TBT stands in for INP, which needs a person.

Most of a visit is waiting, so several pages are visited side by side first. A busy machine makes a page
slower and never faster: what keeps its bounds there keeps them. What does not is visited again, alone,
and judged by those visits only.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from urllib.parse import urlsplit

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.browser import PHONE, PROFILES, Profile
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.eyes import Eyes, proven_eyes
from shipworthy.gauntlet.probes.pages import Page, pages_of
from shipworthy.gauntlet.probes.vitals_rules import VITALS, bounds_of, broken, is_settled, measures_of
from shipworthy.gauntlet.subjects import ask_each
from shipworthy.gauntlet.visit import Vitals, visit

VISITS, VISITS_QUICK = 5, 3
AT_ONCE = 3
# Three minutes are all the quick gauntlet has: the first page people meet, as a phone shows it.
QUICK_PAGES, QUICK_PROFILES = 1, (PHONE,)


async def lab_vitals(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each page and profile, and one for each page that is not to be had."""
    is_full = exam.mode == "full" or (exam.planned is not None and exam.planned.subject is not None)
    profiles = PROFILES if is_full else QUICK_PROFILES
    pages, gaps = await pages_of(exam)
    looked_at = pages if is_full else pages[:QUICK_PAGES]
    if len(looked_at) < len(pages):
        exam.notes.append(
            f"vitals.lab looked at {len(looked_at)} of {len(pages)} pages, on the phone only; "
            "the full gauntlet looks at all of them, on a desk too."
        )
    subjects = [(subject_of(page, profile), (page, profile)) for page in looked_at for profile in profiles]
    async with proven_eyes(exam, profiles) as eyes:
        series = _Series(exam, eyes, visits_max=VISITS if exam.mode == "full" else VISITS_QUICK)
        await series.visit_side_by_side([asked for name, asked in subjects if exam.wants(name)])

        async def ask(subject: str, asked: tuple[Page, Profile]) -> Finding:
            return await _judged(exam, eyes, series, subject, *asked)

        found = await ask_each(exam, subjects, ask, source=lambda asked: asked[0].source)
    return [*found, *(gap.finding(exam) for gap in gaps if is_full)]


def subject_of(page: Page, profile: Profile) -> str:
    """Return "GET /invoices (phone)", of the site "GET / (site, phone)"."""
    start, found, _ = page.subject.partition(" (site)")
    return f"{start} (site, {profile.name})" if found else f"{start} ({profile.name})"


class _Series:
    """The visits to each page in each profile, as many as it takes to know the median of `visits_max`."""

    def __init__(self, exam: Exam, eyes: Eyes, *, visits_max: int) -> None:
        self._exam, self._eyes, self.visits_max = exam, eyes, visits_max
        self._kept: dict[tuple[str, str], list[Vitals]] = {}

    def bounds(self, page: Page) -> dict[str, float]:
        manifest = self._exam.manifest
        path = urlsplit(page.url).path
        return bounds_of(path, slo=page.slo, slos=manifest.slos, budgets=manifest.budgets)

    async def visit_side_by_side(self, asked: Sequence[tuple[Page, Profile]]) -> None:
        """Keep the visits of those that keep every bound although the machine is busy with the others."""
        if len(asked) < 2:
            return
        gate, done = asyncio.Semaphore(AT_ONCE), itertools.count()

        async def one(page: Page, profile: Profile) -> None:
            async with gate:
                self._exam.view.progress(next(done), len(asked), f"{page.subject}, beside others")
                visits = await self._made(page, profile)
                if not broken(measures_of(visits, self.bounds(page), method="")):
                    self._kept[page.subject, profile.name] = visits

        # What fails here is asked again alone, and told then.
        await asyncio.gather(*(one(*each) for each in asked), return_exceptions=True)

    async def of(self, page: Page, profile: Profile) -> list[Vitals]:
        """Return the visits to judge by. Errors: Undecided when the page does not come."""
        kept = self._kept.get((page.subject, profile.name))
        return kept if kept is not None else await self._made(page, profile)

    async def _made(self, page: Page, profile: Profile) -> list[Vitals]:
        visits: list[Vitals] = []
        bounds = self.bounds(page)
        while len(visits) < self.visits_max and not is_settled(visits, bounds, visits_max=self.visits_max):
            visits.append(await _seen(self._eyes, page, profile))
        return visits


async def _judged(
    exam: Exam, eyes: Eyes, series: _Series, subject: str, page: Page, profile: Profile
) -> Finding:
    bounds, visits = series.bounds(page), await series.of(page, profile)
    measures = measures_of(visits, bounds, method=f"median of {series.visits_max}; {profile}")
    failed = broken(measures)
    evidence = (visits_evidence(visits),)
    if elsewhere := sorted(set().union(*(seen.elsewhere for seen in visits))):
        why = f"It asks {', '.join(elsewhere[:3])}, which is not examined: what comes from there is not in these numbers."
    else:
        why = await eyes.blamed(failed, bounds, profile) if failed else ""
    if not failed and not why:
        said = ", ".join(f"{m.name} {_said(m.estimate, m.unit)}" for m in measures[:2])
        return exam.finding(
            subject, Verdict.PASS, f"{subject} is quick and stands still: {said}",
            severity=Severity.LOW, source=page.source, measures=measures, evidence=evidence,
        )  # fmt: skip
    by_name = {measure.name: measure for measure in measures}
    beyond = [
        f"{v.name} {_said(by_name[v.name].estimate, v.unit)}, where {_said(bounds[v.key], v.unit)} are allowed"
        for v in failed
    ]
    is_failed = bool(failed) and (not why or bool(elsewhere))
    return exam.finding(
        subject,
        Verdict.FAIL if is_failed else Verdict.INCONCLUSIVE,
        f"{subject}: {beyond[0]}" if is_failed else f"{subject}: its web vitals could not be decided",
        cause=" ".join(
            filter(None, (f"{'; '.join(beyond)}." if beyond else "", _pointed(visits, failed), why))
        ),
        fix="\n".join(vital.fix for vital in failed)
        if is_failed
        else ("Serve it from the app's own host." if elsewhere else "Run it alone on a quieter machine."),
        source=page.source,
        measures=measures,
        evidence=evidence,
    )


async def _seen(eyes: Eyes, page: Page, profile: Profile) -> Vitals:
    """Errors: Undecided when what came is not the page that was asked for."""
    seen = await visit(eyes.browser, page.url, profile=profile, cookies=page.cookies)
    if seen.status != 200 or urlsplit(seen.url).path != urlsplit(page.url).path:
        raise Undecided(
            f"In the browser it answered {seen.status} at {urlsplit(seen.url).path}, not the page it was before.",
            fix="Look at what the app does for this visitor after many visits in a row.",
        )
    return seen


def visits_evidence(visits: Sequence[Vitals]) -> Evidence:
    """Show every visit as a row."""
    rows = [
        (
            number,
            *(
                f"{getattr(seen, v.key):,.3f}" if v.unit == "" else f"{getattr(seen, v.key):,.0f}"
                for v in VITALS
            ),
            f"{seen.bytes:,}",
            seen.lcp_what[:60],
        )
        for number, seen in enumerate(visits, 1)
    ]
    header = ("visit", *(f"{v.name} {v.unit}".strip() for v in VITALS), "bytes", "largest")
    return table_evidence("Visits", header, rows)


def _pointed(visits: Sequence[Vitals], failed: Sequence[object]) -> str:
    """Return what to look at: the largest element, what moved, the longest task."""
    names = {getattr(vital, "key", "") for vital in failed}
    worst = max(visits, key=lambda seen: seen.cls)
    said = []
    if "lcp_ms" in names:
        said.append(f"The largest element is {visits[0].lcp_what}.")
    if "cls" in names and worst.shifted:
        said.append(f"What moved: {worst.shifted}.")
    if "tbt_ms" in names:
        said.append(f"The longest task took {max(seen.longest_task_ms for seen in visits):,.0f} ms.")
    return " ".join(said)


def _said(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if unit else f"{value:.3g}"

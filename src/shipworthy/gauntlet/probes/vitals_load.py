"""L3, P3: do pages stay quick and still for a visitor while the app is under its declared load?

The journeys run at their rates in a process of their own; a browser on the same machine visits the
pages meanwhile, in turn with a clean page of the examiner's, which tells a busy machine from a slow app.
Judged are the 75th percentile of LCP, as for people in the field, and the worst CLS of any visit.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.browser import DESKTOP
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.load.result import LoadResult
from shipworthy.gauntlet.probes.eyes import Eyes, proven_eyes
from shipworthy.gauntlet.probes.objectives import journeys_plan
from shipworthy.gauntlet.probes.pages import Page, pages_of
from shipworthy.gauntlet.probes.under_load import QUICK_SHAPE, Shape, offered
from shipworthy.gauntlet.probes.vitals import visits_evidence
from shipworthy.gauntlet.probes.vitals_rules import VITALS, bounds_of
from shipworthy.gauntlet.visit import Vitals, visit

PAGES_MAX = 3  # each must be visited often enough in the 72 s of the load for a percentile
VISITS_MIN = 8  # the 75th percentile of fewer is the largest or nearly so
QUANTILE = 0.75
LOST_SHARE_MAX = 0.2  # of the load's requests; an app that refuses more is not under this load
_LCP, _CLS = VITALS[0], VITALS[1]


@dataclass
class _Seen:
    """What was seen of one page while the load ran."""

    page: Page
    visits: list[Vitals] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


async def vitals_under_load(exam: Exam, *, shape: Shape = QUICK_SHAPE) -> Sequence[Finding]:
    """Return one finding for each page that was visited."""
    pages, _ = await pages_of(exam)
    # Those with an objective first: they are what the load is about.
    chosen = sorted(pages, key=lambda page: page.slo is None)[:PAGES_MAX]
    seen = [_Seen(page) for page in chosen if exam.wants(page.subject)]
    controls: list[Vitals] = []
    plan = await journeys_plan(exam, shape, exam.manifest.journeys)
    async with proven_eyes(exam, (DESKTOP,)) as eyes:
        load = asyncio.create_task(offered(exam, plan))
        try:
            await asyncio.wait([load], timeout=shape.warmup_s)
            while not load.done():
                await _round(eyes, seen, controls)
            result = await load
        finally:
            load.cancel()
    return [_judged(exam, each, controls, result) for each in seen]


async def _round(eyes: Eyes, seen: Sequence[_Seen], controls: list[Vitals]) -> None:
    controls.append(await eyes.clean_page(DESKTOP))
    for each in seen:
        page = each.page
        try:
            found = await visit(eyes.browser, page.url, profile=DESKTOP, cookies=page.cookies)
        except Undecided as undecided:
            each.unseen.append(undecided.why)
            continue
        if found.status != 200 or urlsplit(found.url).path != urlsplit(page.url).path:
            each.unseen.append(f"It answered {found.status} at {urlsplit(found.url).path}.")
        else:
            each.visits.append(found)


def _judged(exam: Exam, seen: _Seen, controls: Sequence[Vitals], result: LoadResult) -> Finding:
    page, visits = seen.page, seen.visits
    bounds = bounds_of(
        urlsplit(page.url).path, slo=page.slo, slos=exam.manifest.slos, budgets=exam.manifest.budgets
    )
    load = f"{sum(journey.rate_per_s for journey in exam.manifest.journeys):g} arrivals/s"
    if len(visits) < VISITS_MIN or len(seen.unseen) > len(visits) // 4:
        return _undecided(exam, seen, f"Of {len(visits) + len(seen.unseen)} visits {len(visits)} showed the page; "
                          f"{VISITS_MIN} are needed. {' '.join(seen.unseen[:1])}")  # fmt: skip
    asked = sum(journey.requests for journey in result.journeys)
    lost = sum(sum(journey.failures.values()) for journey in result.journeys)
    if lost > asked * LOST_SHARE_MAX:
        return _undecided(exam, seen, f"{lost:,} of {asked:,} requests of the load failed: it was none.")
    measures = _measures(visits, bounds)
    failed = [m for m in measures if m.bound is not None and m.estimate > m.bound]
    control_ms = percentile([control.lcp_ms for control in controls], QUANTILE)
    facts = {"measures": measures, "evidence": (visits_evidence(visits[:40]),), "source": page.source}
    said = f"p75 of LCP {measures[0].estimate:,.0f} ms and CLS {measures[1].estimate:.3g} at most"
    if not failed:
        return exam.finding(
            page.subject, Verdict.PASS, f"{page.subject} stays quick and still at {load}: {said}",
            severity=Severity.LOW, **facts,
        )  # fmt: skip
    if failed == [measures[0]] and control_ms > bounds[_LCP.key]:
        return _undecided(exam, seen, f"This machine cannot hold the browser beside the load: an empty page of the "
                          f"examiner's own had LCP {control_ms:,.0f} ms.")  # fmt: skip
    worst = max(visits, key=lambda found: found.cls)
    moved = f" What moved: {worst.shifted}." if measures[1] in failed else ""
    return exam.finding(
        page.subject,
        Verdict.FAIL,
        f"{page.subject} is not what it should be for a visitor at {load}: {said}",
        cause=f"{'; '.join(f'{m.name} {m.estimate:g} {m.unit}'.strip() + f' of {m.bound:g}' for m in failed)}.{moved} "
        f"{lost:,} requests of the load failed; an empty page had LCP {control_ms:,.0f} ms at the same time.",
        fix="\n".join(v.fix for v, m in ((_LCP, measures[0]), (_CLS, measures[1])) if m in failed),
        **facts,
    )


def _measures(visits: Sequence[Vitals], bounds: dict[str, float]) -> tuple[Measure, Measure]:
    lcps, shifts = [seen.lcp_ms for seen in visits], [seen.cls for seen in visits]
    method = f"under load; {DESKTOP}"
    return (
        Measure(
            name="LCP", unit="ms", estimate=round(percentile(lcps, QUANTILE), 1), bound=bounds[_LCP.key],
            low=round(min(lcps), 1), high=round(max(lcps), 1), samples=len(lcps), method=f"p75 {method}",
        ),
        Measure(
            name="CLS", unit="", estimate=round(max(shifts), 4), bound=bounds[_CLS.key],
            low=round(min(shifts), 4), high=round(max(shifts), 4), samples=len(shifts), method=f"maximum {method}",
        ),
    )  # fmt: skip


def _undecided(exam: Exam, seen: _Seen, why: str) -> Finding:
    return exam.finding(
        seen.page.subject,
        Verdict.INCONCLUSIVE,
        f"{seen.page.subject}: its web vitals under load could not be decided",
        cause=why,
        fix="Run it alone on a quieter machine: shipworthy gauntlet --only vitals.under_load",
        source=seen.page.source,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least value that at least this share of all are within; 0 where there is none."""
    ranked = sorted(values)
    return ranked[math.ceil(share * len(ranked)) - 1] if ranked else 0.0

"""L3, the synthetic crawl: every listed address twice a second, while pages come, change and go.

One careful look at the whole site says what there is to read (what is wrong with it is crawl.site's to say).
Then what a request costs, the largest rate this machine holds, and the load at that rate, while the examiner
publishes pages of its own; the same load once more, while a browser visits; and the sitemap is held against
what it said before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Journey, NamedLoad
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.load import named
from shipworthy.gauntlet.load.plan import LoadPlan
from shipworthy.gauntlet.load.result import LoadResult
from shipworthy.gauntlet.load.search import Found, Try, largest_rate
from shipworthy.gauntlet.probes.crawl_findings import (
    freshness_findings,
    kept_finding,
    listing_after,
    not_measured,
    observed_findings,
    vitals_finding,
)
from shipworthy.gauntlet.probes.crawl_publish import FRESH_S_MAX, Fresh, publisher_of
from shipworthy.gauntlet.probes.crawl_survey import Bot, Survey, crawl_of, surveyed
from shipworthy.gauntlet.probes.crawl_visits import PAGES_MAX, Seen, lack_of_browser, visits_until
from shipworthy.gauntlet.probes.rate_held import (
    Asked,
    cost_of,
    first_guess,
    limit_of,
    never_held,
    rate_finding,
    rate_to_judge,
    tried,
)
from shipworthy.gauntlet.probes.under_load import (
    QUICK_SHAPE,
    SEED,
    Shape,
    latency_finding,
    offered,
    offered_validly,
)
from shipworthy.judge.capacity import Capacity, Cost
from shipworthy.judge.exceedance import judge_slo

CHECK = "load.crawl"
PART = "page"  # of the load's slos
JOURNEY = "crawled_page"  # beside the journey of visitors, which many sites call "page"
_FOLDER = str(Path(named.__file__).parent)
_COST_RATE_PER_S = 20.0
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long each part of the check takes. Units: seconds."""

    cost_s: float = 6.0
    try_s: float = 8.0
    tries_max: int = 5
    visits_s: float = 30.0  # ten visits or so
    fresh_s: float = FRESH_S_MAX
    shape: Shape = QUICK_SHAPE


async def crawl(exam: Exam, *, pace: Pace = Pace()) -> Sequence[Finding]:
    """Return a finding for the page's latency, the rate, freshness, and vitals."""
    load = crawl_of(exam)
    exam.view.note("reading robots.txt, the sitemap and what it lists")
    bot, seen = await surveyed(exam)
    if not seen.pages or PART not in load.slos:
        why = "No page that is listed can be read." if not seen.pages else "The load names no objective."
        fix = "List pages in a sitemap, or declare [[route]]s that are public; slos = { page = … }."
        return [not_measured(exam, subject, why, fix) for subject in (JOURNEY, "rate", "published", "vitals")]
    run = _Crawl(exam, load, bot, seen, pace)
    costs = await run.costs()
    limit = limit_of(costs)
    found = await run.search(limit)
    judged = await run.judged(found)
    after = await listing_after(bot, seen)
    rate = rate_finding(exam, run.asked, found, limit, costs)
    return [*judged, rate, kept_finding(exam, seen, after)]


class _Crawl:
    """The crawl on one instance, once its pages are known."""

    def __init__(self, exam: Exam, load: NamedLoad, bot: Bot, seen: Survey, pace: Pace) -> None:
        self._exam, self._load, self._bot, self._seen, self._pace = exam, load, bot, seen, pace
        addresses = len(seen.pages) + len(seen.listing.files) + (seen.robots is not None)
        self.asked = Asked(
            rate_per_s=addresses * load.rate_per_s,
            what="requests of crawlers",
            mix=f"{load.rate_per_s:g}/s for each of {addresses} addresses",
        )

    async def costs(self) -> list[Cost]:
        """Crawl gently; return what one request costs. None where no process of the app is known."""
        if not self._exam.handle.processes:
            return []
        plan = self._plan(min(_COST_RATE_PER_S, self.asked.rate_per_s), seconds=self._pace.cost_s)
        return [await cost_of(self._exam, plan, name=JOURNEY)]

    async def search(self, limit: Capacity | None) -> Found:
        """Return the largest rate at which the objective is kept."""

        async def offer(rate_per_s: float) -> Try:
            self._exam.view.note(f"crawling at {rate_per_s:.0f} requests a second")
            plan = self._plan(rate_per_s, seconds=self._pace.try_s)
            return tried(rate_per_s, await offered(self._exam, plan))

        asked = self.asked.rate_per_s
        return await largest_rate(
            offer,
            guess_per_s=first_guess(self.asked, limit) if limit else asked,
            low_per_s=min(2.0, asked),
            high_per_s=asked,
            tries_max=self._pace.tries_max,
        )

    async def judged(self, found: Found) -> list[Finding]:
        """Crawl at the rate that holds, while pages come and go and a browser visits."""
        exam, shape, rate = self._exam, self._pace.shape, rate_to_judge(self.asked, found)
        if rate <= 0:
            why = "The crawl never held, so nothing was published under it."
            return [
                never_held(exam, JOURNEY, self.asked, found),
                *(not_measured(exam, subject, why, "") for subject in ("published", "vitals")),
            ]
        result, fresh = await self._beside(
            offered_validly(exam, self._plan(rate, shape=shape), rule=shape.rule), self._published
        )
        vitals = await self._vitals(rate)
        at = f" at {rate:.0f} requests of crawlers a second"
        (journey,) = result.journeys
        judgement = judge_slo(journey.blocks, quantile=journey.slo.quantile, rule=shape.rule)
        return [
            latency_finding(exam, journey, judgement, check=CHECK, what="Reading a page as a crawler", at=at),
            *observed_findings(exam, journey),
            *freshness_findings(exam, self._load, self._seen, fresh, bound_s=self._pace.fresh_s),
            vitals_finding(exam, vitals, at=at),
        ]

    async def _vitals(self, rate_per_s: float) -> Seen:
        """Let a browser visit under the same load. It takes a core of this machine: in a load of its own it
        makes no page late that is judged."""
        if lacking := lack_of_browser():
            return lacking
        self._exam.view.note("a browser visits under the same load")
        plan = self._plan(rate_per_s, seconds=self._pace.visits_s)
        _, seen = await self._beside(offered(self._exam, plan), self._visited)
        return seen

    async def _beside(
        self, load: Coroutine[Any, Any, LoadResult], other: Callable[[asyncio.Event], Coroutine[Any, Any, _T]]
    ) -> tuple[LoadResult, _T]:
        """Run something from the start of a load to its end; both end when one breaks."""
        stop = asyncio.Event()
        beside = asyncio.create_task(other(stop))
        try:
            result = await load
            stop.set()
            return result, await beside
        finally:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)

    async def _published(self, stop: asyncio.Event) -> Fresh | Undecided:
        try:
            publisher = publisher_of(
                self._exam, self._bot, self._load, self._seen, fresh_s=self._pace.fresh_s
            )
            return await publisher.rounds(stop)
        except Undecided as undecided:
            return undecided

    async def _visited(self, stop: asyncio.Event) -> Seen:
        paths = list(self._seen.pages)[:PAGES_MAX]
        return await visits_until(stop, [f"{self._bot.examined}{path}" for path in paths])

    def _plan(self, rate_per_s: float, *, seconds: float = 0.0, shape: Shape | None = None) -> LoadPlan:
        exam, seen = self._exam, self._seen
        slo = next(slo for slo in exam.manifest.slos if slo.name == self._load.slos[PART])
        plan = LoadPlan(
            name=f"{exam.target.name}: crawl",
            base_url=exam.handle.base_url,
            site_url=exam.handle.site_url,
            journeys=(
                Journey(name=JOURNEY, slo=slo.name, rate_per_s=rate_per_s, login=False, code="crawl.py:page"),
            ),
            slos=(slo,),
            code_folder=_FOLDER,
            facts={
                "host": self._load.host,
                "robots": seen.robots,
                "sitemaps": list(seen.listing.files),
                "pages": seen.pages,
            },
            blocks=max(4, round(seconds)),
            block_s=1.0,
            warmup_s=1.5,
            seed=SEED,
        )
        if shape is None:
            return plan
        return replace(plan, blocks=shape.blocks, block_s=shape.block_s, warmup_s=shape.warmup_s)

"""The self-test of the browser as a measuring instrument, and what it reads of this machine now.

Before a page of the app is judged, the examiner's own pages must be seen as what they are: the one
with a late largest paint, a shift and a long task as that, the clean one as clean.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shipworthy.gauntlet.browser import Browser, Profile, chromium
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.planted_pages import BLOCKED_MS, BROKEN, CLEAN, LATE_MS, planted_pages
from shipworthy.gauntlet.probes.vitals_rules import VITALS, Vital
from shipworthy.gauntlet.visit import Vitals, visit

ATTEMPTS = 3  # a machine that is busy for a moment makes the clean page slow, and no broken one whole
CONTROLS = 2  # visits to the clean page that tell a busy machine from a slow page
_TBT_MS_MIN = BLOCKED_MS - 50.0 - 1.0  # what lies beyond 50 ms; clocks in a browser are coarse
_CLS_MIN = 0.1


@dataclass(frozen=True, kw_only=True)
class Eyes:
    """A browser that has proved that it sees, and where the examiner's own pages are."""

    browser: Browser
    origin: str

    async def clean_page(self, profile: Profile) -> Vitals:
        """Visit the examiner's own clean page: what it costs now is this machine's doing."""
        return await visit(self.browser, self.origin + CLEAN, profile=profile)

    async def blamed(self, vitals: Sequence[Vital], bounds: dict[str, float], profile: Profile) -> str:
        """Return why the machine, not the page, may have broken these bounds; empty when it did not.

        Only what takes time is asked: a shift is the page's own on every machine.
        """
        timed = [vital for vital in vitals if vital.is_timed]
        if not timed or len(timed) < len(vitals):
            return ""
        for _ in range(CONTROLS):
            control = await self.clean_page(profile)
            for vital in timed:
                if (value := float(getattr(control, vital.key))) > bounds[vital.key]:
                    return (
                        f"This machine is too busy to tell: an empty page of the examiner's own had "
                        f"{vital.name} {value:,.0f} ms at the same time."
                    )
        return ""


@asynccontextmanager
async def proven_eyes(exam: Exam, profiles: Sequence[Profile]) -> AsyncIterator[Eyes]:
    """Yield a browser that measured the planted pages rightly in each of these profiles.

    Errors:  Unmeasurable when it did not; Undecided when there is none.
    """
    handle = exam.handle
    async with (
        planted_pages() as origin,
        chromium(origin, handle.base_url, handle.site_url or origin) as browser,
    ):
        eyes = Eyes(browser=browser, origin=origin)
        wrong = ""
        for _ in range(ATTEMPTS):
            wrong = await _misread(eyes, profiles)
            if not wrong:
                break
        if wrong:
            raise Unmeasurable(
                f"The browser did not see the examiner's own pages as they are: {wrong}",
                fix="Run it on a quieter machine, or with another Chromium (SHIPWORTHY_CHROMIUM).",
            )
        yield eyes


async def _misread(eyes: Eyes, profiles: Sequence[Profile]) -> str:
    try:
        wrong = await asyncio.gather(*(_misread_with(eyes, profile) for profile in profiles))
    except Undecided as undecided:
        return undecided.why
    return " ".join(filter(None, wrong))


async def _misread_with(eyes: Eyes, profile: Profile) -> str:
    broken, clean = await asyncio.gather(
        visit(eyes.browser, eyes.origin + BROKEN, profile=profile), eyes.clean_page(profile)
    )
    wrong = [
        f"{profile.name}: {name} of the broken page was {value:g}, known to be at least {least:g}."
        for name, value, least in (
            ("LCP", broken.lcp_ms, LATE_MS),
            ("CLS", broken.cls, _CLS_MIN),
            ("TBT", broken.tbt_ms, _TBT_MS_MIN),
            ("the network's part of FCP", clean.fcp_ms, profile.latency_ms),
        )
        if value < least
    ]
    wrong += [
        f"{profile.name}: {vital.name} of the clean page was {value:g}."
        for vital in VITALS
        if (value := float(getattr(clean, vital.key))) > vital.good
    ]
    return " ".join(wrong)

"""P9, X1: what one careful crawler sees of any site: what is to be found, once, and what must not be believed.

No load and no declaration is needed: robots.txt, the sitemap and what that lists are read, or else the declared
public routes. The same survey says what the load of load.crawl reads.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.contract.finding import Finding
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.crawl_findings import survey_findings
from shipworthy.gauntlet.probes.crawl_survey import surveyed


async def site_crawled(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each rule."""
    _bot, seen = await surveyed(exam)
    return survey_findings(exam, seen)

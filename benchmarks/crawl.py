"""`make bench NAME=crawl`: 200 pages of our own site read twice a second each, while pages are published.

The check `load.crawl` on a freshly scaffolded app whose website holds some thousand pages, as the full
gauntlet runs it; the figures are its measures. A page's time counts from when its request was due to the
last byte of the answer, which is more than its first byte.
"""

from __future__ import annotations

import asyncio
import sys

from benchmarks.app import App, running_app
from benchmarks.report import Figure, Report, publish, show_table
from shipworthy.contract.finding import Finding
from shipworthy.contract.target import Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.probes.crawl import crawl
from shipworthy.gauntlet.stages.load import CHECKS

_BOUNDS = {
    "ttfb_p95_ms": "150, aimed 50",
    "publish_seen_s_max": "1",
    "sitemap_fresh_s_max": "60",
    "loc_mismatches": "0",
    "robots_wrong": "0",
    "lcp_p75_ms_under_load": "2,500, aimed 1,200",
    "cls_max_under_load": "0.1, aimed 0.02",
    "errors": "0",
}


def main() -> int:
    """Crawl, and print the findings and the figures; 1 when something is wrong with the site."""
    with running_app() as app:
        findings, invalid = asyncio.run(_crawled(app))
    show_table("what the crawl found", ("subject", "verdict", "title"),
               ((f.subject, f.verdict.value, f.title) for f in findings))  # fmt: skip
    by_subject = {finding.subject: finding for finding in findings}
    wrong = [f"{f.subject}: {f.title} {f.cause}" for f in findings if f.verdict is not Verdict.PASS]
    figures = _figures(by_subject)
    publish(
        Report(name="crawl", figures=figures, valid=not invalid, notes=[*invalid, *wrong]), bounds=_BOUNDS
    )
    return int(any(finding.verdict is Verdict.FAIL for finding in findings))


async def _crawled(app: App) -> tuple[list[Finding], list[str]]:
    check = next(check for check in CHECKS if check.name == "load.crawl")
    target = Target(name=app.manifest.app, kind="shipworthy", manifest=app.manifest)
    exam = Exam(target, StartedInstance(app.handle, None), mode="full")
    exam.begin(PlannedCheck(check=check))
    try:
        return list(await crawl(exam)), exam.invalid_because
    finally:
        await exam.heal()
        await exam.close()


def _figures(found: dict[str, Finding]) -> dict[str, Figure]:
    under_load = sum(subject.partition(".")[1:2] == (".",) for subject in found)
    return {
        "ttfb_p95_ms": _measure(found, "crawled_page", "p95"),
        "publish_seen_s_max": _worst(found, "published", "edited"),
        "sitemap_fresh_s_max": _measure(found, "sitemap_fresh", "after, at most"),
        "loc_mismatches": _wrong(found, "canonical") + _wrong(found, "pages"),
        "robots_wrong": _wrong(found, "robots"),
        "lcp_p75_ms_under_load": _measure(found, "vitals", "LCP, p75"),
        "cls_max_under_load": _measure(found, "vitals", "CLS, largest"),
        "errors": int(_measure(found, "crawled_page", "failed requests") or 0) + under_load,
        "rate_per_s": _measure(found, "rate", "largest rate held"),
    }


def _measure(found: dict[str, Finding], subject: str, name: str) -> float | None:
    measures = found[subject].measures if subject in found else ()
    return next((measure.estimate for measure in measures if measure.name == name), None)


def _worst(found: dict[str, Finding], *subjects: str) -> float | None:
    seen = [_measure(found, subject, "after, at most") for subject in subjects]
    return max((seconds for seconds in seen if seconds is not None), default=None)


def _wrong(found: dict[str, Finding], subject: str) -> int:
    return int(_measure(found, subject, "wrong") or 0)


if __name__ == "__main__":
    sys.exit(main())

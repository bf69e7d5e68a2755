"""What the crawl found, in words: one finding for each rule, for freshness, and for vitals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import NamedLoad
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.browser import PHONE
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Unanswered
from shipworthy.gauntlet.load.named.crawl import (
    NOT_FOR_INDEX,
    OTHER_CANONICAL,
    ROBOTS_CHANGED,
    SENT_AGAIN,
    SITEMAP_BROKEN,
)
from shipworthy.gauntlet.load.result import JourneyResult
from shipworthy.gauntlet.probes.crawl_publish import EDITED, GONE, LISTED, SEEN, UNLISTED, Fresh
from shipworthy.gauntlet.probes.crawl_rules import NO_SITEMAP, Wrong, moved_wrongs
from shipworthy.gauntlet.probes.crawl_survey import Bot, Listing, Survey
from shipworthy.gauntlet.probes.crawl_visits import Seen

# Good, by https://web.dev/articles/vitals: at the 75th percentile of visits.
LCP_MS_MAX, CLS_MAX = 2_500.0, 0.1
VISITS_MIN = 5  # below it a 75th percentile is one visit
_ROWS_MAX = 12
_NONE = (401, 403, 404, 410)
_SITEMAP = "Serve a sitemap, and name it in robots.txt; or declare a [[load]] of kind crawl."
_GRAVE = ("robots", "pages", "hosts", "shared")
# Judged of every site, also of one that does not ask to be found.
_OF_ANY_SITE = ("shared", "missing", "hosts")


@dataclass(frozen=True)
class _Rule:
    """The words for one rule: what holds ({n} things were asked), and what is wrong."""

    holds: str
    breaks: str


_RULES = {
    "robots": _Rule("robots.txt lets crawlers read what the sitemap lists, and names it", "robots.txt"),
    "sitemap": _Rule("The sitemap lists {n:,} addresses, each whole, once and truly dated", "The sitemap"),
    "pages": _Rule("All {n} listed pages that were asked answer 200", "A listed page"),
    "canonical": _Rule("{n} pages name the address they are listed at as their own", "A page's own address"),
    "conditional": _Rule("{n} pages answer 304 to who has them already", "A page that is known already"),
    "shared": _Rule("None of {n} pages gives its visitor's cookie to a cache that others read from", "A page that caches keep"),
    "spelling": _Rule("{n} other spellings of addresses lead to the page's own in one hop, or nowhere", "An address written another way"),
    "missing": _Rule("Addresses that nobody has are answered 404", "An address nobody has"),
    "hosts": _Rule("A Host that lies is refused, or changes nothing", "A Host that lies"),
}  # fmt: skip
_OBSERVED = {
    ROBOTS_CHANGED: ("robots", "robots.txt was another one under load"),
    SITEMAP_BROKEN: ("sitemap", "the sitemap ended early under load"),
    OTHER_CANONICAL: ("canonical", "a page named another address as its own under load"),
    NOT_FOR_INDEX: ("canonical", "a page said noindex under load"),
    SENT_AGAIN: ("conditional", "a page was sent whole under load to who had it already"),
}
# subject -> what is timed, what holds, what is needed of the load's publishing
_FRESH = {
    "published": ((SEEN,), "A page that was published is seen", "publish"),
    "edited": ((EDITED,), "A page that was edited is seen as it is now, and not as it was", "edit"),
    "unpublished": ((GONE,), "A page that was taken back is gone", "unpublish"),
    "sitemap_fresh": ((LISTED, UNLISTED), "The sitemap lists what was published and drops what was taken back", "sitemap"),
}  # fmt: skip


def not_measured(exam: Exam, subject: str, why: str, fix: str) -> Finding:
    title = f"The crawl's {subject.replace('_', ' ')}: not measured"
    return exam.finding(subject, Verdict.NOT_MEASURED, title, cause=why, fix=fix)


async def listing_after(bot: Bot, seen: Survey) -> Listing | None:
    """Read the sitemap once more; None where there was none, or it does not answer."""
    try:
        return await bot.listing(seen.listing.files[:1]) if seen.listing.files else None
    except Unanswered:
        return None


def survey_findings(exam: Exam, seen: Survey) -> list[Finding]:
    """Return one finding for each rule of the survey.

    A site that serves no sitemap, and whose target declares no crawl, does not ask to be found: what only a
    crawler would miss is not judged of it.
    """
    asks = bool(seen.listing.files) or any(load.kind == "crawl" for load in exam.manifest.loads)
    judged = set(_RULES) if asks else {*_OF_ANY_SITE, *(() if seen.robots_status in _NONE else ("robots",))}
    wrongs = [w for w in seen.wrongs if asks or NO_SITEMAP not in w.what]
    return [
        _rule_finding(exam, rule, [w for w in wrongs if w.rule == rule], seen.asked[rule])
        if rule in judged
        else not_measured(
            exam, rule, "No sitemap says which of its pages are to be found, and where.", _SITEMAP
        )
        for rule in _RULES
        if exam.wants(rule)
    ]


def kept_finding(exam: Exam, seen: Survey, after: Listing | None) -> Finding:
    """Hold the sitemap as it was after the load against what it said before."""
    if after is None:
        return not_measured(exam, "sitemap_kept", "There is no sitemap to hold against itself.", _SITEMAP)
    wrongs = moved_wrongs(seen.listing.entries, after.entries, address=after.files[0])
    if wrongs:
        title = f"The sitemap: {wrongs[0].address} {wrongs[0].what}"
        fix = "\n".join(dict.fromkeys(wrong.fix for wrong in wrongs if wrong.fix))
        return exam.finding("sitemap_kept", Verdict.FAIL, title, severity=Severity.MEDIUM, fix=fix, evidence=(_table(wrongs),))  # fmt: skip
    return exam.finding(
        "sitemap_kept", Verdict.PASS, "The sitemap says the same after the load, of what nobody changed"
    )


def _rule_finding(exam: Exam, rule: str, wrongs: Sequence[Wrong], asked: int) -> Finding:
    words = _RULES[rule]
    if wrongs:
        more = f" (and {len(wrongs) - 1} more)" if len(wrongs) > 1 else ""
        first = wrongs[0]
        return exam.finding(
            rule,
            Verdict.FAIL,
            f"{words.breaks}: {first.address} {first.what}{more}".replace("/robots.txt it", "it"),
            severity=Severity.HIGH if rule in _GRAVE else Severity.MEDIUM,
            cause=f"{first.address}: {first.what}.",
            fix="\n".join(dict.fromkeys(wrong.fix for wrong in wrongs if wrong.fix)),
            measures=(Measure(name="wrong", unit="addresses", estimate=len(wrongs), bound=0, samples=asked),),
            evidence=(_table(wrongs),),
        )
    if not asked:
        why = "No sitemap lists a page, so no page's own address is known."
        return not_measured(exam, rule, why, _SITEMAP)
    return exam.finding(rule, Verdict.PASS, words.holds.format(n=asked), severity=Severity.LOW)


def observed_findings(exam: Exam, journey: JourneyResult) -> list[Finding]:
    """Return what went wrong under load only, one finding for each rule; and that nothing did."""
    found = []
    for code, n in journey.observed.items():
        rule, what = _OBSERVED[code]
        shown = Evidence(kind="text", title="The first", text=journey.samples.get(code, ""))
        title = f"{n} of {journey.requests} times {what}"
        found.append(exam.finding(f"{rule}.under_load.{code}", Verdict.FAIL, title, evidence=(shown,)))
    if found:
        return found
    title = f"{journey.requests} answers under load said the same of robots, sitemap and addresses as before"
    return [exam.finding("under_load", Verdict.PASS, title)]


def freshness_findings(
    exam: Exam, load: NamedLoad, seen: Survey, fresh: Fresh | Undecided, *, bound_s: float
) -> list[Finding]:
    """Return one finding for what becomes visible, for what changes, for what goes, and for the sitemap."""
    if isinstance(fresh, Unmeasurable) or load.publishing is None:
        assert isinstance(fresh, Undecided)
        return [not_measured(exam, subject, fresh.why, fresh.fix) for subject in _FRESH]
    if isinstance(fresh, Undecided):
        title = "What is published could not be followed"
        return [exam.finding("published", Verdict.INCONCLUSIVE, title, cause=fresh.why, fix=fresh.fix)]
    has = {"publish": True, "edit": bool(load.publishing.edit), "unpublish": bool(load.publishing.unpublish),
           "sitemap": bool(seen.listing.files)}  # fmt: skip
    return [_fresh_finding(exam, subject, fresh, has[_FRESH[subject][2]], bound_s) for subject in _FRESH]


def _fresh_finding(exam: Exam, subject: str, fresh: Fresh, is_known: bool, bound_s: float) -> Finding:
    timed, holds, needed = _FRESH[subject]
    worst = fresh.worst_s(*timed)
    times = sum(len(fresh.after_s.get(name, ())) for name in timed)
    measures = () if worst is None else (
        Measure(name="after, at most", unit="s", estimate=round(worst, 3), bound=bound_s, samples=times),
    )  # fmt: skip
    if wrongs := [wrong for wrong in fresh.wrongs if wrong.rule in timed]:
        fix = "Purge what is kept of a page, and queue the sitemap, in the transaction that publishes."
        return exam.finding(subject, Verdict.FAIL, wrongs[0].what, cause=f"{holds}: not so while bots read.",
                            fix=fix, measures=measures, evidence=(_table(wrongs),))  # fmt: skip
    if not is_known:
        why = "There is no sitemap." if needed == "sitemap" else f"The load's publishing has no {needed}."
        return not_measured(exam, subject, why, f"Add {needed} to the publishing of the [[load]].")
    if worst is None:
        why = "An earlier step of publishing failed, so this one was never reached."
        return not_measured(exam, subject, why, "")
    title = f"{holds}: within {worst:.1f} s while bots read ({times} times)"
    return exam.finding(subject, Verdict.PASS, title, measures=measures)


def vitals_finding(exam: Exam, seen: Seen, *, at: str) -> Finding:
    """Judge the 75th percentile of visits by the thresholds of Core Web Vitals."""
    if isinstance(seen, Unmeasurable):
        return not_measured(exam, "vitals", seen.why, seen.fix)
    if isinstance(seen, Undecided):
        title = "Core Web Vitals under load could not be taken"
        return exam.finding("vitals", Verdict.INCONCLUSIVE, title, cause=seen.why, fix=seen.fix)
    lcp = sorted(vitals.lcp_ms for vitals in seen)[-(-3 * len(seen) // 4) - 1]
    cls = max(vitals.cls for vitals in seen)
    worst = max(seen, key=lambda vitals: vitals.lcp_ms)
    rows = [(v.url, f"{v.lcp_ms:.0f}", f"{v.cls:.3f}", f"{v.ttfb_ms:.0f}", v.lcp_what) for v in seen]
    facts = {
        "measures": (
            Measure(name="LCP, p75", unit="ms", estimate=round(lcp), bound=LCP_MS_MAX, samples=len(seen)),
            Measure(name="CLS, largest", unit="", estimate=round(cls, 4), bound=CLS_MAX, samples=len(seen)),
        ),
        "evidence": (table_evidence(f"Visits ({PHONE})", ("page", "LCP ms", "CLS", "TTFB ms", "largest"), rows[:_ROWS_MAX]),),
    }  # fmt: skip
    said = f"LCP {lcp:.0f} ms at p75 of {len(seen)} visits, CLS {cls:.3f} at most"
    if lcp <= LCP_MS_MAX and cls <= CLS_MAX:
        if len(seen) < VISITS_MIN:
            title = f"A page shows itself in time{at}: {said} could not be decided"
            cause = f"{VISITS_MIN} visits are needed and {len(seen)} were made before the load ended."
            return exam.finding("vitals", Verdict.INCONCLUSIVE, title, cause=cause, **facts)
        return exam.finding("vitals", Verdict.PASS, f"A page shows itself in time{at}: {said}", **facts)
    cause = f"The largest thing took longest on {worst.url}: {worst.lcp_what}."
    fix = "Serve what is seen first with the page: styles inline, the first picture early, with width and height."
    return exam.finding(
        "vitals",
        Verdict.FAIL,
        f"A page shows itself late or moves{at}: {said}",
        cause=cause,
        fix=fix,
        **facts,
    )


def _table(wrongs: Sequence[Wrong]) -> Evidence:
    rows = [(wrong.address, wrong.what) for wrong in wrongs[:_ROWS_MAX]]
    return table_evidence(f"{len(wrongs)} in all", ("address", "what"), rows)

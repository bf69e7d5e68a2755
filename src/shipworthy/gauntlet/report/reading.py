"""What a reader looks for in a result: the objectives, the drills, what decided, what is missing.

Pure selection and grouping, shared by the terminal and the page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shipworthy.contract.finding import Distribution, Finding, Measure, RunResult, most_urgent_first
from shipworthy.contract.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Checks that could not be measured for one and the same reason."""

    reason: str
    fix: str
    findings: tuple[Finding, ...]


def objectives(result: RunResult) -> list[Finding]:
    """Return the findings about service objectives, the failed first."""
    return _failed_first(f for f in result.findings if f.check.startswith("slo."))


def drills(result: RunResult) -> list[Finding]:
    """Return the findings about drills, the failed first."""
    return _failed_first(f for f in result.findings if f.check.startswith("drill."))


def vitals(result: RunResult) -> list[Finding]:
    """Return the findings about pages in a browser that hold numbers, in the order of the run."""
    return [f for f in result.findings if f.check.startswith("vitals.") and f.measures]


def with_verdict(result: RunResult, verdict: Verdict) -> list[Finding]:
    """Return the findings of one verdict, the severe first."""
    return [f for f in most_urgent_first(result.findings) if f.verdict is verdict]


def held_by_stage(result: RunResult) -> dict[str, list[Finding]]:
    """Group what held by stage, in the order in which the run came to it."""
    stages: dict[str, list[Finding]] = {}
    for finding in result.findings:
        if finding.verdict is Verdict.PASS:
            stages.setdefault(finding.stage, []).append(finding)
    return stages


def gaps(result: RunResult) -> list[Gap]:
    """Group what was not measured by its reason, the reason that hides most first."""
    reasons: dict[tuple[str, str], list[Finding]] = {}
    for finding in with_verdict(result, Verdict.NOT_MEASURED):
        reasons.setdefault((finding.cause or "No reason was given.", finding.fix), []).append(finding)
    found = [Gap(reason=r, fix=fix, findings=tuple(fs)) for (r, fix), fs in reasons.items()]
    return sorted(found, key=lambda gap: -len(gap.findings))


def deciding_measure(finding: Finding) -> Measure | None:
    """Return the measure the verdict rests on: one with bound and interval before one with a bound."""
    with_bound = [m for m in finding.measures if m.bound is not None]
    with_interval = [m for m in with_bound if m.low is not None and m.high is not None]
    return next(iter([*with_interval, *with_bound, *finding.measures]), None)


def p95_of(finding: Finding) -> Measure | None:
    """Return the 95th percentile latency an objective shows beside its verdict, where it was given."""
    return next((m for m in finding.measures if m.name == "p95" and m.unit == "ms"), None)


def share_within(distribution: Distribution) -> float | None:
    """Return the share of requests known to be within the threshold; never more than was seen."""
    if distribution.threshold_ms is None:
        return None
    within = [share for latency, share in distribution.points if latency <= distribution.threshold_ms]
    return max(within, default=0.0)


def latency_at(distribution: Distribution, quantile: float) -> float | None:
    """Return a latency that at least this share of requests stayed within; for reading, not deciding."""
    return next((latency for latency, share in distribution.points if share >= quantile), None)


def _failed_first(findings: Iterable[Finding]) -> list[Finding]:
    """Order by verdict, else as the app declared them: a reader knows that order."""
    urgency = [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.NOT_MEASURED]
    return sorted(findings, key=lambda f: urgency.index(f.verdict))

"""Findings: what a check saw, how sure it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from shipworthy.contract.verdict import Severity, Verdict, overall


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One thing a person can look at: `kind` says how to show it."""

    # sql | plan | request | response | log | table | text, or
    # picture: its text is the file beside the report and, on a second line, a small one as a data: address
    kind: str
    title: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A measured quantity with its uncertainty and the bound it was held against.

    Units:   `unit` names them ("ms", "queries", "share"); interval is [low, high].
    """

    name: str
    unit: str
    estimate: float
    bound: float | None = None
    low: float | None = None
    high: float | None = None
    samples: int | None = None
    method: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The answer of one check about one subject.

    `check` and `subject` make the stable id (`check:subject`) that `gauntlet --only` takes.
    A PASS is a finding too: it says what was measured. A NOT MEASURED carries the reason in
    `cause` and how to make it measurable in `fix`.
    """

    check: str  # e.g. "plans.index_used"
    subject: str  # the query, route, table, job or journey it is about
    stage: str
    verdict: Verdict
    title: str
    severity: Severity = Severity.MEDIUM
    cause: str = ""
    fix: str = ""
    source: str = ""  # "file:line" where known
    playbook: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.check}:{self.subject}"


@dataclass(frozen=True, kw_only=True)
class Series:
    """Counts over time of one journey, for the report's curves. One entry per second.

    Units:   `latency_ms_p50/p95` milliseconds; `requests`, `failures` counts per second.
    """

    journey: str
    latency_ms_p50: tuple[float, ...]
    latency_ms_p95: tuple[float, ...]
    requests: tuple[int, ...]
    failures: tuple[int, ...]
    marks: tuple[tuple[float, str], ...] = ()  # (second, what happened) e.g. a fault


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """The latency distribution of one journey as points of its cumulative curve."""

    journey: str
    threshold_ms: float | None
    points: tuple[tuple[float, float], ...]  # (latency_ms, share of requests at or below)


@dataclass(frozen=True, kw_only=True)
class GateErrorRates:
    """What the judge's own simulation says of the gate that was used (see JUDGE simulations)."""

    rule: str
    false_pass: dict[str, float] = field(default_factory=dict)
    false_fail: dict[str, float] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """Everything one run of the gauntlet concluded; every report format is a view of this."""

    run_id: str
    target: str
    mode: str  # quick | full | partial
    started_at: str  # RFC 3339, UTC
    duration_s: float
    version: str
    commit: str
    machine: dict[str, str]
    findings: tuple[Finding, ...]
    series: tuple[Series, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    error_rates: tuple[GateErrorRates, ...] = ()
    snapshot: dict[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # for gauntlet.lock: entry -> its lines
    valid: bool = True
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return overall(f.verdict for f in self.findings)

    @property
    def coverage(self) -> float:
        """The share of planned checks that were measured on at least one subject, 0..1."""
        by_check: dict[str, bool] = {}
        for f in self.findings:
            by_check[f.check] = by_check.get(f.check, False) or f.verdict is not Verdict.NOT_MEASURED
        return sum(by_check.values()) / len(by_check) if by_check else 0.0

    @property
    def coverage_of_subjects(self) -> float:
        """The share of the subjects of all checks that were measured, 0..1; a check that could not
        name its subjects counts as one."""
        measured = sum(f.verdict is not Verdict.NOT_MEASURED for f in self.findings)
        return measured / len(self.findings) if self.findings else 0.0


_SEVERITY_ORDER = list(Severity)
_VERDICT_ORDER = [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_MEASURED, Verdict.PASS]


def most_urgent_first(findings: Iterable[Finding]) -> list[Finding]:
    """Order findings for a reader: failures first, the severe before the slight."""
    return sorted(
        findings,
        key=lambda f: (_VERDICT_ORDER.index(f.verdict), _SEVERITY_ORDER.index(f.severity), f.id),
    )

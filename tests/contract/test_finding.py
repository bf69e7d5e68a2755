"""Findings: a stable id, an order for readers, a verdict and a coverage that hide nothing."""

from __future__ import annotations

from shipworthy.contract.finding import Finding, RunResult, most_urgent_first
from shipworthy.contract.verdict import Severity, Verdict


def finding(
    check: str, verdict: Verdict, *, subject: str = "a", severity: Severity = Severity.MEDIUM
) -> Finding:
    return Finding(
        check=check, subject=subject, stage="data", verdict=verdict, title=check, severity=severity
    )


def run(*findings: Finding) -> RunResult:
    return RunResult(
        run_id="1",
        target="Acme",
        mode="full",
        started_at="2026-07-27T14:03:00Z",
        duration_s=1.0,
        version="0.1.0",
        commit="",
        machine={},
        findings=findings,
    )


def test_the_id_of_a_finding_is_its_check_and_its_subject() -> None:
    assert (
        finding("plans.index_used", Verdict.PASS, subject="invoicing.list").id
        == "plans.index_used:invoicing.list"
    )


def test_failures_come_first_and_severe_before_slight_and_ids_settle_the_rest() -> None:
    shuffled = [
        finding("held", Verdict.PASS, severity=Severity.CRITICAL),
        finding("unknown", Verdict.NOT_MEASURED),
        finding("slight", Verdict.FAIL, severity=Severity.LOW),
        finding("noisy", Verdict.INCONCLUSIVE),
        finding("leak", Verdict.FAIL, subject="b", severity=Severity.CRITICAL),
        finding("leak", Verdict.FAIL, subject="a", severity=Severity.CRITICAL),
    ]
    ordered = [f.id for f in most_urgent_first(shuffled)]
    assert ordered == ["leak:a", "leak:b", "slight:a", "noisy:a", "unknown:a", "held:a"]


def test_one_failure_fails_the_run_and_nothing_measured_is_not_a_pass() -> None:
    held, failed = finding("a", Verdict.PASS), finding("b", Verdict.FAIL)
    assert run(held).verdict is Verdict.PASS
    assert run(held, failed).verdict is Verdict.FAIL
    assert run(finding("a", Verdict.NOT_MEASURED)).verdict is Verdict.NOT_MEASURED
    assert run().verdict is Verdict.NOT_MEASURED


def test_coverage_is_the_share_of_checks_measured_on_at_least_one_subject() -> None:
    assert run().coverage == 0.0
    measured_once = [
        finding("plans", Verdict.NOT_MEASURED, subject="q1"),
        finding("plans", Verdict.FAIL, subject="q2"),
        finding("leak", Verdict.PASS),
        finding("noisy", Verdict.INCONCLUSIVE),
        finding("drill", Verdict.NOT_MEASURED),
    ]
    assert run(*measured_once).coverage == 0.75
    assert run(*measured_once).coverage_of_subjects == 0.6


def test_a_check_measured_on_one_subject_of_many_is_covered_and_most_subjects_are_not() -> None:
    held = finding("plans", Verdict.PASS, subject="q0")
    unseen = [finding("plans", Verdict.NOT_MEASURED, subject=f"q{n}") for n in range(1, 4)]
    result = run(held, *unseen)
    assert (result.coverage, result.coverage_of_subjects) == (1.0, 0.25)
    assert run().coverage_of_subjects == 0.0

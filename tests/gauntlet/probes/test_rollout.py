"""Stage S6: a candidate's green counts only after every planted version has gone back. Covers: rollout."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from shipworthy.contract.finding import Finding, Series
from shipworthy.contract.manifest import Slo
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet import capabilities
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.load.plan import LoadPlan
from shipworthy.gauntlet.load.result import JourneyResult, LoadResult
from shipworthy.gauntlet.probes.rollout import (
    RATE_PER_S,
    Visit,
    Visits,
    as_visitors,
    versions_come_and_go,
    visited,
)
from shipworthy.gauntlet.probes.under_load import Shape
from shipworthy.gauntlet.run import run
from shipworthy.gauntlet.stages.canary import CHECKS
from shipworthy.judge.exceedance import QUICK
from tests.gauntlet.adapters.test_deployable import AS_IT_MUST_BE, GONE, GOOD, asked, ours
from tests.gauntlet.conftest import by_subject
from tests.gauntlet.probes.test_flows import stranger

SHORT = Shape(rule=QUICK, blocks=2, block_s=0.5, warmup_s=0.0)
ALL_WELL = {"planted dies", "planted errors", "planted slow", "candidate", "visitors"}


@asynccontextmanager
async def nobody(_exam: Exam, _load: LoadPlan) -> AsyncIterator[Visits]:
    """The stand-in decides at once and by itself: a load would only cost time."""
    yield Visits()


async def found(folder: Path, visit: Visit = nobody, **ends: dict[str, str]) -> dict[str, Finding]:
    asking = partial(versions_come_and_go, shape=SHORT, visit=visit)
    checks = [replace(check, run=asking) for check in CHECKS]
    result = await run(ours(folder, {**AS_IT_MUST_BE, **ends}), checks, stages=("s6",))
    assert result.valid, result.notes
    assert [rates.rule for rates in result.error_rates] == ["R4 canary"]
    return by_subject(list(result.findings))


async def test_bad_versions_go_back_and_then_this_one_comes_out_unnoticed(tmp_path: Path) -> None:
    findings = await found(tmp_path, visited)
    assert {name: f.verdict for name, f in findings.items()} == dict.fromkeys(ALL_WELL, Verdict.PASS)
    assert "goes back by itself after 31 of its requests" in findings["planted errors"].title
    measured = {measure.name: measure.estimate for measure in findings["visitors"].measures}
    assert (measured["failed"], measured["requests"] > 0) == (0, True)
    lines = asked(tmp_path)
    assert [line[0] for line in lines] == ["dies", "errors", "slow", "candidate"]
    assert lines[-1][lines[-1].index("--weights") + 1] == "1,5,25,50,100"


@pytest.mark.parametrize("defect", ["dies", "errors", "slow"])
async def test_a_planted_version_that_comes_out_fails_and_the_candidates_green_counts_for_nothing(
    tmp_path: Path, defect: str
) -> None:
    findings = await found(tmp_path, **{defect: GOOD})
    blind = findings[f"planted {defect}"]
    assert (blind.verdict, blind.severity) == (Verdict.FAIL, Severity.CRITICAL)
    assert "brought out all the same" in blind.title
    assert findings["candidate"].verdict is Verdict.INCONCLUSIVE
    assert "would mean nothing" in findings["candidate"].cause


@pytest.mark.parametrize(
    ("ends", "verdict", "words"),
    [
        (GONE, Verdict.FAIL, "it fails."),
        ({"said": "no such table"}, Verdict.FAIL, "no such table"),
        ({"decision": "undecided", "reason": "not decided."}, Verdict.INCONCLUSIVE, "not decided."),
    ],
)
async def test_a_candidate_that_does_not_come_out_is_told_with_the_reason(
    tmp_path: Path, ends: dict[str, str], verdict: Verdict, words: str
) -> None:
    candidate = (await found(tmp_path, candidate=ends))["candidate"]
    assert (candidate.verdict, words in candidate.cause) == (verdict, True)


async def test_a_stranger_and_a_machine_without_envoy_are_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (finding,) = (await run(stranger(tmp_path), CHECKS, stages=("s6",))).findings
    assert (finding.verdict, "shipworthy canary judge" in finding.fix) == (Verdict.NOT_MEASURED, True)
    monkeypatch.setattr(capabilities, "has_envoy", lambda: False)
    (finding,) = (await run(ours(tmp_path), CHECKS, stages=("s6",))).findings
    assert (finding.verdict, finding.cause) == (Verdict.NOT_MEASURED, "Envoy is not installed.")
    assert not (tmp_path / "ran").exists()


def test_the_load_keeps_its_proportions_is_bounded_and_strangers_are_many(tmp_path: Path) -> None:
    (journey,) = ours(tmp_path).manifest.journeys
    members = replace(journey, name="mine", login=True, rate_per_s=3 * journey.rate_per_s)
    strangers, signed_in = as_visitors((journey, members))
    assert strangers.rate_per_s + signed_in.rate_per_s == pytest.approx(RATE_PER_S)
    assert signed_in.rate_per_s == pytest.approx(3 * strangers.rate_per_s)
    assert strangers.steps[0].headers == {"Cookie": "sid={uuid}"}
    assert signed_in.steps[0].headers == {}


@pytest.mark.parametrize(
    ("code", "body", "verdict"),
    [
        ("closed", "", Verdict.FAIL),
        ("status_500", "", Verdict.FAIL),
        ("status_503", "no healthy upstream", Verdict.FAIL),
        ("status_503", '{"code": "auth.busy"}', Verdict.INCONCLUSIVE),
        ("status_429", "", Verdict.PASS),
    ],
)
async def test_a_request_that_is_lost_fails_and_one_that_is_refused_says_how_busy_it_was(
    tmp_path: Path, code: str, body: str, verdict: Verdict
) -> None:
    slo, series = (
        Slo(name="page", quantile=0.95, threshold_ms=400.0),
        Series(journey="page", latency_ms_p50=(), latency_ms_p95=(), requests=(), failures=()),
    )
    journey = JourneyResult(
        journey="page", slo=slo, requests=900, exceedances=1, blocks=(), histogram={}, service_histogram={},
        failures={code: 2}, samples={code: body}, series=series,
    )  # fmt: skip

    @asynccontextmanager
    async def unlucky(_exam: Exam, _load: LoadPlan) -> AsyncIterator[Visits]:
        result = LoadResult(name="A", seed=1, started_at="", block_s=1.0, journeys=(journey,), audits=())
        yield Visits(results=[result])

    visitors = (await found(tmp_path, unlucky))["visitors"]
    assert (visitors.verdict, visitors.measures[0].estimate) == (verdict, 900)


async def test_a_load_that_cannot_be_offered_leaves_it_undecided(tmp_path: Path) -> None:
    target = ours(tmp_path)
    (journey,) = target.manifest.journeys
    manifest = replace(target.manifest, journeys=(replace(journey, login=True),))
    checks = [replace(check, run=partial(versions_come_and_go, shape=SHORT)) for check in CHECKS]
    (*_, last) = (await run(replace(target, manifest=manifest), checks, stages=("s6",))).findings
    assert (last.subject, last.verdict) == ("all", Verdict.INCONCLUSIVE)
    assert "The load could not be offered" in last.cause

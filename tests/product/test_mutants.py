"""The gauntlet catches planted defects by name, and stays green on changes that harm nobody.

Each runs on a copy of one filled database; `make bench NAME=mutants` shows the same as a table.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipworthy.contract.finding import Finding, RunResult
from shipworthy.contract.verdict import Verdict
from tests.support.mutants import Found, Mutant, MutantFile, alarms, examine, load_mutants, missed
from tests.support.product import Patch, PatchRefused, Templates, patched_sources

MUTANTS = load_mutants()
PLANTED = [pytest.param(mutant, id=mutant.name) for mutant in MUTANTS if mutant.is_planted]
HARMLESS = [pytest.param(mutant, id=mutant.name) for mutant in MUTANTS if not mutant.is_planted]


@pytest.mark.product
@pytest.mark.xdist_group("product")
@pytest.mark.parametrize("mutant", PLANTED)
async def test_a_planted_defect_is_caught_by_name_and_nothing_else_is_blamed(
    templates: Templates, mutant: Mutant
) -> None:
    outcome = await examine(templates, mutant)
    print(f"{outcome.seconds:.1f} s  {mutant.name}: {outcome.said}")
    assert not outcome.missed
    assert not outcome.alarms


@pytest.mark.product
@pytest.mark.xdist_group("product")
@pytest.mark.parametrize("mutant", HARMLESS)
async def test_a_harmless_change_stays_green(templates: Templates, mutant: Mutant) -> None:
    outcome = await examine(templates, mutant)
    print(f"{outcome.seconds:.1f} s  {mutant.name}: {outcome.said}")
    assert not outcome.missed
    assert not outcome.alarms


def test_every_check_that_must_catch_something_is_also_seen_to_stay_green() -> None:
    """A check that always fails would catch every defect; these are asked on sound apps, too."""
    caught = {check.name for mutant in MUTANTS if mutant.is_planted for check in mutant.asked}
    green = {check.name for mutant in MUTANTS if not mutant.is_planted for check in mutant.asked}
    assert caught <= green
    assert len(PLANTED) >= 24
    assert len(HARMLESS) >= 8


@pytest.mark.parametrize("mutant", [*PLANTED, *HARMLESS])
def test_a_patch_fits_the_sources_of_today(mutant: Mutant, tmp_path: Path) -> None:
    package = patched_sources(tmp_path, mutant.file.patch) / "shipworthy"
    for patch in mutant.file.patch:
        assert patch.new in (package / patch.file).read_text(encoding="utf-8")


def test_a_patch_that_no_longer_fits_says_so(tmp_path: Path) -> None:
    gone = Patch(file="kernel/queue/worker.py", old="a line that stands nowhere", new="")
    with pytest.raises(PatchRefused, match=r"no longer applies.* 0 times in kernel/queue/worker.py"):
        patched_sources(tmp_path / "gone", [gone])
    often = Patch(file="kernel/queue/worker.py", old="import", new="")
    with pytest.raises(PatchRefused, match=r"stands \d\d times in .*not once"):
        patched_sources(tmp_path / "often", [often])


PLANS = "plans.index_used"
TRUE_FINDING = Finding(
    check=PLANS,
    subject="list",
    stage="plans",
    verdict=Verdict.FAIL,
    title="list needs list_idx, which is not there",
    source="up.sql:7",
    fix="create index list_idx on list (tenant_id);",
)


def planted(*, names: tuple[str, ...] = ("list_idx",), source: str = "up.sql") -> Mutant:
    found = Found(check=PLANS, subject="list", names=names, source=source)
    return Mutant(
        name="m", file=MutantFile(kind="planted", title="", checks=(PLANS,), sql=("x",), found=(found,))
    )


def harmless() -> Mutant:
    return Mutant(name="m", file=MutantFile(kind="harmless", title="", checks=(PLANS,), sql=("x",)))


def concluded(*findings: Finding, valid: bool = True) -> RunResult:
    return RunResult(
        run_id="r",
        target="t",
        mode="partial",
        started_at="2026-01-01T00:00:00+00:00",
        duration_s=1.0,
        version="0",
        commit="",
        machine={},
        findings=findings,
        valid=valid,
    )


def passing(finding: Finding, verdict: Verdict = Verdict.PASS) -> Finding:
    return Finding(
        check=finding.check, subject=finding.subject, stage=finding.stage, verdict=verdict, title="well"
    )


def test_a_defect_counts_as_caught_only_when_subject_names_and_place_are_told() -> None:
    told = concluded(TRUE_FINDING)
    assert list(missed(planted(), told)) == list(alarms(planted(), told)) == []
    assert list(missed(planted(names=("other_idx",)), told))
    assert list(missed(planted(source="queries.sql"), told))
    assert list(missed(planted(), concluded(passing(TRUE_FINDING))))
    assert list(missed(planted(), concluded(TRUE_FINDING, valid=False)))
    assert list(missed(planted(), concluded(replace(TRUE_FINDING, fix=""))))  # what does not say what to do


def test_a_failure_beside_the_planted_defect_is_a_false_alarm() -> None:
    other = Finding(check=PLANS, subject="other", stage="plans", verdict=Verdict.FAIL, title="other is slow")
    [alarm] = alarms(planted(), concluded(TRUE_FINDING, other))
    assert "other is slow" in alarm


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_MEASURED])
def test_a_harmless_change_is_green_only_when_its_checks_pass(verdict: Verdict) -> None:
    green = concluded(passing(TRUE_FINDING))
    assert list(missed(harmless(), green)) == list(alarms(harmless(), green)) == []
    other = concluded(passing(TRUE_FINDING, verdict))
    assert list(missed(harmless(), other))
    assert bool(list(alarms(harmless(), other))) == (verdict is not Verdict.NOT_MEASURED)

"""The gauntlet catches planted defects by name, and stays green on changes that harm nobody."""

from __future__ import annotations

import pytest

from tests.support.mutants import Mutant, examine, load_mutants
from tests.support.product import Patch, PatchRefused, Template, patched_sources

MUTANTS = load_mutants()
PLANTED = [pytest.param(m, id=m.name) for m in MUTANTS if m.is_planted]
HARMLESS = [pytest.param(m, id=m.name) for m in MUTANTS if not m.is_planted]
product = [pytest.mark.product, pytest.mark.xdist_group("product")]


@pytest.mark.product
@pytest.mark.xdist_group("product")
@pytest.mark.parametrize("mutant", PLANTED)
async def test_a_planted_defect_is_caught_by_name_and_nothing_else_is_blamed(
    template: Template, mutant: Mutant
) -> None:
    outcome = await examine(template, mutant)
    print(f"{outcome.seconds:.1f} s  {mutant.name}: {outcome.said}")
    assert not outcome.missed
    assert not outcome.alarms


@pytest.mark.product
@pytest.mark.xdist_group("product")
@pytest.mark.parametrize("mutant", HARMLESS)
async def test_a_harmless_change_stays_green(template: Template, mutant: Mutant) -> None:
    outcome = await examine(template, mutant)
    print(f"{outcome.seconds:.1f} s  {mutant.name}: {outcome.said}")
    assert not outcome.missed
    assert not outcome.alarms


def test_every_check_that_must_catch_something_is_also_seen_to_stay_green() -> None:
    """A check that always fails would catch every defect; these are asked on sound apps, too."""
    caught = {check.name for mutant in MUTANTS if mutant.is_planted for check in mutant.asked}
    green = {check.name for mutant in MUTANTS if not mutant.is_planted for check in mutant.asked}
    assert caught <= green
    assert len(PLANTED) >= 8
    assert len(HARMLESS) >= 2


@pytest.mark.parametrize("mutant", PLANTED + HARMLESS)
def test_a_patch_fits_the_sources_of_today(mutant: Mutant, tmp_path) -> None:
    patched_sources(tmp_path, mutant.file.patch)


def test_a_patch_that_no_longer_fits_says_so(tmp_path) -> None:
    gone = Patch(file="kernel/queue/worker.py", old="a line that stands nowhere", new="")
    with pytest.raises(PatchRefused, match=r"no longer applies.*0 times in kernel/queue/worker.py"):
        patched_sources(tmp_path / "a", [gone])
    twice = Patch(file="kernel/queue/worker.py", old="import", new="")
    with pytest.raises(PatchRefused, match=r"stands \d\d? times .*not once"):
        patched_sources(tmp_path / "b", [twice])

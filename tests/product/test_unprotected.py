"""Every drill has a copy of the app on which it must fail; `make bench NAME=drills` runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.gauntlet.stages.drills import CHECKS
from tests.support.mutants import Mutant
from tests.support.product import patched_sources
from tests.support.unprotected import load_unprotected

COPIES = load_unprotected()


def test_every_drill_has_a_copy_whose_protection_is_taken_out() -> None:
    drilled = {check.partition(":")[0] for copy in COPIES for check in copy.file.checks}
    assert drilled == {check.name for check in CHECKS}


@pytest.mark.parametrize("copy", [pytest.param(copy, id=copy.name) for copy in COPIES])
def test_a_copys_patch_fits_the_sources_of_today(copy: Mutant, tmp_path: Path) -> None:
    package = patched_sources(tmp_path, copy.file.patch) / "shipworthy"
    for patch in copy.file.patch:
        assert patch.new in (package / patch.file).read_text(encoding="utf-8")

"""Stage S6 on the whole app: it comes out over itself; a judge that is blind does not stay unseen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.shipworthy import describe
from shipworthy.gauntlet.run import run
from shipworthy.gauntlet.stages.canary import CHECKS
from tests.gauntlet.conftest import by_subject
from tests.support.postgres import open_directory
from tests.support.product import Patch, patched_sources
from tests.support.up import scaffold

pytestmark = [pytest.mark.product, pytest.mark.xdist_group("product")]
ALL_WELL = ("planted dies", "planted errors", "planted slow", "candidate", "visitors")
# A judge that looks away from failures, and one that looks away from slowness.
BLIND = {
    "errors": Patch(
        file="delivery/access.py",
        old="        return self.code >= 500",
        new="        return self.code >= 600",
    ),
    "slow": Patch(
        file="delivery/access.py",
        old="    slow = threshold_ms is not None and seen.ms > threshold_ms",
        new="    slow = threshold_ms is not None and seen.ms > 100 * threshold_ms",
    ),
}


async def test_the_app_comes_out_over_itself_after_every_planted_version_has_gone_back() -> None:
    with open_directory() as folder:
        result = await run(
            await describe(scaffold(folder / "studio", rooms="invoicing,site")), CHECKS, stages=("s6",)
        )
    assert result.valid, result.notes
    found = by_subject(list(result.findings))
    assert {name: f.verdict for name, f in found.items()} == dict.fromkeys(ALL_WELL, Verdict.PASS), [
        f"{f.title}: {f.cause}" for f in found.values()
    ]


@pytest.mark.parametrize("blind_to", list(BLIND))
async def test_a_judge_that_looks_away_is_found_out(tmp_path: Path, blind_to: str) -> None:
    sources = patched_sources(tmp_path, [BLIND[blind_to]])
    command = ("env", f"PYTHONPATH={sources}", sys.executable, "-m", "shipworthy")
    with open_directory() as folder:
        home = scaffold(folder / "studio", rooms="invoicing,site")
        result = await run(await describe(home, command=command), CHECKS, stages=("s6",))
    found = by_subject(list(result.findings))
    assert found[f"planted {blind_to}"].verdict is Verdict.FAIL
    assert found["candidate"].verdict is Verdict.INCONCLUSIVE

"""Flag debt is found by the build, flags in order pass, and an app without flags was not measured."""

from __future__ import annotations

import pytest

from shipworthy.contract.manifest import Flag
from shipworthy.contract.verdict import Verdict
from tests.gauntlet.repository.conftest import Ask


@pytest.mark.parametrize(
    ("flag", "verdict"),
    [
        (Flag(name="a", owner="x", expires="2999-01-01"), Verdict.PASS),
        (Flag(name="a", owner="x", expires="2020-01-01"), Verdict.FAIL),
        (Flag(name="a", expires="2999-01-01"), Verdict.FAIL),
        (None, Verdict.NOT_MEASURED),
    ],
)
async def test_debt_fails_the_build(ask: Ask, flag: Flag | None, verdict: Verdict) -> None:
    found = await ask("build.flags", flags=(flag,) if flag else ())
    (finding,) = found.values()
    assert finding.verdict is verdict

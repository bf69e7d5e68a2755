"""What a comparison says: one sentence, a line for each quantile, and an exit code that fits."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from shipworthy.contract.verdict import ExitCode, Verdict
from shipworthy.gauntlet.compare import Compared, Comparison
from shipworthy.gauntlet.report.comparison import (
    comparison_document,
    exit_code_of_comparison,
    print_comparison,
)
from shipworthy.gauntlet.report.words import NBSP
from shipworthy.judge.regression import RegressionJudgement

SLOWER = RegressionJudgement(
    verdict=Verdict.FAIL, reason="p95 is +21.0%: slower.", ratio=1.21, low=1.12, high=1.31, p_value=0.001, margin=1.1,
    base_ms=143.0, head_ms=172.0, spread=0.1, requests=6000, blocks=30, blocks_void=0, alpha=0.03, method="R2",
)  # fmt: skip
UNKNOWN = replace(
    SLOWER, verdict=Verdict.INCONCLUSIVE, low=0.0, high=math.inf, ratio=1.0, reason="measure longer."
)
JOURNEY = Compared(
    journey="login", by_quantile={"p50": UNKNOWN, "p95": SLOWER}, requests=3000, base_failed=0, head_failed=4,
    failures=Verdict.INCONCLUSIVE, worst_failure="status_500",
)  # fmt: skip
WORSE = Comparison(
    base="main", head="branch", journeys=(JOURNEY,), verdict=Verdict.FAIL, is_valid=True, left_out=("page",)
)


def test_it_says_what_is_worse_by_how_much_and_what_was_left_out() -> None:
    file = StringIO()
    print_comparison(WORSE, Console(file=file, width=140))
    text = file.getvalue().replace(NBSP, " ")
    for part in (
        "branch is worse than main.",
        "143 ms",
        "+21.0%",
        "+12% to +31%",
        "4 of 3,000",
        "status_500",
        "page",
    ):
        assert part in text
    assert "inf" not in text


@pytest.mark.parametrize(
    ("verdict", "is_valid", "code"),
    [
        (Verdict.PASS, True, ExitCode.PASS),
        (Verdict.FAIL, True, ExitCode.FAIL),
        (Verdict.INCONCLUSIVE, True, ExitCode.INCONCLUSIVE),
        (Verdict.NOT_MEASURED, True, ExitCode.INCONCLUSIVE),
        (Verdict.FAIL, False, ExitCode.INVALID_RUN),
    ],
)
def test_the_exit_code_is_as_documented(verdict: Verdict, is_valid: bool, code: ExitCode) -> None:
    found = replace(WORSE, verdict=verdict, is_valid=is_valid)
    assert exit_code_of_comparison(found) is code
    document = json.loads(json.dumps(comparison_document(found), allow_nan=False))
    assert document["exit_code"] == code
    assert document["journeys"][0]["quantiles"]["p50"]["ratio"] is None

"""Verdicts fail closed; exit codes are the documented ones."""

from __future__ import annotations

from itertools import permutations

import pytest

from shipworthy.contract.verdict import ExitCode, Verdict, exit_code, overall

PASS, FAIL, INCONCLUSIVE, NOT_MEASURED = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_MEASURED,
)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([PASS, PASS], PASS),
        ([PASS, NOT_MEASURED], PASS),
        ([PASS, INCONCLUSIVE], INCONCLUSIVE),
        ([PASS, INCONCLUSIVE, NOT_MEASURED, FAIL], FAIL),
        ([INCONCLUSIVE, NOT_MEASURED], INCONCLUSIVE),
        ([NOT_MEASURED, NOT_MEASURED], NOT_MEASURED),
        ([], NOT_MEASURED),
    ],
)
def test_the_worst_measured_verdict_wins_in_any_order(verdicts: list[Verdict], expected: Verdict) -> None:
    for order in permutations(verdicts):
        assert overall(iter(order)) is expected


def test_only_a_measured_pass_exits_with_zero() -> None:
    codes = {verdict: exit_code(verdict) for verdict in Verdict}
    assert codes == {
        PASS: ExitCode.PASS,
        FAIL: ExitCode.FAIL,
        INCONCLUSIVE: ExitCode.INCONCLUSIVE,
        NOT_MEASURED: ExitCode.INCONCLUSIVE,
    }
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 4]


def test_a_verdict_reads_as_its_word() -> None:
    assert f"{NOT_MEASURED}" == "NOT MEASURED"
    assert [str(v) for v in Verdict] == ["PASS", "FAIL", "INCONCLUSIVE", "NOT MEASURED"]

"""Verdicts and exit codes: four answers a check may give, five ways a command may end."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class Verdict(StrEnum):
    """What one check, or a whole run, concluded. Never a boolean: silence is not success."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_MEASURED = "NOT MEASURED"


class Severity(StrEnum):
    """How much a failed check matters. Orders the findings; does not soften the verdict."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class ExitCode(IntEnum):
    """The documented exit codes of every command (docs/reference/exit-codes.md)."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    INCONCLUSIVE = 3
    INVALID_RUN = 4


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of a run: the worst that was measured; nothing measured is NOT MEASURED.

    Fail closed: one FAIL fails the run, one INCONCLUSIVE keeps it from passing. A check that
    was not measured does not fail the run; it lowers the printed coverage instead.
    """
    seen = set(verdicts)
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS):
        if verdict in seen:
            return verdict
    return Verdict.NOT_MEASURED


def exit_code(verdict: Verdict) -> ExitCode:
    """Map a run's verdict to the process exit code. A run that measured nothing is inconclusive."""
    return {Verdict.PASS: ExitCode.PASS, Verdict.FAIL: ExitCode.FAIL}.get(verdict, ExitCode.INCONCLUSIVE)

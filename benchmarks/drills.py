"""`make bench NAME=drills`: every drill on our app, and on a copy whose protection is taken out.

A drill that passes on the app and on the copy proves nothing; each must be seen to fail on its own.
"""

from __future__ import annotations

import asyncio
import sys
import time

from tests.support.mutants import Mutant
from tests.support.postgres import open_directory
from tests.support.unprotected import drilled, drilled_copy, load_unprotected
from tests.support.up import scaffold

from benchmarks.report import Report, publish, show_table
from shipworthy.contract.finding import Finding, RunResult
from shipworthy.contract.verdict import Verdict

_BOUNDS = {
    "passed": "all",
    "lost": "0",
    "doubled": "0",
    "recovery_s_max": "30, aimed 10",
    "key_expiry_failed_per_process": "1",
    "unprotected_copies_failed": "all",
}


def main() -> int:
    """Run all, print a row for each, and the figures; 1 when a drill or a copy is not as it must be."""
    with open_directory() as workshop:
        home = scaffold(workshop / "app", rooms="invoicing,site")
        sound = asyncio.run(drilled(home))
        copies = [(copy, *_timed(home, workshop, copy)) for copy in load_unprotected()]
    measured = [f for f in sound.findings if f.verdict is not Verdict.NOT_MEASURED]
    show_table(
        "drills on our app",
        ("drill", "verdict", "what was seen"),
        ((f.id, f.verdict.value, f.title) for f in measured),
    )
    show_table(
        "and on a copy without the protection",
        ("copy", "drill", "verdict", "seconds", "what was seen"),
        ((copy.name, copy.file.checks[0], _verdict(r), s, _title(copy, r)) for copy, r, s in copies),
    )
    by_name = _by_drill(measured)
    failed = sum(_verdict(result) == "FAIL" for _, result, _ in copies)
    passed = sum(all(f.verdict is Verdict.PASS for f in found) for found in by_name.values())
    figures = {
        "drills": len(by_name),
        "passed": passed,
        "lost": int(_sum(measured, "lost")),
        "doubled": int(_sum(measured, "doubled")),
        "recovery_s_max": max(_all(measured, "recovery") + _all(measured, "recovery after the last kill")),
        "db_throttled_untyped_errors": int(_sum(by_name["drill.database_throttled"], "untyped errors")),
        "key_expiry_failed_per_process": max(_all(measured, "failed sign-ins per process"), default=None),
        "unprotected_copies": len(copies),
        "unprotected_copies_failed": failed,
    }
    wrong = [
        f"{f.id}: {f.verdict.value}: {f.title} {f.cause}" for f in measured if f.verdict is not Verdict.PASS
    ]
    publish(
        Report(name="drills", figures=figures, valid=sound.valid, notes=[*wrong, *sound.notes]),
        bounds=_BOUNDS,
    )
    return 0 if passed == len(by_name) and failed == len(copies) else 1


def _timed(home: object, workshop: object, copy: Mutant) -> tuple[RunResult, float]:
    began = time.monotonic()
    result = asyncio.run(drilled_copy(home, workshop, copy))  # type: ignore[arg-type]
    return result, round(time.monotonic() - began, 1)


def _verdict(result: RunResult) -> str:
    return "FAIL" if any(f.verdict is Verdict.FAIL for f in result.findings) else result.verdict.value


def _title(copy: Mutant, result: RunResult) -> str:
    failed = [f for f in result.findings if f.verdict is Verdict.FAIL]
    said = failed[0].title if failed else "; ".join(f"{f.title} {f.cause}" for f in result.findings)
    named = all(
        name in said + (failed[0].cause if failed else "") for w in copy.file.found for name in w.names
    )
    return said if named else f"NOT BY NAME: {said}"


def _by_drill(findings: list[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.check, []).append(finding)
    return found


def _all(findings: list[Finding], name: str) -> list[float]:
    return [m.estimate for f in findings for m in f.measures if m.name == name]


def _sum(findings: list[Finding], name: str) -> float:
    return sum(_all(findings, name))


if __name__ == "__main__":
    sys.exit(main())

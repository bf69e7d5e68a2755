"""isolation.signed_out_http: a route that needs a session answers nobody else."""

from __future__ import annotations

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.stages.isolation import CHECKS
from tests.gauntlet.conftest import by_subject
from tests.support.ledger import Ledger

SIGNED_OUT = next(check for check in CHECKS if check.name == "isolation.signed_out_http")


async def ask(ledger: Ledger) -> dict[str, Finding]:
    exam = ledger.exam(SIGNED_OUT)
    try:
        return by_subject(list(await SIGNED_OUT.run(exam)))
    finally:
        await exam.close()


async def test_routes_that_refuse_pass_and_one_that_answers_anybody_is_told(ledger: Ledger) -> None:
    findings = await ask(ledger)
    assert {finding.verdict for finding in findings.values()} == {Verdict.PASS}, findings
    assert "GET /about" not in findings  # it is public, and says so

    ledger.faults.add("answers_anybody")
    told = (await ask(ledger))["GET /books"]
    assert told.verdict is Verdict.FAIL
    assert told.severity is Severity.CRITICAL
    assert "shows Acme's data to who is not signed in" in told.title

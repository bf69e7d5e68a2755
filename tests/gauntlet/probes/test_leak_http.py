"""isolation.two_tenants_http: a neighbour's ids answer like ids that nobody has."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Sample
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.stages.isolation import CHECKS
from tests.gauntlet.conftest import by_subject
from tests.support.ledger import Ledger

TWO_TENANTS = next(check for check in CHECKS if check.name == "isolation.two_tenants_http")


async def ask(ledger: Ledger, **changes: object) -> dict[str, Finding]:
    exam = ledger.exam(TWO_TENANTS, **changes)
    try:
        return by_subject(list(await TWO_TENANTS.run(exam)))
    finally:
        await exam.close()


async def test_routes_that_keep_tenants_apart_pass_and_a_page_without_a_marker_is_not_measured(
    ledger: Ledger,
) -> None:
    findings = await ask(ledger)
    assert {subject: finding.verdict for subject, finding in findings.items()} == {
        "GET /books": Verdict.PASS,
        "GET /books/{book_id}": Verdict.PASS,
        "POST /books/{book_id}/notes": Verdict.PASS,
        "POST /notes": Verdict.PASS,
        "POST /preview": Verdict.PASS,
        "PUT /books/{book_id}": Verdict.PASS,
        "GET /me": Verdict.NOT_MEASURED,
    }
    assert "proves nothing" in findings["GET /me"].cause


async def test_an_app_that_asks_past_row_security_is_told_by_path_and_by_body(ledger: Ledger) -> None:
    ledger.faults.add("asks_past_row_security")
    findings = await ask(ledger)
    for subject in ("GET /books/{book_id}", "POST /notes"):
        assert findings[subject].verdict is Verdict.FAIL
        assert "lets one tenant reach another's book_id" in findings[subject].title
        assert findings[subject].source == "ledger/app.py:1"
    assert findings["GET /books/{book_id}"].evidence[0].text.startswith("GET /books/")


async def test_ids_that_both_tenants_see_are_not_taken_for_safe(ledger: Ledger) -> None:
    await ledger.admin("alter table book disable row level security")
    found = (await ask(ledger))["GET /books/{book_id}"]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "in both tenants' data" in found.cause


async def test_an_answer_that_tells_what_exists_is_a_failure_though_nothing_is_shown(ledger: Ledger) -> None:
    ledger.faults.add("forbidden_not_missing")
    findings = await ask(ledger)
    told = findings["GET /books/{book_id}"]
    assert told.verdict is Verdict.FAIL
    assert "answers 403 for a neighbour's book_id, not 404" in told.title
    assert told.severity is Severity.HIGH
    assert findings["POST /notes"].verdict is Verdict.PASS


async def test_a_list_that_shows_the_neighbours_marker_fails(ledger: Ledger) -> None:
    ledger.faults.add("echoes_neighbour")
    shown = (await ask(ledger))["GET /books"]
    assert shown.verdict is Verdict.FAIL
    assert "Globex's data to Acme" in shown.title


async def test_a_control_that_does_not_succeed_proves_nothing(ledger: Ledger) -> None:
    routes = tuple(
        replace(route, statuses=(299,)) if route.path == "/books/{book_id}" else route
        for route in ledger.target.manifest.routes
    )
    found = (await ask(ledger, routes=routes))["GET /books/{book_id}"]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "the refusal proves nothing" in found.cause


async def test_without_samples_or_with_the_same_names_nothing_is_claimed(ledger: Ledger) -> None:
    none = (await ask(ledger, samples=(Sample(name="book_id", sql="select null::uuid"),)))[
        "GET /books/{book_id}"
    ]
    assert none.verdict is Verdict.NOT_MEASURED
    assert "No value of book_id" in none.cause
    same = (await ask(ledger, samples=(Sample(name="book_id", sql="select 'home'"),)))["GET /books/{book_id}"]
    assert same.verdict is Verdict.NOT_MEASURED
    assert "same book_id" in same.cause

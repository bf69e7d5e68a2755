"""budget.queries_per_route: what a route runs is counted by the database itself.

Covers: statement_counts, counted_route.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Route
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.stages.budgets import CHECKS
from tests.gauntlet.conftest import by_subject
from tests.support.ledger import Ledger, ledger_manifest

QUERIES = next(check for check in CHECKS if check.name == "budget.queries_per_route")


async def ask(ledger: Ledger, **changes: object) -> dict[str, Finding]:
    exam = ledger.exam(QUERIES, **changes)
    try:
        return by_subject(list(await QUERIES.run(exam)))
    finally:
        await exam.close()


def routes_with(path: str, **facts: object) -> tuple[Route, ...]:
    routes = ledger_manifest().routes
    return tuple(replace(r, **facts) if r.path == path and r.method == "GET" else r for r in routes)  # type: ignore[arg-type]


async def test_each_route_is_counted_exactly_and_within_its_bound(ledger: Ledger) -> None:
    findings = await ask(ledger)
    assert {finding.verdict for finding in findings.values()} == {Verdict.PASS}, findings
    counted = {subject: finding.measures[0].estimate for subject, finding in findings.items()}
    assert counted == {
        "GET /books": 2,
        "GET /books/{book_id}": 1,
        "POST /books/{book_id}/notes": 2,
        "POST /notes": 2,
        "POST /preview": 0,
        "PUT /books/{book_id}": 1,
        "GET /about": 0,
        "GET /me": 0,
    }


async def test_one_query_for_each_row_is_named_with_its_text_and_route(ledger: Ledger) -> None:
    ledger.faults.add("n_plus_one")
    findings = await ask(ledger)
    failed = findings["GET /books"]
    assert failed.verdict is Verdict.FAIL
    assert failed.title == "GET /books runs one query 20 times per request"
    assert "ledger.notes_of_book" in failed.evidence[0].text
    assert failed.source == "ledger/app.py:1"
    assert findings["GET /books/{book_id}"].verdict is Verdict.PASS


async def test_a_stranger_without_bounds_still_fails_by_an_n_plus_one(ledger: Ledger) -> None:
    ledger.faults.add("n_plus_one")
    assert (await ask(ledger, routes=routes_with("/books", queries_max=None)))[
        "GET /books"
    ].verdict is Verdict.FAIL
    ledger.faults.clear()
    passed = (await ask(ledger, routes=routes_with("/books", queries_max=None)))["GET /books"]
    assert passed.verdict is Verdict.PASS
    assert "no bound declared" in passed.title


async def test_more_statements_than_promised_are_listed(ledger: Ledger) -> None:
    failed = (await ask(ledger, routes=routes_with("/books", queries_max=1)))["GET /books"]
    assert failed.verdict is Verdict.FAIL
    assert "2 queries where at most 1 were promised" in failed.title
    assert "ledger.notes_of_books" in failed.evidence[0].text


async def test_a_route_that_never_succeeds_is_inconclusive(ledger: Ledger) -> None:
    found = (await ask(ledger, routes=routes_with("/books", statuses=(299,))))["GET /books"]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "answered 200, not 299" in found.cause


async def test_a_database_that_counts_nothing_says_how_to_make_it(ledger: Ledger) -> None:
    await ledger.admin("drop extension pg_stat_statements")
    exam = ledger.exam(QUERIES)
    with pytest.raises(Undecided, match="counts no statements") as undecided:
        await QUERIES.run(exam)
    assert "create extension" in undecided.value.fix
    await exam.close()


async def test_what_no_sample_is_declared_for_is_not_measured_and_one_that_finds_nothing_is_undecided(
    ledger: Ledger,
) -> None:
    (sample,) = (s for s in ledger_manifest().samples if s.name == "book_id")
    nameless = (await ask(ledger, samples=()))["GET /books/{book_id}"]
    assert nameless.verdict is Verdict.NOT_MEASURED
    assert nameless.cause == "No sample is declared for book_id."
    empty = replace(sample, sql="select null::uuid")
    assert (await ask(ledger, samples=(empty,)))["GET /books/{book_id}"].verdict is Verdict.INCONCLUSIVE

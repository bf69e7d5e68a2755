"""plans.index_used: green on a sound database; each defect is told by name.

Covers: plan_tree, statistics.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from shipworthy.contract.manifest import Query
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.stages.plans import CHECKS
from tests.gauntlet.conftest import by_subject, verdicts
from tests.support.ledger import Ledger, ledger_manifest

INDEX_USED = next(check for check in CHECKS if check.name == "plans.index_used")


def changed(name: str, **changes: object) -> tuple[Query, ...]:
    """The ledger's queries, one of them changed."""
    queries = ledger_manifest().queries
    return tuple(replace(q, **changes) if q.name == f"ledger.{name}" else q for q in queries)  # type: ignore[arg-type]


async def test_every_query_of_a_sound_app_passes_with_its_plan_as_evidence(ledger: Ledger) -> None:
    exam = ledger.exam(INDEX_USED)
    findings = by_subject(list(await INDEX_USED.run(exam)))
    assert set(findings) == {
        f"ledger.{name}" for name in ("book_list", "book_get", "notes_of_book", "note_add")
    }
    assert {finding.verdict for finding in findings.values()} == {Verdict.PASS}, findings
    listed = findings["ledger.book_list"]
    assert "book_tenant_status_at_idx" in listed.evidence[1].text
    assert listed.measures[0].estimate == 20
    assert await ledger.admin("select count(*) from note where text = 'x'") == [(0,)]
    await exam.close()


async def test_a_dropped_index_is_named_with_the_statement_that_restores_it(ledger: Ledger) -> None:
    await ledger.admin("drop index book_tenant_status_at_idx")
    findings = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED))))
    failed = findings["ledger.book_list"]
    assert failed.verdict is Verdict.FAIL
    assert "book_tenant_status_at_idx, which does not exist" in failed.title
    assert "create index book_tenant_status_at_idx on book" in failed.fix
    assert failed.source == "ledger/0001.sql:5"
    assert verdicts(list(findings.values()))["ledger.notes_of_book"] is Verdict.PASS


async def test_an_index_that_is_there_and_passed_over_says_what_was_read_instead(ledger: Ledger) -> None:
    queries = changed("book_list", sql="select book_id from book where title = $1 order by at limit 20")
    failed = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED, queries=queries))))[
        "ledger.book_list"
    ]
    assert failed.verdict is Verdict.FAIL
    assert "does not use book_tenant_status_at_idx" in failed.title
    assert "1,512 rows" in failed.cause
    assert "Scan" in failed.cause


async def test_another_index_that_leads_as_straight_to_the_rows_is_as_good(ledger: Ledger) -> None:
    await ledger.admin("create index book_title_idx on book (tenant_id, book_id, title)")
    await ledger.admin("vacuum analyze book")
    found = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED))))["ledger.book_get"]
    assert found.verdict is Verdict.PASS
    assert "an index as good as book_pkey" in found.title
    assert "book_title_idx" in found.evidence[1].text


async def test_another_index_is_as_good_for_many_rows_where_it_reads_no_more_pages_than_rows(
    ledger: Ledger,
) -> None:
    """A whole tenant's books in order: by an index of its own, or by a smaller one and a sort."""
    await ledger.admin("create index book_wide_idx on book (tenant_id, title, price, at, book_id)")
    await ledger.admin("alter table book set (fillfactor = 10)")
    await ledger.admin("vacuum full analyze book")  # so that they lie on many pages
    (database,) = (await ledger.admin("select current_database()"))[0]
    for way in ("seqscan", "indexscan", "indexonlyscan"):  # what is left gathers rows before it reads pages
        await ledger.admin(f"alter database {database} set enable_{way} = off")
    queries = changed("book_list", sql="select title, status from book order by title limit 5000",
                      index=("book_wide_idx",), params=(), rows_max=5000)  # fmt: skip
    found = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED, queries=queries))))[
        "ledger.book_list"
    ]
    assert found.verdict is Verdict.PASS, found.cause
    assert "an index as good as book_wide_idx" in found.title
    assert max(map(int, re.findall(r"hit=(\d+)", found.evidence[1].text))) > 64


@pytest.mark.parametrize(
    "sql", ["select count(*) from book where price > $1", "select max(title) from book where price > $1"]
)
async def test_an_operator_that_row_security_keeps_out_of_the_index_is_named(
    ledger: Ledger, sql: str
) -> None:
    await ledger.admin("create index book_price_idx on book (tenant_id, price)")
    queries = changed("book_list", sql=sql, index=("book_price_idx",), params=("5",))
    failed = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED, queries=queries))))[
        "ledger.book_list"
    ]
    assert failed.verdict is Verdict.FAIL
    assert "(numeric > numeric) is not leakproof" in failed.cause


async def test_an_index_that_is_walked_for_its_tenant_only_is_told_though_it_is_used(ledger: Ledger) -> None:
    await ledger.admin("create index book_price_idx on book (tenant_id, price)")
    sql = "select price from book where price > $1 order by price limit 5"
    queries = changed("book_list", sql=sql, index=("book_price_idx",), params=("5",))
    failed = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED, queries=queries))))[
        "ledger.book_list"
    ]
    assert failed.verdict is Verdict.FAIL
    assert failed.title == "ledger.book_list walks book_price_idx and throws 1,500 rows away"


async def test_more_rows_than_promised_fail(ledger: Ledger) -> None:
    queries = changed("book_list", rows_max=5)
    failed = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED, queries=queries))))[
        "ledger.book_list"
    ]
    assert failed.verdict is Verdict.FAIL
    assert "20 rows where at most 5 were promised" in failed.title


async def test_reading_a_large_table_whole_fails_even_where_no_index_was_declared(ledger: Ledger) -> None:
    queries = changed(
        "book_list", sql="select max(title) from book where price > $1", index=(), params=("5",)
    )
    failed = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED, queries=queries))))[
        "ledger.book_list"
    ]
    assert failed.verdict is Verdict.FAIL
    assert "reads the whole of book" in failed.title


async def test_a_table_too_small_to_judge_is_not_measured(ledger: Ledger) -> None:
    sql = "select email from reader_card where email like $1 limit 5"
    queries = changed(
        "book_list", sql=sql, index=("reader_card_realm_id_email_key",), params=("'a%'",), scope="realm"
    )
    found = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED, queries=queries))))[
        "ledger.book_list"
    ]
    assert found.verdict is Verdict.NOT_MEASURED
    assert "reader_card has 1 rows" in found.cause


async def test_a_sample_that_finds_no_row_is_inconclusive_and_the_others_are_still_asked(
    ledger: Ledger,
) -> None:
    queries = changed("book_get", params=("(select book_id from book where title = 'none')",))
    findings = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED, queries=queries))))
    assert findings["ledger.book_get"].verdict is Verdict.INCONCLUSIVE
    assert "finds no row" in findings["ledger.book_get"].cause
    assert findings["ledger.book_list"].verdict is Verdict.PASS


async def test_a_query_its_role_may_not_run_fails_and_a_broken_sample_is_inconclusive(ledger: Ledger) -> None:
    await ledger.admin("revoke select on note from app")
    queries = changed("book_get", sql="select book_id from book where book_id = $1 and bok = 1")
    findings = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED, queries=queries))))
    assert "does not run as role app" in findings["ledger.notes_of_book"].title
    assert "bok" in findings["ledger.book_get"].cause
    assert findings["ledger.book_get"].verdict is Verdict.FAIL

    foreign = changed(
        "note_add", sql="insert into note values ($1, $1, $1, 'x')", params=("gen_random_uuid()",)
    )
    found = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED, queries=foreign))))[
        "ledger.note_add"
    ]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "row-level security" in found.cause

    orphan = changed("note_add", params=("gen_random_uuid()", "gen_random_uuid()", "'x'"))
    found = by_subject(list(await INDEX_USED.run(ledger.exam(INDEX_USED, queries=orphan))))["ledger.note_add"]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "break a constraint" in found.cause


async def test_only_one_query_is_asked_when_one_is_named(ledger: Ledger) -> None:
    exam = ledger.exam(INDEX_USED, subject="ledger.book_get")
    assert [finding.id for finding in await INDEX_USED.run(exam)] == ["plans.index_used:ledger.book_get"]

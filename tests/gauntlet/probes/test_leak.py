"""isolation.two_tenants_sql: what another tenant has is neither read nor written; each leak is told."""

from __future__ import annotations

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.stages.isolation import CHECKS
from tests.gauntlet.conftest import by_subject
from tests.support.ledger import Ledger

TWO_TENANTS = next(check for check in CHECKS if check.name == "isolation.two_tenants_sql")
MINE = "tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid)"


async def ask(ledger: Ledger) -> dict[str, Finding]:
    return by_subject(list(await TWO_TENANTS.run(ledger.exam(TWO_TENANTS))))


async def replant(ledger: Ledger, policy: str) -> None:
    """Take all policies of `book` away and put one in their place."""
    for name in ("tenant_floor", "tenant_members", "tenant_readers"):
        await ledger.admin(f"drop policy {name} on book")
    await ledger.admin(policy)


async def test_a_guarded_database_is_green_and_nothing_was_changed(ledger: Ledger) -> None:
    before = await ledger.admin("select tenant_id, count(*) from book group by 1 order by 1")
    findings = await ask(ledger)
    assert set(findings) == {"book", "note", "reader_card"}
    assert {finding.verdict for finding in findings.values()} == {Verdict.PASS}, findings
    told = findings["book"].evidence[0].text
    for tried in ("read with no scope set", "insert a row that belongs to another", "hand a row of its own to another",
                  "delete rows that belong to another"):  # fmt: skip
        assert tried in told
    assert "refused by row security" in told
    assert await ledger.admin("select tenant_id, count(*) from book group by 1 order by 1") == before


LEAKS = {
    "row security off": ("alter table book disable row level security", "read in its own scope"),
    "a policy that is true": (
        "create policy p on book to app using (true) with check (true)",
        "read in its own scope",
    ),
    "a fallback when nothing is set": (
        f"create policy p on book to app using ({MINE} or current_setting('app.tenant_id', true) is null or "
        f"current_setting('app.tenant_id', true) = '') with check ({MINE})",
        "read with no scope set",
    ),
    "a check that lets rows move": (
        f"create policy p on book to app using ({MINE}) with check (true)",
        "insert a row that belongs to another",
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
async def test_a_leak_is_told_by_its_table_and_what_could_be_done(ledger: Ledger, leak: str) -> None:
    sql, words = LEAKS[leak]
    if leak == "row security off":
        await ledger.admin(sql)
    else:
        await replant(ledger, sql)
    findings = await ask(ledger)
    assert findings["book"].verdict is Verdict.FAIL
    assert words in findings["book"].cause
    assert findings["book"].severity is Severity.CRITICAL
    assert findings["reader_card"].verdict is Verdict.PASS


async def test_a_setting_read_without_care_fails_the_forgotten_scope(ledger: Ledger) -> None:
    bare = "tenant_id = current_setting('app.tenant_id')::uuid"
    await replant(ledger, f"create policy p on book using ({bare}) with check ({bare})")
    findings = await ask(ledger)
    assert findings["book"].verdict is Verdict.FAIL
    assert "an error instead of nothing" in findings["book"].cause
    assert findings["book"].severity is Severity.HIGH


async def test_a_realm_table_is_asked_from_a_realm_nobody_knows(ledger: Ledger) -> None:
    await ledger.admin("alter table reader_card disable row level security")
    findings = await ask(ledger)
    assert findings["reader_card"].verdict is Verdict.FAIL
    assert "a tenant nobody knows" in findings["reader_card"].cause


async def test_an_empty_table_and_a_role_that_sees_nothing_prove_nothing(ledger: Ledger) -> None:
    await ledger.admin("delete from note")
    await replant(ledger, f"create policy p on book to worker using ({MINE}) with check ({MINE})")
    findings = await ask(ledger)
    assert findings["note"].verdict is Verdict.NOT_MEASURED
    assert "holds no row" in findings["note"].cause
    assert findings["book"].verdict is Verdict.INCONCLUSIVE
    assert "0 of its own 1,500 rows" in findings["book"].cause

"""isolation.row_security: green on guarded tables; each hole is told by its table.

Covers: catalogue_facts, tables.
"""

from __future__ import annotations

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Table
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.stages.isolation import CHECKS
from tests.gauntlet.conftest import by_subject
from tests.support.ledger import Ledger

ROW_SECURITY = next(check for check in CHECKS if check.name == "isolation.row_security")
MINE = "tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid)"
NO_FLOOR = "drop policy tenant_floor on book; drop policy tenant_members on book; drop policy tenant_readers on book;"


async def ask(ledger: Ledger, **changes: object) -> dict[str, Finding]:
    return by_subject(list(await ROW_SECURITY.run(ledger.exam(ROW_SECURITY, **changes))))


async def test_a_guarded_database_is_green_table_by_table(ledger: Ledger) -> None:
    findings = await ask(ledger)
    assert {"book", "note", "reader_card", "role app", "role worker"} <= set(findings)
    assert {finding.verdict for finding in findings.values()} == {Verdict.PASS}, findings
    assert "tenant_floor: RESTRICTIVE for all to public" in findings["book"].evidence[0].text


HOLES = {
    "row security off": ("alter table book disable row level security", "row security is off", Severity.CRITICAL),
    "not forced": ("alter table book no force row level security", "not forced", Severity.HIGH),
    "USING (true) instead of the floor": (
        f"{NO_FLOOR} create policy p on book to app using (true)", "is true for every row", Severity.CRITICAL),
    "floor with an OR": (
        f"{NO_FLOOR} create policy f on book as restrictive using ({MINE} or status = 'open')", "has an OR", Severity.CRITICAL),
    "fallback with COALESCE": (
        f"{NO_FLOOR} create policy f on book as restrictive using (tenant_id = coalesce(nullif(current_setting("
        "'app.tenant_id', true), '')::uuid, tenant_id))", "COALESCE", Severity.CRITICAL),
    "a floor about another setting": (
        f"{NO_FLOOR} create policy f on book as restrictive using (tenant_id = current_setting('app.other')::uuid)",
        "does not read app.tenant_id", Severity.CRITICAL),
    "check lets rows move": (
        f"{NO_FLOOR} create policy f on book as restrictive using ({MINE}) with check (true)", "is true for every row",
        Severity.CRITICAL),
    "floor for one role only": (
        f"{NO_FLOOR} create policy f on book as restrictive to app using ({MINE})", "no RESTRICTIVE policy", Severity.CRITICAL),
    "volatile helper": (
        "create function whose() returns uuid language sql volatile as $$ select nullif(current_setting("
        f"'app.tenant_id', true), '')::uuid $$; {NO_FLOOR} create policy f on book as restrictive using (tenant_id = whose())",
        "VOLATILE", Severity.CRITICAL),
    "TRUNCATE granted": ("grant truncate on book to app", "app may TRUNCATE", Severity.CRITICAL),
    "owned by the app": ("alter table book owner to app", "which owns it", Severity.CRITICAL),
    "global unique key": ("create unique index book_title_key on book (title)", "book_title_key lacks tenant_id", Severity.HIGH),
    "single-column foreign key": (
        "create unique index book_id_key on book (book_id); alter table book add column next uuid references book (book_id)",
        "lacks tenant_id, so a row may point", Severity.HIGH),
}  # fmt: skip


@pytest.mark.parametrize("hole", HOLES)
async def test_a_hole_in_one_table_is_told_and_the_others_stay_green(ledger: Ledger, hole: str) -> None:
    sql, words, severity = HOLES[hole]
    for statement in sql.split(";"):
        await ledger.admin(statement)
    findings = await ask(ledger)
    assert findings["book"].verdict is Verdict.FAIL
    assert words in f"{findings['book'].title} {findings['book'].cause}"
    assert findings["book"].severity is severity
    assert findings["book"].fix
    assert findings["reader_card"].verdict is Verdict.PASS


async def test_a_careless_policy_beside_a_sound_floor_is_harmless(ledger: Ledger) -> None:
    await ledger.admin("create policy careless on book to app using (true) with check (true)")
    assert (await ask(ledger))["book"].verdict is Verdict.PASS


async def test_a_role_that_bypasses_every_policy_is_told(ledger: Ledger) -> None:
    await ledger.admin("alter role worker bypassrls")
    try:
        findings = await ask(ledger)
    finally:  # roles belong to the cluster, not to this test's database
        await ledger.admin("alter role worker nobypassrls")
    assert findings["role worker"].verdict is Verdict.FAIL
    assert "BYPASSRLS" in findings["role worker"].cause
    assert findings["role app"].verdict is Verdict.PASS


async def test_tables_nobody_declared_are_told_and_worker_tables_must_be_closed_to_the_app(
    ledger: Ledger,
) -> None:
    await ledger.admin("create table draft (tenant_id uuid, text text)")
    await ledger.admin("create table due (tenant_id uuid)")
    for table in ("draft", "due"):
        await ledger.admin(f"grant select on {table} to app")
    declared = (*ledger.target.manifest.tables, Table(name="due", scope="worker"))
    findings = await ask(ledger, tables=declared)
    assert findings["draft"].verdict is Verdict.FAIL
    assert "Row security is off" in findings["draft"].cause
    assert "not declared" in findings["draft"].cause
    assert "app may read it" in findings["due"].title

    await ledger.admin("revoke select on due from app; ")
    assert "due" not in await ask(ledger, tables=declared)


async def test_views_and_definer_functions_past_row_security_are_told(ledger: Ledger) -> None:
    await ledger.admin("create view open_book as select * from book")
    await ledger.admin("create view safe_book with (security_invoker = true) as select * from book")
    await ledger.admin("create materialized view book_copy as select * from book")
    for view in ("open_book", "safe_book", "book_copy"):
        await ledger.admin(f"grant select on {view} to app")
    await ledger.admin(
        "create function all_books() returns bigint language sql security definer as 'select count(*) from book'"
    )
    findings = await ask(ledger)
    assert findings["open_book"].verdict is Verdict.FAIL
    assert "security_invoker = true" in findings["open_book"].fix
    assert findings["safe_book"].verdict is Verdict.PASS
    assert "copy without policies" in findings["book_copy"].cause
    assert findings["all_books()"].verdict is Verdict.FAIL


async def test_a_stranger_without_row_security_is_not_measured_and_a_declared_table_must_exist(
    ledger: Ledger,
) -> None:
    findings = await ask(ledger, tables=(*ledger.target.manifest.tables, Table(name="gone", scope="shared")))
    assert findings["gone"].verdict is Verdict.INCONCLUSIVE
    for table in ("book", "note", "reader_card"):
        await ledger.admin(f"alter table {table} disable row level security")
    findings = await ask(ledger, tables=())
    assert findings["all"].verdict is Verdict.NOT_MEASURED
    assert "does not use row security" in findings["all"].cause

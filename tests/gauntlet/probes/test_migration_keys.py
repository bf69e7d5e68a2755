"""migrations.keys: green where the tenant comes first and every type is leakproof; each other table is named."""

from __future__ import annotations

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Verdict
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.ledger import Ledger

KEYS = check_named("migrations.keys")


async def ask(ledger: Ledger) -> dict[str, Finding]:
    return by_subject(list(await KEYS.run(ledger.exam(KEYS))))


async def test_tables_with_the_tenant_first_are_green(ledger: Ledger) -> None:
    findings = await ask(ledger)
    assert {"book", "note"} <= set(findings)
    assert {finding.verdict for finding in findings.values()} == {Verdict.PASS}, findings


@pytest.mark.parametrize(
    ("hole", "said"),
    [
        ("create index loose on book (status, tenant_id)", "loose begins with status, not with tenant_id"),
        ("create index loose on book (lower(status), tenant_id)", "loose begins with lower(status)"),
        ("create index leaky on book (tenant_id, price)", "leaky is on price (numeric), which is not leakproof"),
        ("create index leaky on book using gin (to_tsvector('simple', title))", "leaky begins with to_tsvector"),
    ],
)  # fmt: skip
async def test_an_index_that_no_query_under_row_security_can_use_is_found(
    ledger: Ledger, hole: str, said: str
) -> None:
    await ledger.admin(hole)
    finding = (await ask(ledger))["book"]
    assert (finding.verdict, said in finding.title) == (Verdict.FAIL, True), finding


async def test_a_table_without_a_primary_key_is_found_and_an_exclusion_is_left_alone(ledger: Ledger) -> None:
    await ledger.admin("alter table note add column days int4range, add exclude using gist (days with &&)")
    assert (await ask(ledger))["note"].verdict is Verdict.PASS
    await ledger.admin("alter table note drop constraint note_pkey cascade")
    assert "has no primary key" in (await ask(ledger))["note"].title

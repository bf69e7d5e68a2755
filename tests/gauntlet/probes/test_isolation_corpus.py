"""The 24 faults of a stranger's app: the clean schema is green, and each fault is told by its own subject.

Covers: leak_keys, leak_scene, made_up, catalogue_facts, tables.
"""

from __future__ import annotations

import pytest

from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.conftest import by_subject
from tests.support.tenancy import FAULTS, Fault, shop_database, tells


async def test_the_clean_schema_has_no_finding(cluster: PostgresAddress) -> None:
    async with shop_database(cluster.url()) as shop:
        findings = await shop.ask()
        wrong = [f"{f.id}: {f.title} {f.cause}" for f in findings if f.verdict is Verdict.FAIL]
        undecided = [f"{f.id}: {f.cause}" for f in findings if f.verdict is Verdict.INCONCLUSIVE]
        assert (wrong, undecided) == ([], [])
        seen = by_subject(await shop.ask("isolation.two_tenants_sql"))
        assert {"org", "customer", "invoice", "line", "event", "recent_invoice"} == {
            subject for subject, finding in seen.items() if finding.verdict is Verdict.PASS
        }
        tried = seen["invoice"].evidence[0].text
        assert "let a row of its own point to another's customer by invoice_customer" in tried
        assert "no key tells that another has it" in seen["customer"].evidence[0].text
        assert "COPY the table out" in tried


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_each_fault_is_told(cluster: PostgresAddress, fault: Fault) -> None:
    async with shop_database(cluster.url()) as shop:
        await shop.plant(fault.sql)
        findings = await shop.ask()
        told = [
            f"{f.id}: {f.verdict.value} {f.title} {f.cause}"
            for f in findings
            if f.verdict is not Verdict.PASS
        ]
        assert tells(fault, findings, shop), told


async def test_a_notify_with_a_row_in_it_is_told_and_one_with_an_id_is_not(cluster: PostgresAddress) -> None:
    trigger = (
        "create function {name}() returns trigger language plpgsql as $$ begin "
        "perform pg_notify('{name}', {payload}); return new; end $$; "
        "create trigger {name} after insert on invoice for each row execute function {name}()"
    )
    async with shop_database(cluster.url()) as shop:
        await shop.plant(trigger.format(name="tell_row", payload="row_to_json(new)::text"))
        await shop.plant(trigger.format(name="tell_id", payload="new.id::text"))
        failed = [f for f in await shop.ask("isolation.row_security") if f.verdict is Verdict.FAIL]
        assert [f.subject for f in failed] == ["tell_row() tells"]
        assert failed[0].severity is Severity.HIGH


async def test_a_view_behind_a_view_is_told(cluster: PostgresAddress) -> None:
    async with shop_database(cluster.url()) as shop:
        await shop.plant(
            "create view inner_list as select number from invoice; create view outer_list as select * from inner_list"
        )
        await shop.plant("grant select on outer_list to @app")
        failed = [f.subject for f in await shop.ask("isolation.row_security") if f.verdict is Verdict.FAIL]
        assert failed == ["outer_list"]

"""What the database itself refuses, should a query of ours ever forget to."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from shipworthy.kernel.app import migrations_of
from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.migrate import migrate_down, migrate_up
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import Person
from tests.support.app import RunningApp

FROZEN = [
    "update invoice set gross_minor = gross_minor + 1, net_minor = net_minor + 1",
    "update invoice set number = '2026-99999'",
    "update invoice set issue_date = issue_date - 1",
    "update invoice set buyer = '{}'",
    "update invoice set customer_id = gen_random_uuid()",
    "update invoice set status = 'paid', paid_at = now(), note = 'changed'",
    "update invoice_line set net_minor = 1",
    "update invoice_tax set tax_minor = 0",
    "insert into invoice_line (invoice_id, line_no, description, quantity, unit_price, tax_category, tax_rate_bp, net_minor, tax_minor)"
    " select invoice_id, 2, 'late', 1, 1, 'S', 0, 1, 0 from invoice",
]


@pytest.mark.parametrize("statement", FROZEN)
async def test_the_app_role_cannot_change_an_issued_invoice(
    app: RunningApp, acme: Person, statement: str
) -> None:
    await acme.issued()
    before = await everything(app)
    with pytest.raises(Exception, match="row-level security|permission denied"):
        await as_app(app, acme, statement)
    assert await everything(app) == before


@pytest.mark.parametrize("table", ["invoice", "invoice_line", "invoice_tax"])
async def test_deleting_reaches_drafts_only(app: RunningApp, acme: Person, table: str) -> None:
    await acme.issued()
    before = await everything(app)
    draft = await acme.draft()
    deleted = await as_app(app, acme, f"delete from {table} returning invoice_id")
    assert [str(row["invoice_id"]) for row in deleted] == [draft["invoice_id"]]
    kept = [row for row in await everything(app) if str(row["invoice_id"]) != draft["invoice_id"]]
    assert kept == before


@pytest.mark.parametrize("ended", ["paid", "void"])
async def test_an_ended_invoice_cannot_be_reopened(app: RunningApp, acme: Person, ended: str) -> None:
    issued = await acme.issued()
    await acme.post(f"/api/invoices/{issued['invoice_id']}/{'pay' if ended == 'paid' else 'void'}")
    with pytest.raises(Exception, match="row-level security"):
        await as_app(
            app, acme, "update invoice set status = 'open', paid_at = null, voided_at = null, paid_minor = 0"
        )


async def test_a_draft_may_change_and_an_open_one_may_be_paid(app: RunningApp, acme: Person) -> None:
    """The policies let through what they should: a refusal above is not one of everything."""
    await acme.draft()
    await as_app(app, acme, "update invoice set note = 'changed' where status = 'draft'")
    await acme.issued()
    paid = "insert into payment (payment_id, customer_id, currency, amount_minor, allocated_minor, paid_on, method, created_at)"
    await as_app(
        app,
        acme,
        f"{paid} select invoice_id, customer_id, currency, gross_minor, gross_minor, current_date, 'cash', now() from invoice where status = 'open'",
    )
    await as_app(
        app,
        acme,
        "insert into allocation (allocation_id, payment_id, invoice_id, amount_minor, created_at) select payment_id, payment_id, payment_id, amount_minor, now() from payment",
    )
    await as_app(
        app,
        acme,
        "update invoice set status = 'paid', paid_at = now(), paid_minor = gross_minor where status = 'open'",
    )


async def test_amounts_that_do_not_add_up_are_refused(app: RunningApp, acme: Person) -> None:
    await acme.draft()
    with pytest.raises(Exception, match="invoice_adds_up"):
        await as_app(app, acme, "update invoice set gross_minor = gross_minor + 1")


async def test_the_counter_cannot_be_deleted_and_the_worker_writes_documents_only(
    app: RunningApp, acme: Person
) -> None:
    await acme.issued()
    with pytest.raises(Exception, match="permission denied"):
        await as_app(app, acme, "delete from series")
    async with app.role("worker") as database, database.begin(scope(app, acme)) as tx:
        assert len(await tx.raw("select from invoice")) == 1
        with pytest.raises(Exception, match="permission denied"):
            await tx.raw("update invoice set note = 'x'")


async def test_the_migrations_go_down_and_up_again(app: RunningApp) -> None:
    rooms = migrations_of((ROOM,))
    undone = await migrate_down(
        app.url("admin"), rooms, steps=len(list((ROOM.folder / "migrations").glob("*.up.sql")))
    )
    assert undone[-1].label == "invoicing/0001_pre_invoicing"
    tables = await app.admin(
        "select relname from pg_class where relname like 'invoice%' or relname in ('customer', 'series', 'seller_profile')"
    )
    assert tables == []
    await migrate_up(app.url("admin"), rooms)
    assert await app.admin("select from invoice") == []


def scope(app: RunningApp, acme: Person) -> Scope:
    return Scope(app.runtime.realm_id, uuid.UUID(str(acme.tenant_id)))


async def as_app(app: RunningApp, acme: Person, statement: str) -> list[Any]:
    async with app.runtime.database.begin(scope(app, acme)) as tx:
        return await tx.raw(statement)


async def everything(app: RunningApp) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for table in ("invoice", "invoice_line", "invoice_tax"):
        rows += [dict(r) for r in await app.admin(f"select * from {table} order by 1, 2, 3")]
    return rows

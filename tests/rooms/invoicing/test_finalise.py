"""Issuing: once, numbered without gap or double, with its audit row and its job or not at all.

Covers: numbering.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shipworthy.kernel.errors import Busy
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.finalise import finalise
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import LINE, Person, person
from tests.support.app import RunningApp, app_running


async def test_an_issued_invoice_has_a_number_a_date_an_audit_row_and_a_job(
    app: RunningApp, acme: Person
) -> None:
    draft = await acme.draft(payment_days=10)
    answer = await acme.post(f"/api/invoices/{draft['invoice_id']}/finalise")
    year = app.runtime.now().year
    assert answer.json == {
        "invoice_id": draft["invoice_id"],
        "number": f"{year}-00001",
        "status": "open",
        "version": 2,
        "balance_minor": draft["gross_minor"],
    }
    read = (await acme.get(f"/api/invoices/{draft['invoice_id']}")).json
    assert (read["status"], read["number"], read["version"]) == ("open", f"{year}-00001", 2)
    assert read["lines"] == draft["lines"]
    audit = await app.admin("select object_id from audit where action = 'invoice.issued'")
    assert [row["object_id"] for row in audit] == [draft["invoice_id"]]
    jobs = await app.admin("select entrypoint, dedupe_key from pgqueuer")
    assert [(j["entrypoint"], j["dedupe_key"]) for j in jobs] == [
        ("invoice.pdf", f"{acme.tenant_id}:invoice.pdf:{draft['invoice_id']}")
    ]


async def test_issued_twice_is_refused_and_the_same_key_answers_the_same(acme: Person) -> None:
    draft = await acme.draft()
    path = f"/api/invoices/{draft['invoice_id']}/finalise"
    first = await acme.post(path, idempotency_key="once")
    again = await acme.post(path, idempotency_key="once")
    assert (again.status, again.body) == (200, first.body)
    other = await acme.post(path)
    assert (other.status, other.json["code"]) == (409, "invoicing.not_draft")
    assert first.json["number"] in other.json["detail"]


async def test_a_draft_that_changed_since_is_not_issued(acme: Person) -> None:
    draft = await acme.draft()
    path = f"/api/invoices/{draft['invoice_id']}"
    body = {"customer_id": draft["customer_id"], "currency": "EUR", "lines": [LINE, LINE]}
    await acme.send("PUT", path, body, if_match='"1"')
    stale = await acme.post(f"{path}/finalise", if_match='"1"')
    assert (stale.status, stale.json["code"]) == (412, "invoicing.stale")
    assert (await acme.post(f"{path}/finalise", if_match='"2"')).status == 200


async def test_sixteen_at_once_leave_no_gap_and_no_double(app: RunningApp, acme: Person) -> None:
    customer_id = await acme.customer()
    drafts = [await acme.draft(customer_id) for _ in range(64)]
    waiting = list(drafts)
    numbers: list[str] = []

    async def issue() -> None:
        while waiting:
            draft = waiting.pop()
            answer = await acme.post(f"/api/invoices/{draft['invoice_id']}/finalise")
            assert answer.status == 200, answer.text
            numbers.append(answer.json["number"])

    await asyncio.gather(*(issue() for _ in range(16)))
    year = app.runtime.now().year
    assert sorted(numbers) == [f"{year}-{n:05d}" for n in range(1, 65)]


async def test_one_draft_issued_sixteen_times_at_once_gets_one_number(acme: Person) -> None:
    draft = await acme.draft()
    path = f"/api/invoices/{draft['invoice_id']}/finalise"
    answers = await asyncio.gather(*(acme.post(path) for _ in range(16)))
    assert sorted(a.status for a in answers) == [200] + [409] * 15
    following = await acme.issued(draft["customer_id"])
    assert following["number"].endswith("-00002")


async def test_a_rollback_after_the_number_was_taken_leaves_no_gap_no_job_and_no_audit(
    app: RunningApp, acme: Person
) -> None:
    first, second = await acme.draft(), await acme.draft()
    ctx = app.ctx(tenant_id=acme.tenant_id)
    with pytest.raises(Busy):
        async with ctx.begin() as tx:
            ctx.tx = tx
            taken = await finalise(ctx, first["invoice_id"], version=None)
            raise Busy("test.rolled_back", "The power went out.")
    assert taken.number.endswith("-00001")
    assert await app.admin("select from pgqueuer") == []
    assert await app.admin("select from audit where action = 'invoice.issued'") == []
    assert (await acme.get(f"/api/invoices/{first['invoice_id']}")).json == first
    numbers = [
        (await acme.post(f"/api/invoices/{d['invoice_id']}/finalise")).json["number"] for d in (second, first)
    ]
    assert [n[-5:] for n in numbers] == ["00001", "00002"]


async def test_tenants_count_for_themselves(app: RunningApp, acme: Person) -> None:
    globex = await person(app, "Globex")
    assert [(await p.issued())["number"][-5:] for p in (acme, globex, acme)] == ["00001", "00001", "00002"]


async def test_each_year_of_issue_counts_from_one_in_the_tenants_time_zone(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    clock = [datetime(2026, 12, 31, 22, 30, tzinfo=UTC)]
    async with app_running(cluster, (ROOM,), tmp_path, now=lambda: clock[0]) as app:
        acme = await person(app)
        customer_id = await acme.customer()
        old = [(await acme.issued(customer_id))["number"] for _ in range(2)]
        clock[0] = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)  # the new year has begun in Berlin
        new = await acme.issued(customer_id, payment_days=1)
        read = (await acme.get(f"/api/invoices/{new['invoice_id']}")).json
    assert old == ["2026-00001", "2026-00002"]
    assert new["number"] == "2027-00001"
    assert (read["issue_date"], read["due_date"]) == ("2027-01-01", "2027-01-02")


async def test_past_99999_a_number_grows_a_digit(app: RunningApp, acme: Person) -> None:
    customer_id = await acme.customer()
    await acme.issued(customer_id)
    await app.admin("update series set next_seq = 99999")
    numbers = [(await acme.issued(customer_id))["number"] for _ in range(2)]
    assert [n.partition("-")[2] for n in numbers] == ["99999", "100000"]


async def test_the_buyer_is_frozen_as_on_the_day_of_issue(app: RunningApp, acme: Person) -> None:
    issued = await acme.issued(await acme.customer("Old Name"))
    await app.admin("update customer set name = 'New Name'")
    page = await acme.get(f"/invoices/{issued['invoice_id']}")
    assert "<b>Old Name</b>" in page.text

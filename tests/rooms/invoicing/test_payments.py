"""Money that comes: in part, in full, too much, twice, taken back, and twenty at once.

Covers: payment_screens.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.test_frozen import as_app
from tests.support.app import RunningApp

GROSS = 16_958  # of the one line of `issued`


async def pays(who: Person, invoice: dict[str, Any], amount_minor: int, **more: Any) -> Any:
    answer = await who.post(
        "/api/payments", {"invoice_id": invoice["invoice_id"], "amount_minor": amount_minor, **more}
    )
    assert answer.status in (200, 201), answer.text
    return answer.json


async def read(who: Person, invoice: dict[str, Any]) -> Any:
    return (await who.get(f"/api/invoices/{invoice['invoice_id']}")).json


async def test_a_part_leaves_a_balance_and_the_rest_pays_the_invoice(app: RunningApp, acme: Person) -> None:
    issued = await acme.issued()
    first = await pays(acme, issued, 6_958)
    assert (first["allocated_minor"], first["invoice"]["status"], first["invoice"]["balance_minor"]) == (
        6_958,
        "open",
        10_000,
    )
    second = await pays(acme, issued, 10_000)
    assert (second["invoice"]["status"], second["rest_minor"]) == ("paid", 0)
    now = await read(acme, issued)
    assert (now["paid_minor"], now["balance_minor"], now["paid_at"] is None) == (GROSS, 0, False)
    more = await acme.post("/api/payments", {"invoice_id": issued["invoice_id"], "amount_minor": 1})
    assert (more.status, more.json["code"]) == (409, "invoicing.not_open")
    actions = await app.admin("select action from audit order by audit_id")
    assert [row["action"] for row in actions][-3:] == ["payment.recorded", "payment.recorded", "invoice.paid"]


async def test_what_came_too_much_is_credit_and_settles_another_invoice(acme: Person) -> None:
    customer_id = await acme.customer()
    first = await acme.issued(customer_id)
    paid = await pays(acme, first, GROSS + 5_000)
    assert (paid["allocated_minor"], paid["rest_minor"]) == (GROSS, 5_000)
    second = await acme.issued(customer_id)
    assert "Use the credit" in (await acme.get(f"/invoices/{second['invoice_id']}")).text
    some = await acme.post(f"/api/invoices/{second['invoice_id']}/use-credit", {"amount_minor": 2_000})
    assert some.json["balance_minor"] == GROSS - 2_000
    used = await acme.post(f"/api/invoices/{second['invoice_id']}/use-credit", {})
    assert (used.json["status"], used.json["balance_minor"]) == ("open", GROSS - 5_000)
    again = await acme.post(f"/api/invoices/{second['invoice_id']}/use-credit", {})
    assert (again.status, again.json["code"]) == (409, "invoicing.no_credit")
    payment = (await acme.get(f"/api/payments/{paid['payment_id']}")).json
    assert [part["amount_minor"] for part in payment["allocations"]] == [GROSS, 2_000, 3_000]
    abroad = await acme.issued(customer_id, currency="USD")
    other = await acme.post(
        "/api/payments", {"customer_id": customer_id, "currency": "EUR", "amount_minor": 9}
    )
    assert other.json["rest_minor"] == 9
    refused = await acme.post(f"/api/invoices/{abroad['invoice_id']}/use-credit", {})
    assert refused.json["code"] == "invoicing.no_credit"


async def test_a_payment_taken_back_reopens_what_it_settled_once(app: RunningApp, acme: Person) -> None:
    customer_id = await acme.customer()
    one, two = await acme.issued(customer_id), await acme.issued(customer_id)
    paid = await pays(acme, one, GROSS + 100)
    await acme.post(f"/api/invoices/{two['invoice_id']}/use-credit", {})
    path = f"/api/payments/{paid['payment_id']}/reverse"
    with pytest.raises(Exception, match="payment_allocated_once"):
        await as_app(app, acme, "update payment set allocated_minor = amount_minor + 1")
    back = await acme.post(path, {"reason": "bounced"})
    assert (back.json["rest_minor"], back.json["reversal_reason"]) == (0, "bounced")
    for invoice in (one, two):
        now = await read(acme, invoice)
        assert (now["status"], now["paid_minor"], now["paid_at"]) == ("open", 0, None)
    again = await acme.post(path, {"reason": ""})
    assert (again.status, again.json["code"]) == (409, "invoicing.payment_reversed")
    missing = await acme.post(f"/api/payments/{uuid.uuid4()}/reverse", {})
    assert missing.status == 404
    assert await as_app(app, acme, "update payment set reversed_at = null returning payment_id") == []


async def test_the_same_line_of_a_statement_is_one_payment(acme: Person) -> None:
    issued = await acme.issued()
    line = {"source_type": "camt.053", "source_id": "2026-11-03/7"}
    answers = await asyncio.gather(*(pays(acme, issued, 100, **line) for _ in range(8)))
    assert len({answer["payment_id"] for answer in answers}) == 1
    assert sorted(answer["is_new"] for answer in answers) == [False] * 7 + [True]
    assert (await read(acme, issued))["paid_minor"] == 100
    other = await acme.post(
        "/api/payments", {"invoice_id": issued["invoice_id"], "amount_minor": 101, **line}
    )
    assert (other.status, other.json["code"]) == (409, "invoicing.source_taken")
    half = await acme.post(
        "/api/payments", {"invoice_id": issued["invoice_id"], "amount_minor": 1, "source_type": "camt.053"}
    )
    assert "source_id" in half.json["fields"]


async def test_twenty_at_once_never_allocate_more_than_is_owed(app: RunningApp, acme: Person) -> None:
    customer_id = await acme.customer()
    issued = await acme.issued(customer_id)
    paid = await pays(acme, issued, GROSS - 8_000)
    wanted = [pays_or_is_late(acme, issued, 1_000) for _ in range(18)]
    reversal = acme.post(f"/api/payments/{paid['payment_id']}/reverse", {})
    credit = acme.post(f"/api/invoices/{issued['invoice_id']}/use-credit", {})
    await asyncio.gather(*wanted, reversal, credit)
    assert await wrongly_settled(app) == []
    assert (await read(acme, issued))["balance_minor"] >= 0


async def pays_or_is_late(who: Person, invoice: dict[str, Any], amount_minor: int) -> None:
    body = {"invoice_id": invoice["invoice_id"], "amount_minor": amount_minor}
    assert (await who.post("/api/payments", body)).status in (201, 409)


async def wrongly_settled(app: RunningApp) -> list[Any]:
    """Invoices and payments whose sums are not those of their allocations."""
    return await app.admin(
        """
        select i.invoice_id from invoice i where (i.paid_minor, i.credited_minor) <> (
          select coalesce(sum(amount_minor) filter (where payment_id is not null), 0)::bigint,
            coalesce(sum(amount_minor) filter (where credit_note_id is not null), 0)::bigint
          from allocation a where a.undone_at is null and i.invoice_id in (a.invoice_id, a.credit_note_id))
        union all
        select p.payment_id from payment p where p.allocated_minor <> (
          select coalesce(sum(amount_minor), 0) from allocation a where a.undone_at is null and a.payment_id = p.payment_id)
        """
    )


async def test_what_cannot_be_paid_is_said(app: RunningApp, acme: Person) -> None:
    draft, issued = await acme.draft(), await acme.issued()
    early = await acme.post("/api/payments", {"invoice_id": draft["invoice_id"], "amount_minor": 1})
    assert early.json["code"] == "invoicing.not_issued"
    tomorrow = (app.runtime.now() + timedelta(days=2)).date().isoformat()
    body = {"invoice_id": issued["invoice_id"], "paid_on": tomorrow, "currency": "USD"}
    refused = await acme.post("/api/payments", {**body, "customer_id": str(uuid.uuid4())})
    assert set(refused.json["fields"]) == {"paid_on", "currency", "customer_id"}
    alone = await acme.post("/api/payments", {"amount_minor": 1})
    assert set(alone.json["fields"]) == {"customer_id", "currency"}
    neighbour = await person(app, "Globex")
    for path in ("/api/payments", f"/api/invoices/{issued['invoice_id']}/use-credit"):
        foreign = await neighbour.post(path, {"invoice_id": issued["invoice_id"], "amount_minor": 1})
        assert foreign.status in (404, 422)
    paid = await pays(acme, issued, 1)
    assert (await neighbour.get(f"/api/payments/{paid['payment_id']}")).status == 404
    assert (await neighbour.get("/api/payments")).json["payments"] == []


async def test_a_partly_paid_invoice_is_not_void_and_nothing_is_paid_without_an_allocation(
    app: RunningApp, acme: Person
) -> None:
    issued = await acme.issued()
    await pays(acme, issued, 1)
    refused = await acme.post(f"/api/invoices/{issued['invoice_id']}/void")
    assert (refused.status, refused.json["code"]) == (409, "invoicing.settled_in_part")
    for change in ("paid_minor = 2", "status = 'paid', paid_at = now(), paid_minor = gross_minor"):
        with pytest.raises(Exception, match="row-level security"):
            await as_app(app, acme, f"update invoice set {change}")
    with pytest.raises(Exception, match="permission denied"):
        await as_app(app, acme, "delete from allocation")


async def test_a_total_of_nothing_is_paid_at_once_and_one_below_is_not_issued(acme: Person) -> None:
    line = {"description": "Free", "quantity": "1", "unit_price": "0", "tax_rate_bp": 0}
    assert (await acme.issued(lines=[line]))["status"] == "paid"
    draft = await acme.draft(lines=[{**line, "quantity": "-1", "unit_price": "5"}])
    refused = await acme.post(f"/api/invoices/{draft['invoice_id']}/finalise")
    assert (refused.status, refused.json["code"]) == (409, "invoicing.total_negative")


async def test_the_pages_record_list_show_and_take_back(app: RunningApp, acme: Person) -> None:
    issued = await acme.issued()
    form = f"/invoices/{issued['invoice_id']}/payments"
    assert 'value="169.58"' in (await acme.get(f"{form}/new")).text
    wrong = await acme.submit(form, amount="12,5", paid_on="soon", reference="R-7")
    assert wrong.status == 422
    for said in ("has a comma", "There is no such day", 'value="R-7"'):
        assert said in wrong.text
    today = app.runtime.now().date().isoformat()
    done = await acme.submit(form, amount="200", paid_on=today, reference="R-7")
    assert done.status == 303
    page = await acme.get(f"/invoices/{issued['invoice_id']}")
    assert "Still owed" in page.text
    assert "R-7" in page.text
    listed = await acme.get("/payments")
    assert "Credit left" in listed.text
    (payment,) = (await acme.get("/api/payments")).json["payments"]
    path = f"/payments/{payment['payment_id']}"
    assert "€30.42" in (await acme.get(path)).text
    assert (await acme.submit(f"{path}/reverse", reason="bounced")).status == 303
    assert "Reversed" in (await acme.get(path)).text
    assert (await acme.submit(f"/invoices/{issued['invoice_id']}/use-credit")).status == 409

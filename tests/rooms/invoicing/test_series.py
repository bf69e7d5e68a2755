"""Series: how numbers read, where they begin, which policy they keep; closed books; the auditor's report.

Covers: series_web.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.test_frozen import as_app
from tests.support.app import RunningApp

INVOICES = {"series_id": "invoice", "prefix": "INV/", "digits": 3, "per": "month", "policy": "gapless"}


def days_ago(app: RunningApp, days: int) -> str:
    return (app.runtime.now() - timedelta(days=days)).date().isoformat()


async def issue(who: Person, customer_id: str, issue_date: str = "") -> Any:
    draft = await who.draft(customer_id)
    query = f"?issue_date={issue_date}" if issue_date else ""
    return await who.post(f"/api/invoices/{draft['invoice_id']}/finalise{query}")


async def test_numbers_read_as_the_tenant_says_and_begin_where_it_says(app: RunningApp, acme: Person) -> None:
    saved = await acme.send("PUT", "/api/numbers", {**INVOICES, "opening_seq": 41})
    assert saved.status == 200, saved.text
    customer_id = await acme.customer()
    numbers = [(await issue(acme, customer_id)).json["number"] for _ in range(2)]
    month = app.runtime.now().strftime("%Y%m")
    assert numbers == [f"INV/{month}-041", f"INV/{month}-042"]
    for change in ({"opening_seq": 1}, {"opening_seq": 41, "policy": "unique_only"}):
        refused = await acme.send("PUT", "/api/numbers", {**INVOICES, **change})
        assert (refused.status, refused.json["code"]) == (409, "invoicing.series_in_use")
    same = await acme.send("PUT", "/api/numbers", {**INVOICES, "series_id": "credit_note"})
    assert list(same.json["fields"]) == ["prefix"]
    digits = await acme.send("PUT", "/api/numbers", {**INVOICES, "prefix": "A1", "opening_seq": 41})
    assert list(digits.json["fields"]) == ["prefix"]
    never = {**INVOICES, "prefix": "", "per": "none", "opening_seq": 41, "digits": 5}
    await acme.send("PUT", "/api/numbers", never)
    assert (await issue(acme, customer_id)).json["number"] == "00041"
    report = (await acme.get("/api/numbers/audit")).json
    assert report["is_sound"]
    assert [(row["numbers"], row["missing"]) for row in report["series"]] == [(2, 0), (1, 0)]


async def test_a_series_by_date_refuses_a_day_before_its_last(app: RunningApp, acme: Person) -> None:
    customer_id = await acme.customer()
    assert (await issue(acme, customer_id)).status == 200
    back = days_ago(app, 1)
    assert (await issue(acme, customer_id, back)).status == 200  # without gaps, in any order
    await acme.send("PUT", "/api/numbers", {"series_id": "invoice", "policy": "gapless_chronological"})
    report = (await acme.get("/api/numbers/audit")).json
    assert (report["series"][0]["dates_back"], report["is_sound"]) in ((1, False), (0, True))  # 1 January
    refused = await issue(acme, customer_id, back)
    if back[:4] == days_ago(app, 0)[:4]:
        assert (refused.status, refused.json["code"]) == (409, "invoicing.date_before_last")
    assert (await issue(acme, customer_id)).status == 200
    early = await issue(acme, customer_id, days_ago(app, -3))
    assert (early.status, early.json["code"]) == (422, "invoicing.date_to_come")


async def test_unique_numbers_wait_for_nobody_and_are_never_twice(app: RunningApp, acme: Person) -> None:
    rule = {"series_id": "invoice", "policy": "unique_only", "opening_seq": 7}
    await acme.send("PUT", "/api/numbers", rule)
    customer_id = await acme.customer()
    held, other = await acme.draft(customer_id), await acme.draft(customer_id)
    ctx = app.ctx(tenant_id=acme.tenant_id)
    async with ctx.begin() as tx:  # holds a number and commits it late
        drawn = await tx.raw("select series_draw('invoice') as seq")
        done = await acme.post(f"/api/invoices/{other['invoice_id']}/finalise")
    assert (drawn[0]["seq"], done.json["number"][-5:]) == (7, "00008")
    answers = await asyncio.gather(*(issue(acme, customer_id) for _ in range(8)))
    assert len({answer.json["number"] for answer in answers}) == 8
    await acme.post(f"/api/invoices/{held['invoice_id']}/finalise")
    report = (await acme.get("/api/numbers/audit")).json
    assert report["is_sound"]
    globex = await person(app, "Globex")
    await globex.send("PUT", "/api/numbers", {**rule, "opening_seq": 1})
    assert (await issue(globex, await globex.customer())).json["number"].endswith("-00001")
    with pytest.raises(Exception, match="permission denied"):
        await as_app(app, acme, "create sequence series_mine")


async def test_a_gap_and_a_date_going_back_are_reported(app: RunningApp, acme: Person) -> None:
    customer_id = await acme.customer()
    for _ in range(4):
        await issue(acme, customer_id)
    await app.admin("delete from invoice where seq in (2, 3)")  # past row security, as a careless superuser
    await app.admin("update invoice set issue_date = issue_date - 9 where seq = 4")
    report = (await acme.get("/api/numbers/audit")).json
    (row,) = report["series"]
    assert (row["missing"], row["dates_back"], row["is_sound"], report["is_sound"]) == (2, 1, False, False)
    assert [(gap["first_missing"], gap["last_missing"]) for gap in report["gaps"]] == [(2, 3)]
    page = (await acme.get("/numbers")).text
    assert "Look at it" in page
    assert "2 to 3" in page


async def test_nothing_is_dated_into_closed_books(app: RunningApp, acme: Person) -> None:
    customer_id = await acme.customer()
    issued = (await issue(acme, customer_id)).json
    refused = await acme.send("PUT", "/api/numbers/books", {"closed_until": days_ago(app, -1)})
    assert list(refused.json["fields"]) == ["closed_until"]
    closed = days_ago(app, 3)
    assert (await acme.send("PUT", "/api/numbers/books", {"closed_until": closed})).status == 200
    late = await issue(acme, customer_id, closed)
    assert (late.status, late.json["code"]) == (409, "invoicing.books_closed")
    assert closed in late.json["detail"]
    payment = {"invoice_id": issued["invoice_id"], "amount_minor": 1, "paid_on": closed}
    unpaid = await acme.post("/api/payments", payment)
    assert (unpaid.status, unpaid.json["code"]) == (409, "invoicing.books_closed")
    assert (await acme.post("/api/payments", {**payment, "paid_on": days_ago(app, 2)})).status == 201
    assert (await issue(acme, customer_id, days_ago(app, 2))).status == 200
    with pytest.raises(Exception, match="row-level security"):
        await as_app(
            app,
            acme,
            "insert into payment (payment_id, customer_id, currency, amount_minor, paid_on, method, created_at)"
            f" select gen_random_uuid(), customer_id, 'EUR', 1, '{closed}', 'cash', now() from customer",
        )
    opened = await acme.send("PUT", "/api/numbers/books", {"closed_until": None})
    assert opened.json == {"closed_until": None}
    assert (await issue(acme, customer_id, closed)).status == 200
    neighbour = await person(app, "Globex")
    assert (await neighbour.get("/api/numbers")).json["closed_until"] is None


async def test_the_screen_saves_refuses_and_leaves_it_to_owners(app: RunningApp, acme: Person) -> None:
    form = {"series_id": "invoice", "digits": "4", "per": "year", "policy": "gapless", "opening_seq": "12"}
    assert (await acme.submit("/numbers", prefix="R-", **form)).status == 303
    page = (await acme.get("/numbers")).text
    assert f"R-{app.runtime.now().year}-0012" in page
    wrong = await acme.submit("/numbers", prefix="R9", **form)
    assert wrong.status == 422
    assert 'value="R9"' in wrong.text
    assert (await acme.submit("/numbers/books", closed_until="soon")).status == 422
    assert (await acme.submit("/numbers/books", closed_until=days_ago(app, 40))).status == 303
    member = await person(app, role="member", tenant_id=acme.tenant_id)
    assert "Only an owner" in (await member.get("/numbers")).text
    assert (await member.submit("/numbers", prefix="X-", **form)).status == 403


async def test_a_number_that_another_series_wrote_before_is_not_written_again(acme: Person) -> None:
    customer_id = await acme.customer()
    one = (await issue(acme, customer_id)).json
    await acme.send("PUT", "/api/numbers", {"series_id": "invoice", "prefix": "R-"})
    await acme.send("PUT", "/api/numbers", {"series_id": "credit_note", "prefix": ""})
    refused = await acme.post(f"/api/invoices/{one['invoice_id']}/credit-notes", {})
    assert (refused.status, refused.json["code"]) == (409, "invoicing.number_taken")
    assert (await acme.get(f"/api/invoices/{one['invoice_id']}")).json["credited_minor"] == 0

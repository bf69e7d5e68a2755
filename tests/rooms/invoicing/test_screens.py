"""The screens, as a browser uses them: pages, forms, their refusals, and who sees which button.

Covers: forms, permissions.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import LINE, Person, person
from tests.support.app import RunningApp, app_running

FORM = {
    "currency": "EUR",
    "payment_days": "14",
    "lines__0__description": "Kitchen tap",
    "lines__0__quantity": "2",
    "lines__0__unit_price": "149.90",
    "lines__0__tax": "S:1900",
    "lines__1__description": "",
    "lines__1__quantity": "",
    "lines__1__unit_price": "",
    "lines__1__tax": "S:1900",
    "lines__2__description": "Handbook",
    "lines__2__quantity": "",
    "lines__2__unit_price": "19.99",
    "lines__2__tax": "S:700",
}


async def test_a_form_makes_a_draft_and_blank_lines_do_not_count(acme: Person) -> None:
    sent = await acme.submit("/invoices", customer_id=await acme.customer(), **FORM)
    assert sent.status == 303
    page = await acme.get(str(sent.header("location")))
    assert page.status == 200
    assert "€378.15" in page.text
    (row,) = (await acme.get("/api/invoices")).json["invoices"]
    draft = (await acme.get(f"/api/invoices/{row['invoice_id']}")).json
    assert [(line["description"], line["quantity"]) for line in draft["lines"]] == [
        ("Kitchen tap", "2"),
        ("Handbook", "1"),
    ]


async def test_a_refused_form_comes_back_with_what_was_typed_and_every_error(acme: Person) -> None:
    await acme.customer()
    wrong = {**FORM, "lines__2__unit_price": "19,99", "payment_days": "soon", "supply_date": "2026-02-30"}
    sent = await acme.submit("/invoices", customer_id="", note="<b>keep me</b>", **wrong)
    assert sent.status == 422
    for kept in ('value="19,99"', 'value="soon"', "&lt;b&gt;keep me", "Kitchen tap"):
        assert kept in sent.text.replace("&#x2f;", "/"), kept
    for said in ("Line 2, unit price", "has a comma", "Choose one of your customers", "There is no such day"):
        assert said in sent.text, said
    assert (await acme.get("/api/invoices")).json["invoices"] == []


async def test_a_form_sent_twice_makes_one_draft(acme: Person) -> None:
    fields = {"customer_id": await acme.customer(), **{k.replace("__", "-"): v for k, v in FORM.items()}}
    form = {"_idempotency_key": "pressed-twice", **fields}
    answers = [await acme.client.post("/invoices", form=form) for _ in range(2)]
    assert [a.status for a in answers] == [303, 303]
    assert answers[0].header("location") == answers[1].header("location")
    assert len((await acme.get("/api/invoices")).json["invoices"]) == 1


async def test_a_stale_form_comes_back_with_the_entries_and_then_saves(acme: Person) -> None:
    draft = await acme.draft()
    path = f"/invoices/{draft['invoice_id']}"
    shown = await acme.get(f"{path}/edit")
    assert 'value="95.00"' in shown.text
    entries = {"customer_id": draft["customer_id"], **FORM}
    assert (await acme.submit(path, version="1", **entries)).status == 303
    stale = await acme.submit(path, version="1", **{**entries, "lines__0__description": "Mine"})
    assert stale.status == 412
    assert "Somebody else changed this draft" in stale.text
    assert 'value="Mine"' in stale.text
    assert 'name="version" value="2"' in stale.text
    assert (
        await acme.submit(path, version="2", **{**entries, "lines__0__description": "Mine"})
    ).status == 303


async def test_the_sums_follow_what_is_typed_so_far(acme: Person) -> None:
    typed = {**FORM, "lines__0__description": "", "lines__2__unit_price": "19,9"}
    sums = await acme.submit("/invoices/preview", **typed)
    assert sums.status == 200
    assert "€356.76" in sums.text  # the line with a comma waits
    nothing = await acme.submit("/invoices/preview", currency="EUR")
    assert "€" not in nothing.text
    assert (await acme.get("/api/invoices")).json["invoices"] == []


async def test_a_draft_is_issued_paid_and_voided_by_its_buttons(acme: Person) -> None:
    first, second = await acme.draft(), await acme.draft()
    for draft, verb, word in ((first, "pay", "Paid"), (second, "void", "Void")):
        path = f"/invoices/{draft['invoice_id']}"
        assert "Issue invoice" in (await acme.get(path)).text
        assert (await acme.submit(f"{path}/finalise", version="1")).status == 303
        issued = await acme.get(path)
        assert "PDF is being made" in issued.text
        assert "Issue invoice" not in issued.text
        assert (await acme.submit(f"{path}/{verb}", version="1")).status == 412
        assert (await acme.submit(f"{path}/{verb}", version="2")).status == 303
        assert word in (await acme.get(path)).text
    assert (await acme.get(f"/invoices/{first['invoice_id']}/edit")).status == 409


async def test_a_draft_is_deleted_by_its_button(acme: Person) -> None:
    draft = await acme.draft()
    deleted = await acme.submit(f"/invoices/{draft['invoice_id']}/delete", version="1")
    assert deleted.header("location") == "/invoices"
    assert (await acme.get(f"/invoices/{draft['invoice_id']}")).status == 404


async def test_the_pdf_part_changes_when_the_job_is_done(acme: Person) -> None:
    issued = await acme.issued()
    part = f"/invoices/{issued['invoice_id']}/document"
    assert "being made" in (await acme.get(part)).text
    await acme.run_jobs(issued["invoice_id"])
    done = (await acme.get(part)).text
    assert f"/api/invoices/{issued['invoice_id']}/pdf" in done.replace("&#x2f;", "/")


async def test_the_list_shows_states_counts_and_the_way_on(app: RunningApp, acme: Person) -> None:
    empty = await acme.get("/invoices")
    assert "No invoices yet" in empty.text
    customer_id = await acme.customer("Kiosk <script>")
    await asyncio.gather(*(acme.draft(customer_id) for _ in range(26)))
    await acme.issued(customer_id)
    page = await acme.get("/invoices")
    assert "Kiosk &lt;script&gt;" in page.text
    assert re.search(r'Draft <span class="count">26</span>', page.text)
    onward = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert onward is not None
    second = await acme.get(onward[1].replace("&#x2f;", "/").replace("&amp;", "&"))
    assert second.text.count("<tr") == 1 + 2
    assert 'rel="prev"' in second.text
    assert "No paid invoices" in (await acme.get("/invoices?status=paid")).text


async def test_an_open_invoice_is_overdue_from_the_day_after_it_was_due(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    clock = [datetime(2026, 3, 1, 12, tzinfo=UTC)]
    async with app_running(cluster, (ROOM,), tmp_path, now=lambda: clock[0]) as app:
        acme = await person(app)
        issued = await acme.issued(payment_days=1)
        pages = ("/invoices", f"/invoices/{issued['invoice_id']}", f"/customers/{issued['customer_id']}")
        clock[0] = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)  # 23:30 of the due day in Berlin
        assert ['danger">Overdue' in (await acme.get(p)).text for p in pages] == [False] * 3
        clock[0] = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
        assert ['danger">Overdue' in (await acme.get(p)).text for p in pages] == [True] * 3


async def test_customers_are_added_and_shown_with_their_invoices(acme: Person) -> None:
    assert "No customers yet" in (await acme.get("/customers")).text
    assert "Add a customer first" in (await acme.get("/invoices/new")).text
    refused = await acme.submit("/customers", name="", email="x", country="DE")
    assert (refused.status, 'value="x"' in refused.text) == (422, True)
    added = await acme.submit("/customers", name="Kiosk", email="", country="de")
    page = str(added.header("location"))
    customer_id = page.rpartition("/")[2]
    await acme.draft(customer_id)
    shown = (await acme.get(page)).text
    assert "Kiosk" in shown
    assert "€169.58" in shown
    prefilled = (await acme.get(f"/invoices/new?customer_id={customer_id}")).text
    assert re.search(rf'value="{customer_id}" selected', prefilled)
    assert "Kiosk" in (await acme.get("/customers")).text


async def test_a_customer_beyond_the_list_of_choices_can_still_be_billed(
    app: RunningApp, acme: Person
) -> None:
    await app.admin(
        "insert into customer (tenant_id, customer_id, name, created_at)"
        " select $1, gen_random_uuid(), 'A' || n, now() from generate_series(1, 200) as n",
        acme.tenant_id,
    )
    customer_id = await acme.customer("Zuletzt")
    assert "Zuletzt" not in (await acme.get("/invoices/new")).text
    assert "Zuletzt" in (await acme.get(f"/invoices/new?customer_id={customer_id}")).text
    globex = await person(app, "Globex")
    await globex.customer("Ours")
    assert "Zuletzt" not in (await globex.get(f"/invoices/new?customer_id={customer_id}")).text
    assert (await acme.get("/invoices/new?customer_id=nonsense")).status == 200


async def test_a_viewer_sees_no_button_that_changes_something(app: RunningApp, acme: Person) -> None:
    viewer = await person(app, role="viewer", tenant_id=acme.tenant_id)
    draft = await acme.draft()
    path = f"/invoices/{draft['invoice_id']}"
    assert "Issue invoice" in (await acme.get(path)).text
    assert "Issue invoice" not in (await viewer.get(path)).text
    assert "New invoice" not in (await viewer.get("/invoices")).text
    assert (await viewer.get("/invoices/new")).status == 403
    assert (await viewer.submit(f"{path}/finalise")).status == 403


@pytest.mark.parametrize("field", ["version", "customer_id", "lines__0__tax", "currency", "payment_days"])
@pytest.mark.parametrize("value", ["99999999999999999999", "-1", "\x00", "S:99999999999", "ß", "½"])
async def test_no_tampered_field_crashes(acme: Person, field: str, value: str) -> None:
    draft = await acme.draft()
    fields = {"customer_id": draft["customer_id"], **FORM, field: value}
    for path in ("/invoices", "/invoices/preview", f"/invoices/{draft['invoice_id']}"):
        assert (await acme.submit(path, **fields)).status < 500
    assert (await acme.submit(f"/invoices/{draft['invoice_id']}/finalise", version=value)).status < 500


async def test_without_script_there_are_lines_to_write_on(acme: Person) -> None:
    await acme.customer()
    form = (await acme.get("/invoices/new")).text
    static = form.partition("<noscript")[2].partition("</noscript>")[0]
    assert 'name="lines-1-description"' in static
    assert 'name="lines-2-description"' in static
    assert "required" not in static
    draft = await acme.draft(lines=[LINE, LINE])
    edited = (await acme.get(f"/invoices/{draft['invoice_id']}/edit")).text
    assert 'name="lines-2-description"' in edited.partition("<noscript")[2]

"""Discounts and charges through the API and the form: agreed, added up, shown, refused by name.

Covers: credit.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from tests.rooms.invoicing.conftest import LINE, Person, person
from tests.rooms.invoicing.test_frozen import as_app
from tests.support.app import RunningApp

DESK = {"description": "Desk", "quantity": "2", "unit_price": "100.00", "tax_rate_bp": 1900}
BOOK = {"description": "Book", "quantity": "1", "unit_price": "50.00", "tax_rate_bp": 700}
TENTH = {"kind": "discount", "percent_bp": 1000, "reason": "Loyalty"}
FREIGHT = {"kind": "charge", "amount_minor": 595, "tax_rate_bp": 1900, "reason": "Freight"}


async def test_a_draft_says_what_was_agreed_and_what_it_comes_to(acme: Person) -> None:
    lines = [{**DESK, "change": {"kind": "discount", "amount_minor": 2000, "reason": "Scratched"}}, BOOK]
    draft = await acme.draft(lines=lines, changes=[TENTH, FREIGHT])
    assert draft["lines"][0]["change"] == {
        "kind": "discount", "reason": "Scratched", "percent_bp": None, "base_minor": 20_000, "amount_minor": 2_000,
    }  # fmt: skip
    assert [line["net_minor"] for line in draft["lines"]] == [18_000, 5_000]
    assert [part["amount_minor"] for part in draft["changes"][0]["parts"]] == [500, 1_800]
    assert draft["taxes"] == [
        {"tax_category": "S", "tax_rate_bp": 1900, "base_minor": 16_795, "tax_minor": 3_191},
        {"tax_category": "S", "tax_rate_bp": 700, "base_minor": 4_500, "tax_minor": 315},
    ]
    assert (draft["net_minor"], draft["gross_minor"]) == (21_295, 24_801)
    assert (await acme.get(f"/api/invoices/{draft['invoice_id']}")).json == draft


async def test_prices_that_include_their_tax_are_what_is_asked_for(acme: Person) -> None:
    lines = [{**LINE, "quantity": "3", "unit_price": "9.99"}]
    draft = await acme.draft(lines=lines, prices_include_tax=True)
    assert (draft["net_minor"], draft["tax_minor"], draft["gross_minor"]) == (2518, 479, 2997)
    page = (await acme.get(f"/invoices/{draft['invoice_id']}")).text
    assert "With tax" in page
    assert "of which: Tax 19% on €25.18" in page
    body = {"customer_id": draft["customer_id"], "currency": "EUR", "lines": lines}
    dear = await acme.send("PUT", f"/api/invoices/{draft['invoice_id']}", body, if_match='"1"')
    assert dear.json["gross_minor"] == 3566, "without the word, the tax is put on"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"lines": [{**DESK, "change": {"kind": "discount", "percent_bp": 10_001}}]}, "lines[0].change"),
    ({"lines": [{**DESK, "change": {"kind": "discount", "percent_bp": 12.5}}]}, "lines[0].change"),
    ({"lines": [{**DESK, "change": {"kind": "gift", "percent_bp": 1}}]}, "lines[0].change"),
    ({"lines": [{**DESK, "change": {"kind": "discount"}}]}, "lines[0].change"),
    (
        {"lines": [{**DESK, "change": {"kind": "charge", "percent_bp": 1, "amount_minor": 1}}]},
        "lines[0].change",
    ),
    ({"lines": [BOOK, {**DESK, "change": {"kind": "discount", "amount_minor": 20_001}}]}, "lines[1].change"),
    ({"lines": [{**DESK, "quantity": "0", "change": TENTH}]}, "lines[0].change"),
    ({"lines": [{**DESK, "change": {**TENTH, "reason": "\x07"}}]}, "lines[0].change.reason"),
    ({"changes": [{**TENTH, "reason": "x" * 201}]}, "changes[0].reason"),
    ({"changes": [TENTH, {**FREIGHT, "amount_minor": 2**53}]}, "changes[1].amount_minor"),
    ({"changes": [{**FREIGHT, "amount_minor": -1}]}, "changes[0].amount_minor"),
    ({"changes": [{**FREIGHT, "tax_rate_bp": 0, "tax_category": "S"}]}, "changes[0].tax_rate_bp"),
    ({"changes": [TENTH, {"kind": "discount", "amount_minor": 20_000}]}, "changes[1]"),
    ({"changes": [{**TENTH, "tax_rate_bp": 500}]}, "changes[0]"),
    ({"changes": [TENTH] * 21}, "changes"),
    ({"prices_include_tax": "perhaps"}, "prices_include_tax"),
]


async def test_a_change_that_cannot_be_is_named_and_nothing_is_written(acme: Person) -> None:
    right = {"customer_id": await acme.customer(), "currency": "EUR", "lines": [DESK]}
    for change, field in WRONG:
        refused = await acme.post("/api/invoices", {**right, **change})
        assert refused.status == 422, (field, refused.text)
        assert list(refused.json["fields"]) == [field], refused.text
    assert (await acme.get("/api/invoices")).json["invoices"] == []


FORM = {
    "currency": "EUR",
    "payment_days": "14",
    "prices_include_tax": "true",
    "lines__0__description": "Desk",
    "lines__0__quantity": "2",
    "lines__0__unit_price": "119.00",
    "lines__0__discount": "10%",
    "lines__0__reason": "Loyalty",
    "lines__0__tax": "S:1900",
    "changes__0__discount": "+5.95",
    "changes__0__reason": "Freight",
    "changes__0__tax": "S:1900",
}


async def test_the_form_takes_gives_back_and_shows_them(acme: Person) -> None:
    customer_id = await acme.customer()
    sums = (await acme.submit("/invoices/preview", customer_id=customer_id, **FORM)).text
    assert "Freight" in sums
    assert "€220.15" in sums
    saved = await acme.submit("/invoices", customer_id=customer_id, **FORM)
    assert saved.status == 303
    place = str(saved.header("location"))
    page = (await acme.get(place)).text
    assert "Loyalty 10%: \N{MINUS SIGN}€23.80" in page
    form = (await acme.get(f"{place}/edit")).text
    for kept in ('value="10%"', 'value="&#43;5.95"', 'value="Freight"', 'value="S:1900" selected'):
        assert kept.replace("&#43;", "+") in form.replace("&#43;", "+"), kept
    assert re.search(r'name="prices_include_tax"[^>]* checked', form)
    again = await acme.submit(place, customer_id=customer_id, version="1", **FORM)
    assert again.status == 303
    api = (await acme.get(f"/api{place}")).json
    assert (api["version"], api["gross_minor"], api["prices_include_tax"]) == (2, 22_015, True)


async def test_a_refused_form_says_which_field_and_keeps_what_was_typed(acme: Person) -> None:
    wrong = {**FORM, "lines__0__discount": "110%", "changes__0__discount": "-1"}
    refused = await acme.submit("/invoices", customer_id=await acme.customer(), **wrong)
    assert refused.status == 422
    for said in ("Line 1, discount", "Discount or surcharge 1, discount", 'value="110%"', 'value="-1"'):
        assert said in refused.text, said
    too_much = {**FORM, "changes__0__discount": "300", "changes__0__tax": ""}
    refused = await acme.submit("/invoices", customer_id=await acme.customer(), **too_much)
    assert 'href="#f-changes-0-discount"' in refused.text


async def test_what_was_agreed_is_frozen_printed_and_credited_to_the_cent(
    app: RunningApp, acme: Person
) -> None:
    lines = [
        {
            **DESK,
            "quantity": "3",
            "unit_price": "33.335",
            "change": {"kind": "discount", "amount_minor": 100},
        },
        {**BOOK, "quantity": "7", "unit_price": "1.115", "change": TENTH},
    ]
    changes = [{"kind": "discount", "amount_minor": 333}, FREIGHT, {**FREIGHT, "tax_rate_bp": 0}]
    issued = await acme.issued(lines=lines, changes=changes, prices_include_tax=True)
    path = f"/api/invoices/{issued['invoice_id']}"
    with pytest.raises(Exception, match="row-level security"):
        await as_app(app, acme, "update invoice set changes = '[]'")
    with pytest.raises(Exception, match="permission denied"):
        await as_app(app, acme, "update invoice_line set change = null")
    await acme.run_jobs(issued["invoice_id"])
    assert (await acme.get(f"{path}/pdf")).status == 200
    notes = []
    for quantities in ({1: "1", 2: "3"}, {1: "1"}, {2: "0.5"}, None):
        body = {"lines": [{"line_no": n, "quantity": q} for n, q in quantities.items()]} if quantities else {}
        note = await acme.post(f"{path}/credit-notes", body)
        assert note.status == 201, note.text
        notes.append((await acme.get(f"/api/invoices/{note.json['invoice_id']}")).json)
        await acme.run_jobs(note.json["invoice_id"])
        assert (await acme.get(f"/api/invoices/{note.json['invoice_id']}/pdf")).status == 200
    for name in ("net_minor", "tax_minor", "gross_minor"):
        assert sum(note[name] for note in notes) == issued[name], name
    taken = sum(p["amount_minor"] for note in notes for c in note["changes"][:1] for p in c["parts"])
    assert taken == 333
    assert notes[-1]["changes"][-1]["reason"] == "Freight", "what no line carries comes back with the last"


async def test_twenty_edits_at_once_leave_one_whole_draft(app: RunningApp, acme: Person) -> None:
    draft = await acme.draft(lines=[DESK], changes=[TENTH])
    path, customer_id = f"/api/invoices/{draft['invoice_id']}", draft["customer_id"]
    bodies = [
        {
            "customer_id": customer_id,
            "currency": "EUR",
            "lines": [DESK],
            "changes": [{**TENTH, "percent_bp": n}],
        }
        for n in range(1, 21)
    ]
    answers = await asyncio.gather(*(acme.send("PUT", path, body, if_match='"1"') for body in bodies))
    assert sorted(answer.status for answer in answers) == [200] + [412] * 19
    won = next(answer.json for answer in answers if answer.status == 200)
    assert (await acme.get(path)).json == won
    neighbour = await person(app, "Globex")
    assert (await neighbour.get(path)).status == 404
